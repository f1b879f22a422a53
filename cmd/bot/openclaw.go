package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/child"
	"github.com/org/openclaw-litellm-action/internal/files"
	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/report"
)

// openclaw prints a configuration for OpenClaw, or judges one.
func (b *bot) openclaw(ctx context.Context) int {
	var served *openclaw.Served
	if b.asksProxy() {
		var err error
		if served, err = b.served(ctx); err != nil {
			b.errorLine(b.say(b.adviseProxy(err)))
			if b.set.OpenClaw.Lint != "" {
				b.lint(ctx, nil)
			}
			return exitFailed
		}
	}
	if b.set.OpenClaw.Lint != "" {
		return b.lint(ctx, served)
	}
	base := b.set.LiteLLM.BaseURL
	if b.set.Sandbox {
		base = "https://litellm.example.com"
	}
	keyFile, err := b.absolute(b.set.OpenClaw.KeyFile)
	if err != nil {
		return b.refuse(err)
	}
	text, err := openclaw.Generate(served, openclaw.Options{
		BaseURL: base, Key: b.set.OpenClaw.KeySource, KeyFile: keyFile, KeyName: b.set.OpenClaw.KeyName, Models: b.set.OpenClaw.Models,
		Part: b.set.OpenClaw.Part, Older: openclaw.Older(b.openclawVersion(ctx)),
	})
	if err != nil {
		return b.refuse(err)
	}
	return b.write(text, workflow.JSON, exitOK)
}

// asksProxy reports whether the command openclaw asks a proxy what it serves.
func (b *bot) asksProxy() bool {
	return b.set.Sandbox || b.set.LiteLLM.BaseURL != "" && !b.set.LiteLLM.Key.IsZero()
}

func (b *bot) absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	if b.dir == "" {
		return "", fmt.Errorf("%s is no absolute path, which OpenClaw needs", path)
	}
	return filepath.Join(b.dir, path), nil
}

// openclawVersion is what the settings say, or else the CLI that is there; "" for neither.
func (b *bot) openclawVersion(ctx context.Context) string {
	if v := b.set.OpenClaw.Version; v != "" || b.set.Sandbox || b.set.InActions {
		return v
	}
	path := b.getenv("PATH")
	program, err := child.Find("openclaw", path)
	if errors.Is(err, exec.ErrNotFound) {
		return ""
	}
	var out child.Output
	if err == nil {
		out, err = child.Command{
			Program: program, Args: []string{"--version"}, Timeout: 10 * time.Second,
			Env: versionEnv(path, b.getenv("HOME")),
		}.Run(ctx)
	}
	if err != nil {
		b.log.Warn("the OpenClaw that is installed does not tell its version, so the newest is taken; give openclaw-version",
			"program", program, "error", err)
		return ""
	}
	return openclaw.FindVersion(string(out.Stdout.Bytes))
}

// versionEnv is all that the CLI needs to tell its version: its interpreter may be anywhere in PATH.
func versionEnv(path, home string) []string {
	env := []string{"PATH=" + child.AbsolutePath(path)}
	if home != "" {
		env = append(env, "HOME="+home)
	}
	return env
}

// write delivers a result and returns the exit code: code, unless that failed.
func (b *bot) write(text string, form workflow.Form, code int) int {
	if err := b.deliver(text, form); err != nil {
		b.errorLine("writing the result: " + err.Error())
		return exitFailed
	}
	return code
}

// linter judges by what the proxy serves, nil if that is not known, and for the OpenClaw that the settings name or that is
// installed.
func (b *bot) linter(ctx context.Context, served *openclaw.Served) openclaw.Linter {
	return openclaw.Linter{Served: served, Getenv: b.getenv, Mode: modeOf, Older: openclaw.Older(b.openclawVersion(ctx))}
}

