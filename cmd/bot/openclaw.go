package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/report"
)

// openclaw prints a configuration for OpenClaw, or judges one.
func (b *bot) openclaw(ctx context.Context) int {
	var served *openclaw.Served
	if b.set.Sandbox || b.set.LiteLLM.BaseURL != "" && !b.set.LiteLLM.Key.IsZero() {
		var err error
		if served, err = b.served(ctx); err != nil {
			fmt.Fprintln(b.stderr, "bot:", report.Line(b.known.Redact(b.adviseProxy(err).Error())))
			return exitFailed
		}
	}
	if b.set.OpenClaw.Lint != "" {
		return b.lint(served)
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
	return b.write(text, exitOK)
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
	program, err := exec.LookPath("openclaw")
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		b.log.Warn("the OpenClaw that is installed does not tell its version, so the newest is taken", "program", program, "error", err)
		return ""
	}
	return openclaw.FindVersion(string(out))
}

// write puts a text where the settings say.
func (b *bot) write(text string, code int) int {
	text = b.known.Redact(text)
	var err error
	if b.set.Output == "" {
		_, err = b.stdout.Write([]byte(text))
	} else {
		err = os.WriteFile(b.set.Output, []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(b.stderr, "bot: writing the result:", err)
		return exitFailed
	}
	return code
}

// lint prints every problem of a configuration.
func (b *bot) lint(served *openclaw.Served) int {
	l := openclaw.Linter{Served: served, Getenv: b.getenv, Mode: modeOf}
	problems := l.Lint(b.set.OpenClaw.Lint, b.readFile)
	var out bytes.Buffer
	if b.set.Format == "json" {
		writeProblems(&out, problems)
	}
	code := exitOK
	for _, p := range problems {
		if b.set.Format != "json" {
			fmt.Fprintln(&out, p)
		}
		if b.set.FailOn != nil && p.Severity >= *b.set.FailOn {
			code = exitFinding
		}
		b.annotate(p)
	}
	if len(problems) == 0 && b.set.Format != "json" {
		fmt.Fprintln(&out, "nothing found")
	}
	if served == nil {
		fmt.Fprintln(b.stderr, "bot: no proxy is given, so models, windows and prices are not compared")
	}
	return b.write(out.String(), code)
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

// annotate shows a problem beside its line in Actions.
func (b *bot) annotate(p openclaw.Problem) {
	if b.action == nil {
		return
	}
	a := b.action.WithFieldsMap(map[string]string{
		"file": p.At.File, "line": strconv.Itoa(p.At.Line), "col": strconv.Itoa(p.At.Column), "title": p.Rule,
	})
	switch text := b.known.Redact(p.What + "; " + p.Mend); p.Severity {
	case finding.Critical:
		a.Errorf("%s", text)
	case finding.Warning:
		a.Warningf("%s", text)
	default:
		a.Noticef("%s", text)
	}
}

func modeOf(path string) (os.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
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
		s.Models = append(s.Models, servedModel(m, deployments))
	}
	slices.SortFunc(s.Models, func(a, b openclaw.Model) int { return cmp.Compare(a.ID, b.ID) })
	return s, nil
}

// servedModel is what all deployments behind a group can do: the smallest window, the dearest price.
func servedModel(m litellm.Model, deployments []litellm.Deployment) openclaw.Model {
	out := openclaw.Model{ID: m.Name, Fallbacks: m.Fallbacks, Source: "the proxy's GET /model/info"}
	first := true
	for _, d := range deployments {
		if d.Group != m.Name {
			continue
		}
		one := ofDeployment(d)
		if first {
			first = false
			one.ID, one.Fallbacks, one.Source = out.ID, out.Fallbacks, out.Source
			out = one
			continue
		}
		join(&out, one)
	}
	if first {
		out.Source = "the proxy's GET /v1/models, which tells no numbers"
	}
	return out
}

func ofDeployment(d litellm.Deployment) openclaw.Model {
	flag := func(name string) bool { return string(d.Raw[name]) == "true" }
	return openclaw.Model{
		Mode: d.Mode, Reasoning: flag("supports_reasoning"), Vision: flag("supports_vision"),
		Window: d.MaxInputTokens, MaxTokens: d.MaxOutputTokens,
		Input: million(d.InputCost), Output: million(d.OutputCost),
		CacheRead: million(d.CacheReadCost), CacheWrite: million(d.CacheWriteCost),
	}
}

// million turns a price for a token into one for a million. Old releases say 0 where they know no price.
func million(d decimal.NullDecimal) decimal.NullDecimal {
	if !d.Valid || !d.Decimal.IsPositive() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(d.Decimal.Shift(6))
}

// join takes a further deployment into the group.
func join(m *openclaw.Model, d openclaw.Model) {
	least := func(name string, a *int64, b int64) {
		if *a != b {
			m.Differ = append(m.Differ, name+"; the least is taken")
			*a = min(*a, b)
		}
	}
	dearest := func(name string, a *decimal.NullDecimal, b decimal.NullDecimal) {
		if a.Valid == b.Valid && a.Decimal.Equal(b.Decimal) {
			return
		}
		m.Differ = append(m.Differ, name+"; the dearest is taken")
		if !a.Valid || !b.Valid {
			*a = decimal.NullDecimal{}
		} else if b.Decimal.GreaterThan(a.Decimal) {
			*a = b
		}
	}
	least("window", &m.Window, d.Window)
	least("output limit", &m.MaxTokens, d.MaxTokens)
	dearest("input price", &m.Input, d.Input)
	dearest("output price", &m.Output, d.Output)
	dearest("price of cache reads", &m.CacheRead, d.CacheRead)
	dearest("price of cache writes", &m.CacheWrite, d.CacheWrite)
	m.Reasoning, m.Vision = m.Reasoning && d.Reasoning, m.Vision && d.Vision
}
