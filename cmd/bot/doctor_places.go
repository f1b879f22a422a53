package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/slack"
)

// mostPlaces is how many targets are examined at most: the rest of a fleet is alike.
const mostPlaces = 50

// places asks each target whether it could be written to, those of the repositories that for_each finds included, which
// takes the proxy.
func (x *examination) places(ctx context.Context) {
	x.keys = x.set.Keys
	if x.asked {
		_, found := x.expanded(ctx)
		for _, f := range found.failed {
			x.judge("repositories", "", f.err, "", "see secrets-token")
		}
		x.keys = found.keys
	}
	x.keys = slices.DeleteFunc(slices.Clone(x.keys), func(k settings.Key) bool { return k.ForEach != nil })
	var targets []settings.Target
	for _, k := range x.keys {
		targets = append(targets, k.Targets...)
	}
	for _, t := range targets[:min(len(targets), mostPlaces)] {
		target := x.targetOf(t)
		preflight, ok := target.(interface{ Preflight(context.Context) error })
		if ok {
			x.judge("target", target.String(), preflight.Preflight(ctx), "reachable, and could be written to", "see the README's table of permissions")
		}
		if t.File != "" {
			for _, e := range x.keyFileOf(t).Exposed() {
				x.note("target", target.String(), stateWarning, e.What, e.Remedy)
			}
		}
	}
	if left := len(targets) - mostPlaces; left > 0 {
		x.note("target", "", stateOK, fmt.Sprintf("%d more were not examined", left), "")
	}
}

// soon is how long before its expiry a token is worth a warning.
const soon = 14 * day

// tokens says of each credential for GitHub what it has to be allowed, what GitHub says that it is, and when it ends.
// GitHub told that with its answers, so this comes after places and issues.
func (x *examination) tokens() {
	needs := map[string][]string{} // :: owner, "" for the one token → permissions
	need := func(owner, permission string) {
		if x.secrets.app == nil {
			owner = ""
		}
		if !slices.Contains(needs[owner], permission) {
			needs[owner] = append(needs[owner], permission)
		}
	}
	for _, k := range x.keys {
		for _, t := range k.Targets {
			if t.File == "" {
				need(ownerOf(t), secretPermission(t))
			}
		}
		if owner, _, ok := strings.Cut(k.Dispatch, "/"); ok {
			need(owner, "the repository permission Contents: write")
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(needs)) {
		if x.secrets.app != nil {
			x.token("target", "app-id", "for "+owner, x.secrets.app.Client(owner), needs[owner])
		} else {
			x.token("target", "secrets-token", "", x.secrets.token, needs[owner])
		}
	}
	if x.set.Report.IssueRepository != "" {
		x.token(issueCheck, "github-token", "", x.issuesAPI, []string{"the repository permission Issues: write"})
	}
}

// token judges one credential, whose use was the subject of a check before.
func (x *examination) token(check, setting, of string, client *github.Client, needs []string) {
	name := strings.TrimSpace(setting + " " + of)
	what, state, remedy := "needs "+strings.Join(needs, ", "), stateOK, ""
	grants, told := client.Grants()
	at, ends := client.TokenExpires()
	if !told && !ends && slices.ContainsFunc(x.all, func(a ailment) bool { return a.Check == check && a.State == stateFault }) {
		return // GitHub told nothing but that
	}
	lacks := slices.DeleteFunc(slices.Clone(needs), func(need string) bool { return granted(grants, need) })
	switch {
	case told && len(lacks) > 0:
		state, what = stateFault, fmt.Sprintf("has [%s] and lacks %s", strings.Join(grants, ", "), strings.Join(lacks, ", "))
		remedy = x.source(setting) + ": give it that"
	case told:
		what += ", which it has"
	}
	if ends {
		left := at.Sub(x.now())
		what += fmt.Sprintf("; expires in %d days, on %s", int(left/day), at.UTC().Format(time.DateOnly))
		switch {
		case left <= 0:
			state, what, remedy = stateFault, "has expired", x.source(setting)+": make a new one"
		case left < soon && state == stateOK:
			state, remedy = stateWarning, x.source(setting)+": make a new one before that"
		}
	}
	x.note("token", name, state, what, remedy)
}

// granted reports whether what GitHub says of a credential, permissions or scopes, includes a permission as
// secretPermission words it.
func granted(grants []string, need string) bool {
	level, permission, _ := strings.Cut(strings.TrimPrefix(need, "the "), " permission ")
	permission, _, _ = strings.Cut(permission, ":")
	name := strings.ReplaceAll(strings.ToLower(permission), " ", "_")
	if level == "organization" && name == "secrets" {
		name = "organization_secrets"
	}
	enough := []string{name + "=write", map[string]string{"repository": "repo", "organization": "admin:org"}[level]}
	if name == "issues" {
		enough = append(enough, "public_repo") // which will do where everybody can read
	}
	return slices.ContainsFunc(enough, func(grant string) bool { return slices.Contains(grants, grant) })
}

func (x *examination) channel(ctx context.Context) {
	if !x.set.Slack.WebhookURL.IsZero() {
		x.note("slack", "webhook", stateOK, "not tried: what reaches it reaches people", "")
	}
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

const issueCheck = "issue repository"

func (x *examination) issues(ctx context.Context) {
	repository := x.set.Report.IssueRepository
	if repository == "" {
		return
	}
	_, err := x.issuesAPI.Issues(ctx, repository, (&tracker{labels: x.set.Report.IssueLabels}).label())
	x.judge(issueCheck, repository, x.adviseIssues(err), "its issues can be read", "see github-token")
}