// lint prints every problem of a configuration.
func (b *bot) lint(ctx context.Context, served *openclaw.Served) int {
	l := b.linter(ctx, served)
	if b.set.InActions {
		l.Mode = modeIfThere
	}
	var unread error // why there is nothing to check
	read := b.openclawReader()
	problems := l.Lint(b.set.OpenClaw.Lint, func(name string, within []string, limit int64) ([]byte, error) {
		text, err := read(name, within, limit)
		if name == b.set.OpenClaw.Lint && within == nil {
			unread = err
		}
		return text, err
	})
	var out bytes.Buffer
	if b.set.Format == "json" {
		writeProblems(&out, problems)
	}
	code := exitOK
	for _, p := range problems {
		if b.set.Format != "json" {
			fmt.Fprintln(&out, report.Line(p.String()))
		}
		if b.set.FailOn != nil && p.Severity >= *b.set.FailOn {
			code = exitFinding
		}
		b.annotateProblem(p)
	}
	if len(problems) == 0 && b.set.Format != "json" {
		fmt.Fprintln(&out, "nothing found")
	}
	if unread != nil {
		b.errorLine(fmt.Sprintf("reading %s: %v", b.set.OpenClaw.Lint, files.Reason(unread)))
		return b.write(out.String(), b.resultForm(), exitFailed)
	}
	if served == nil {
		b.errorLine("nothing of a proxy is known, so models, windows and prices are not compared")
	}
	return b.write(out.String(), b.resultForm(), code)
}

