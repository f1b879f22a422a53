package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/slack"
)

// The states of a check.
const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateFault   = "fault"
)

// soon is how long before its expiry a token is worth a warning.
const soon = 14 * day

// ailment is the result of one check, with a line of remedy for all but what is well.
type ailment struct {
	Check  string `json:"check"`
	Name   string `json:"name,omitempty"`
	State  string `json:"state"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

// examination is one run of doctor. Nothing in it writes anywhere.
type examination struct {
	*bot
	all []ailment
}

// doctor examines everything that the settings name, and prints what is wrong. It returns 1 for a fault.
func (b *bot) doctor(ctx context.Context) int {
	x := &examination{bot: b}
	if x.reach(ctx) {
		x.release(ctx)
		if x.rights(ctx) {
			x.models(ctx)
		}
	}
	x.places(ctx)
	x.tokens()
	x.channel(ctx)
	x.issues(ctx)
	x.configuration()
	code := exitOK
	for _, a := range x.all {
		if a.State == stateFault {
			code = exitFailed
		}
	}
	return b.write(x.render(), code)
}

func (x *examination) note(check, name, state, what, remedy string) {
	x.all = append(x.all, ailment{check, name, state, x.known.Redact(what), remedy})
}

// judge notes an error as a fault, and none as well.
func (x *examination) judge(check, name string, err error, well, remedy string) bool {
	if err == nil {
		x.note(check, name, stateOK, well, "")
		return true
	}
	for _, e := range flatten(err) {
		what, mend := remedyOf(e, remedy)
		x.note(check, name, stateFault, what, mend)
	}
	return false
}

// remedyOf takes an advised error apart.
func remedyOf(err error, remedy string) (what, mend string) {
	if fault, ok := err.(*settingFault); ok {
		return fault.err.Error(), fault.setting + ": " + fault.remedy
	}
	return err.Error(), remedy
}

// reach tells network, TLS, authorization and database apart.
func (x *examination) reach(ctx context.Context) bool {
	ready, err := x.proxy.Readiness(ctx)
	if err != nil {
		remedy := "see that the proxy runs, that this is its address, and that this machine may reach it"
		if text := err.Error(); strings.Contains(text, "x509") || strings.Contains(text, "tls:") || strings.Contains(text, "certificate") {
			remedy = "give the authority of the proxy's certificate as ca-file, or mend the certificate"
		}
		return x.judge("proxy", "", x.adviseProxy(err), "", remedy)
	}
	if !ready.Ready {
		x.note("database", "", stateFault, "the proxy answers, its database is "+ready.Database, "bring PostgreSQL back, and see DATABASE_URL of the proxy")
		return false
	}
	x.note("proxy", "", stateOK, fmt.Sprintf("answers in %d ms", ready.Latency.Milliseconds()), "")
	x.note("database", "", stateOK, "connected", "")
	return true
}

func (x *examination) release(ctx context.Context) {
	r, err := x.proxy.Release(ctx)
	if err != nil || !r.Known() {
		x.note("release", "", stateOK, "the proxy does not tell this key", "")
		return
	}
	for _, f := range failover.Check(failover.Facts{Proxy: failover.Proxy{Ready: true, Release: r.Version}}, failover.Policy{}, x.now()) {
		if f.Rule == failover.RuleCompromised {
			x.note("release", "", stateFault, f.Summary+": "+f.Cause, f.Advice)
			return
		}
	}
	x.note("release", "", stateOK, "LiteLLM "+r.Version, "")
}

// rights tries what a management key reads, about a row that does not exist; what it writes is not tried. It reports
// whether the proxy knows the key.
func (x *examination) rights(ctx context.Context) bool {
	who, err := x.proxy.Identity(ctx)
	if !x.judge("management key", "", x.adviseProxy(err), "known to the proxy", "give its master key or a management key") {
		return false
	}
	if who.Master {
		x.note("management key", "", stateWarning, "it is the proxy's master key", "make a narrow management key, as the README shows, and use that")
	}
	const nobody = "openclaw-litellm-doctor-nobody"
	for _, r := range []struct {
		name string
		try  func() error
	}{
		{"list keys", func() error { _, err := x.proxy.Keys(ctx, nobody); return err }},
		{"read users", func() error { _, err := x.proxy.User(ctx, nobody); return err }},
		{"read spend logs", func() error {
			for _, err := range x.proxy.SpendLogs(ctx, litellm.LogQuery{From: x.now().Add(-time.Hour), To: x.now(), Limit: 1}) {
				return err
			}
			return nil
		}},
	} {
		err := r.try()
		if litellm.IsKind(err, litellm.NotFound) {
			err = nil
		}
		x.judge("right", r.name, x.adviseProxy(err), "may be used", "see the proxy's log for this request")
	}
	return true
}

// models finds those without a price, whose spend is not counted, and those without a fallback.
func (x *examination) models(ctx context.Context) {
	served, err := x.served(ctx)
	if err != nil {
		x.judge("models", "", x.adviseProxy(err), "", "see the proxy's model_list")
		return
	}
	var free, alone []string
	for _, m := range served.Models {
		if m.Chat() && (!m.Input.Valid || !m.Output.Valid) {
			free = append(free, m.ID)
		}
		if m.Chat() && len(m.Fallbacks) == 0 {
			alone = append(alone, m.ID)
		}
	}
	x.list("price", free, "have no price, so their spend is not counted", "set input_cost_per_token and output_cost_per_token on the proxy")
	x.list("fallback", alone, "have no fallback", "add them to fallbacks in router_settings of the proxy")
}

func (x *examination) list(check string, names []string, what, remedy string) {
	if len(names) == 0 {
		x.note(check, "", stateOK, "every model has one", "")
		return
	}
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	x.note(check, "", stateWarning, text+": "+what, remedy)
}

// places asks each target whether it could be written to.
func (x *examination) places(ctx context.Context) {
	for _, k := range x.set.Keys {
		if k.ForEach != nil {
			continue // its targets are those of the repositories that a run finds
		}
		for _, t := range k.Targets {
			target := x.targetOf(t)
			preflight, ok := target.(interface{ Preflight(context.Context) error })
			if !ok {
				continue
			}
			x.judge("target", target.String(), preflight.Preflight(ctx), "reachable, and could be written to", "see the README's table of permissions")
		}
	}
}

// tokens warns of those that end soon. GitHub told with its answers to places and issues.
func (x *examination) tokens() {
	for _, t := range []struct {
		name   string
		client *github.Client
	}{{"secrets-token", x.secrets.token}, {"github-token", x.issuesAPI}} {
		if t.client == nil {
			continue
		}
		at, ok := t.client.TokenExpires()
		if !ok {
			continue
		}
		left := at.Sub(x.now())
		what := fmt.Sprintf("expires in %d days, on %s", int(left/day), at.UTC().Format(time.DateOnly))
		switch {
		case left <= 0:
			x.note("token", t.name, stateFault, "has expired", x.source(t.name)+": make a new one")
		case left < soon:
			x.note("token", t.name, stateWarning, what, x.source(t.name)+": make a new one before that")
		default:
			x.note("token", t.name, stateOK, what, "")
		}
	}
}

func (x *examination) channel(ctx context.Context) {
	if x.set.Slack.BotToken.IsZero() {
		return
	}
	s := slack.Bot{Token: x.set.Slack.BotToken, APIURL: x.set.Slack.APIURL, HTTP: x.http, Sleep: x.sleep,
		Notes: func(text string) {
			x.note("slack", "", stateWarning, text, "give the token channels:read to have it checked")
		}}
	for _, c := range []struct {
		id     string
		advise func(error) error
	}{{x.set.Slack.Channel, x.adviseSlack}, {x.set.Slack.CriticalChannel, x.adviseCritical}} {
		if c.id != "" {
			x.judge("slack", c.id, c.advise(s.Check(ctx, c.id)), "the bot can write there", "see the bot token and the channel's members")
		}
	}
}

func (x *examination) issues(ctx context.Context) {
	repository := x.set.Report.IssueRepository
	if repository == "" {
		return
	}
	_, err := x.issuesAPI.Issues(ctx, repository, (&tracker{labels: x.set.Report.IssueLabels}).label())
	x.judge("issue repository", repository, x.adviseIssues(err), "its issues can be read", "see github-token")
}

// configuration judges OpenClaw's configuration, without the proxy: what that serves is said above.
func (x *examination) configuration() {
	if x.set.OpenClawConfig == "" {
		return
	}
	well := true
	for _, p := range (openclaw.Linter{Getenv: x.getenv, Mode: modeOf}).Lint(x.set.OpenClawConfig, x.readFile) {
		state := stateWarning
		if p.Severity == finding.Critical {
			state = stateFault
		}
		x.note("openclaw", p.At.String(), state, p.What, p.Mend)
		well = false
	}
	if well {
		x.note("openclaw", x.set.OpenClawConfig, stateOK, "nothing found", "")
	}
}

// render is one screen, or JSON.
func (x *examination) render() string {
	var b bytes.Buffer
	if x.set.Format == "json" {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		_ = e.Encode(x.all) // texts alone, into memory
		return b.String()
	}
	for _, a := range x.all {
		line := fmt.Sprintf("%-8s %s", a.State, a.Check)
		if a.Name != "" {
			line += " " + a.Name
		}
		fmt.Fprintln(&b, line+": "+strings.Map(oneLine, a.What))
		if a.Remedy != "" {
			fmt.Fprintln(&b, "         → "+strings.Map(oneLine, a.Remedy))
		}
	}
	return b.String()
}