func writeProblems(out *bytes.Buffer, problems []openclaw.Problem) {
	type row struct {
		File     string           `json:"file"`
		Line     int              `json:"line"`
		Column   int              `json:"column"`
		Rule     string           `json:"rule"`
		Severity finding.Severity `json:"severity"`
		What     string           `json:"what"`
		Mend     string           `json:"mend"`
	}
	rows := []row{}
	for _, p := range problems {
		rows = append(rows, row{p.At.File, p.At.Line, p.At.Column, p.Rule, p.Severity, p.What, p.Mend})
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(rows) // texts and numbers alone, into memory
}

// annotateProblem shows a problem beside its line in Actions.
func (b *bot) annotateProblem(p openclaw.Problem) {
	level := "notice"
	switch p.Severity {
	case finding.Critical:
		level = "error"
	case finding.Warning:
		level = "warning"
	}
	b.annotate(level, map[string]string{
		"file": p.At.File, "line": strconv.Itoa(p.At.Line), "col": strconv.Itoa(p.At.Column), "title": p.Rule,
	}, p.What+"; "+p.Mend)
}

func modeOf(path string) (os.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// modeIfThere takes a file that is missing for a good one: a runner is seldom the machine that the configuration is for.
func modeIfThere(path string) (os.FileMode, error) {
	mode, err := modeOf(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0o600, nil
	}
	return mode, err
}

// served asks the proxy what it serves to this key.
func (b *bot) served(ctx context.Context) (*openclaw.Served, error) {
	models, err := b.proxy.Models(ctx)
	if err != nil {
		return nil, err
	}
	deployments, err := b.proxy.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	s := &openclaw.Served{}
	for _, m := range models {
		if strings.Contains(m.Name, "*") {
			s.Wildcards = append(s.Wildcards, m.Name)
		} else if one := servedModel(m, deployments); !one.Wildcard || !pricedSize.MatchString(m.Name) {
			s.Models = append(s.Models, one)
		}
	}
	slices.SortFunc(s.Models, func(a, b openclaw.Model) int { return cmp.Compare(a.ID, b.ID) })
	return s, nil
}

// pricedSize is in those names behind a wildcard under which LiteLLM keeps a price by size: no provider has such a model.
var pricedSize = regexp.MustCompile(`(^|/)(\d+|max)-x-(\d+|max)/`)

// servedModel is what all deployments behind a group can do: the smallest window, the dearest price.
func servedModel(m litellm.Model, deployments []litellm.Deployment) openclaw.Model {
	var behind []openclaw.Model
	wildcard := false
	for _, d := range deployments {
		if d.Group == m.Name {
			behind = append(behind, ofDeployment(d))
			// One deployment for several models: that is a wildcard's. An alias has the model of what it stands for.
			wildcard = wildcard || slices.ContainsFunc(deployments, func(other litellm.Deployment) bool {
				return other.ID == d.ID && other.Model != d.Model
			})
		}
	}
	out := openclaw.Model{}
	source := "the proxy's GET /v1/models, which tells no numbers"
	if len(behind) > 0 {
		out, source = join(behind), "the proxy's GET /model/info"
	}
	out.ID, out.Fallbacks, out.Source, out.Wildcard = m.Name, m.Fallbacks, source, wildcard
	return out
}

func ofDeployment(d litellm.Deployment) openclaw.Model {
	flag := func(name string) bool { return string(d.Raw[name]) == "true" }
	return openclaw.Model{
		Mode: d.Mode, Reasoning: flag("supports_reasoning"), Vision: flag("supports_vision"),
		Window: d.MaxInputTokens, MaxTokens: d.MaxOutputTokens,
		Input: million(d.InputCost), Output: million(d.OutputCost),
		CacheRead: million(d.CacheReadCost), CacheWrite: million(d.CacheWriteCost), Above: above(d),
	}
}

// above is the least number of tokens above which a deployment has another price for those of a prompt.
func above(d litellm.Deployment) string {
	least := ""
	for name, price := range d.Raw {
		rest, input := strings.CutPrefix(name, "input_cost_per_token_above_")
		tokens, whole := strings.CutSuffix(rest, "_tokens") // others are of batches and such
		if input && whole && string(price) != "null" {
			least = fewer(least, tokens)
		}
	}
	return least
}

// fewer is the smaller of two such as 32k and 128k; "" is none.
func fewer(a, b string) string {
	if a == "" || b != "" && (len(b) < len(a) || len(b) == len(a) && b < a) {
		return b
	}
	return a
}

// million turns a price for a token into one for a million. Old releases say 0 where they know no price.
func million(d decimal.NullDecimal) decimal.NullDecimal {
	if !d.Valid || !d.Decimal.IsPositive() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(d.Decimal.Shift(6))
}

// join makes one of the deployments behind a group.
func join(all []openclaw.Model) openclaw.Model {
	out := all[0]
	for _, one := range all {
		out.Above = fewer(out.Above, one.Above)
	}
	tokens := func(what string, of func(*openclaw.Model) *int64) {
		differ := false
		for i := range all {
			differ = differ || *of(&all[i]) != *of(&all[0])
			*of(&out) = min(*of(&out), *of(&all[i]))
		}
		out.Differ = append(out.Differ, difference(differ, what, *of(&out) > 0, "least")...)
	}
	price := func(what string, of func(*openclaw.Model) *decimal.NullDecimal) {
		differ, most := false, *of(&all[0])
		for i := range all {
			one := *of(&all[i])
			differ = differ || one.Valid != of(&all[0]).Valid || !one.Decimal.Equal(of(&all[0]).Decimal)
			most.Valid = most.Valid && one.Valid
			most.Decimal = decimal.Max(most.Decimal, one.Decimal)
		}
		*of(&out) = most
		out.Differ = append(out.Differ, difference(differ, what, most.Valid, "dearest")...)
	}
	ability := func(what string, of func(*openclaw.Model) *bool) {
		differ := false
		for i := range all {
			differ = differ || *of(&all[i]) != *of(&all[0])
			*of(&out) = *of(&out) && *of(&all[i])
		}
		out.Differ = append(out.Differ, difference(differ, what, false, "")...)
	}
	ability("reasoning", func(m *openclaw.Model) *bool { return &m.Reasoning })
	ability("input of images", func(m *openclaw.Model) *bool { return &m.Vision })
	tokens("window", func(m *openclaw.Model) *int64 { return &m.Window })
	tokens("output limit", func(m *openclaw.Model) *int64 { return &m.MaxTokens })
	price("input price", func(m *openclaw.Model) *decimal.NullDecimal { return &m.Input })
	price("output price", func(m *openclaw.Model) *decimal.NullDecimal { return &m.Output })
	price("price of cache reads", func(m *openclaw.Model) *decimal.NullDecimal { return &m.CacheRead })
	price("price of cache writes", func(m *openclaw.Model) *decimal.NullDecimal { return &m.CacheWrite })
	return out
}

// difference says in what deployments differ, and which is taken; that not all have it, where none is.
func difference(differ bool, what string, all bool, taken string) []string {
	switch {
	case !differ:
		return nil
	case all:
		return []string{what + "; the " + taken + " is taken"}
	}
	return []string{what + ", which not all of them have"}
}
