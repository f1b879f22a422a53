package settings

import (
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/secret"
)

// text reads one row.
func (l *loader) text(name string, parse func(string) (string, *problem)) string {
	return read(l, l.values[name], parse)
}

func (l *loader) bool(name string) bool { return read(l, l.values[name], parseBool) }

func (l *loader) choice(name string) string {
	for _, r := range table() {
		if r.name == name {
			return l.text(name, parseChoice(r.choices))
		}
	}
	return ""
}

func (l *loader) secret(name string) secret.Value {
	return secret.New(l.text(name, func(text string) (string, *problem) {
		if hasControl(text) || strings.Contains(text, " ") {
			return "", bad("give the credential alone", "the value holds a blank or a line break")
		}
		return text, nil
	}))
}

// readCommand reads what is to be done.
func (l *loader) readCommand() {
	s := l.out
	s.Sandbox = l.bool("sandbox")
	s.Now = s.Command == CommandRotate && l.bool("now")
	s.Compromised = s.Command == CommandRotate && l.bool("compromised")
	s.DryRun = s.Command == CommandPlan || l.bool("dry-run")
	s.DetailedExitCode = s.Command == CommandPlan && l.bool("detailed-exitcode")
	if s.Command == CommandReport {
		s.SpendLogs, s.Strict = l.text("spend-logs", parsePath), l.bool("strict")
	}
	if s.Command == CommandRotate || s.Command == CommandKeys {
		s.Names = readItems(l, l.values["names"], parseKeyName)
	}
	if s.Command == CommandKeys {
		l.readUnblock()
	}
	s.Parts = l.parts()
	if s.InActions && s.Command == CommandServe {
		l.add(Source{Name: "command line"}, bad("use run on a schedule", "serve never ends, which a job in Actions has to"))
	}
	if s.Command == CommandDoctor {
		s.OpenClawConfig = l.text("openclaw-config", parsePath)
	}
	l.refuseIdle()
}

// readUnblock takes "keys unblock NAME...", the one thing that keys does besides listing.
func (l *loader) readUnblock() {
	s := l.out
	if len(s.Names) == 0 || s.Names[0] != "unblock" {
		return
	}
	s.Unblock, s.Names = true, s.Names[1:]
	if len(s.Names) == 0 {
		l.add(l.values["names"].src, bad("name it: keys unblock NAME", "which key is to be unblocked is not said"))
	}
}

// refuseIdle refuses what says what to do, but not to this command: rotation asked for by now, say, would not happen.
func (l *loader) refuseIdle() {
	for _, r := range table() {
		idle := r.group == groupRun && r.name != "dry-run" && r.cmds != nil && !slices.Contains(r.cmds, l.out.Command)
		if v := l.values[r.name]; idle && v.src.Given() && v.text != "false" {
			l.add(v.src, bad("leave it out, or use "+strings.Join(r.cmds, " or "), "%s does nothing with it", l.out.Command))
		}
	}
}

// parts returns what the command does of a whole pass.
func (l *loader) parts() []Part {
	all := []Part{PartRotate, PartCheck, PartReport}
	switch l.out.Command {
	case CommandRun:
		only := readItems(l, l.values["only"], parseChoice([]string{string(PartRotate), string(PartCheck), string(PartReport)}))
		if only == nil {
			return all
		}
		return partsIn(all, only)
	case CommandServe:
		return all
	case CommandPlan, CommandRotate:
		return all[:1]
	case CommandCheck:
		return all[1:2]
	case CommandReport:
		return all[2:]
	}
	return nil
}

func partsIn(all []Part, names []string) []Part {
	var parts []Part
	for _, part := range all {
		for _, name := range names {
			if string(part) == name {
				parts = append(parts, part)
				break
			}
		}
	}
	return parts
}

// readAccess reads how LiteLLM and GitHub are reached. The sandbox reaches neither.
func (l *loader) readAccess() {
	s := l.out
	s.LiteLLM.CAFile = l.text("ca-file", parsePath)
	if l.values["litellm-timezone"].text != "" {
		s.LiteLLM.Timezone = read(l, l.values["litellm-timezone"], parseTimezone)
	}
	s.GitHub.Repository = l.text("github-repository", parseRepository)
	s.Owner = l.text("owner", parseOwner)
	if s.Owner == "" {
		s.Owner = s.GitHub.Repository
	}
	if s.Sandbox {
		return
	}
	s.LiteLLM.BaseURL = strings.TrimRight(strings.TrimSuffix(l.base("litellm-base-url"), "/v1"), "/")
	s.LiteLLM.BaseURLFrom = l.values["litellm-base-url"].src
	s.LiteLLM.Key = l.secret("litellm-master-key")
	s.AllowedOwners = readItems(l, l.values["allowed-owners"], parseOrganization)
	s.GitHub.APIURL = l.base("github-api-url")
	s.GitHub.Token = l.secret("github-token")
	s.GitHub.SecretsToken = l.secret("secrets-token")
	s.GitHub.App = App{
		ID: l.text("app-id", parseAppID), Key: read(l, l.values["app-private-key"], parsePrivateKey),
		Installation: read(l, l.values["app-installation-id"], parseNumber),
	}
	for _, name := range []string{"litellm-base-url", "litellm-master-key"} {
		if l.values[name].text == "" {
			l.missing(name, "missing")
		}
	}
	if s.LiteLLM.BaseURL != "" {
		l.add(s.LiteLLM.BaseURLFrom, checkDestination(s.LiteLLM.BaseURLFrom, s.InActions, l.values["config"].src.Given()))
	}
}

// missing adds a fault that names every way to give the row.
func (l *loader) missing(name, what string) {
	for _, r := range table() {
		if r.name == name {
			l.add(Source{Name: name}, bad("give "+r.ways(), "%s", what))
		}
	}
}

// base reads an API's address and keeps its warning.
func (l *loader) base(name string) string {
	return l.text(name, func(text string) (string, *problem) {
		base, warning, p := parseBase(text)
		l.warnPlain(name, warning)
		return base, p
	})
}

// secretAddress reads an address that is itself a secret.
func (l *loader) secretAddress(name string) secret.Value {
	return secret.New(l.text(name, func(text string) (string, *problem) {
		warning, p := parseSecretAddress(text)
		l.warnPlain(name, warning)
		return text, p
	}))
}

// warnPlain warns of plain http. A job's log may be public, and names no address.
func (l *loader) warnPlain(name, warning string) {
	if warning != "" && l.out.InActions {
		warning = "plain http" + readable
	}
	l.warn(l.values[name].src, warning)
}

func (l *loader) warn(where Source, warning string) {
	if warning != "" {
		l.out.Warnings = append(l.out.Warnings, where.String()+": "+warning)
	}
}

// readTelling reads when something is worth telling, and who is told.
func (l *loader) readTelling() {
	s := l.out
	s.Failover.Window = read(l, l.values["failover-window"], parseDuration)
	s.Failover.FallbackRate = read(l, l.values["fallback-rate"], parseRate)
	s.Failover.Probe = (s.Command == CommandCheck || s.Command == CommandDoctor) && l.bool("probe")
	s.Slack.BotToken = l.secret("slack-bot-token")
	s.Slack.WebhookURL = l.secretAddress("slack-webhook-url")
	s.Slack.Channel = l.text("slack-channel", parseChannel)
	s.Slack.CriticalChannel = l.text("slack-critical-channel", parseChannel)
	s.Report.AmountsInPublic = l.bool("amounts-in-public")
	if !s.Sandbox {
		s.Slack.APIURL = l.base("slack-api-url") + "/"
		s.Heartbeat = l.secretAddress("heartbeat-url")
	}
	s.Report.IssueRepository = l.text("issue-repository", parseRepository)
	s.Report.IssueLabels = readItems(l, l.values["issue-labels"], parseLabel)
	s.Report.IssueSecret = secret.New(l.text("issue-secret", parseIssueSecret))
}

// readService reads what only the service uses.
func (l *loader) readService() {
	s := l.out
	s.Schedule.Run = l.text("schedule-run", parseCron)
	s.Schedule.Report = l.text("schedule-report", parseCron)
	s.Schedule.Timezone = read(l, l.values["timezone"], parseTimezone)
	s.HealthListen = l.text("health-listen", parseListen)
	s.StateFile = l.text("state-file", parsePath)
}

// readOutput reads how results and the log are written.
func (l *loader) readOutput() {
	s := l.out
	s.Period = read(l, l.values["period"], parsePeriod)
	s.Format = l.choice("format")
	s.Output = l.text("output", parsePath)
	s.Log = Log{Format: l.choice("log-format"), Level: l.choice("log-level")}
	if name := l.choice("fail-on"); name != "" && name != "never" {
		var severity finding.Severity
		if severity.UnmarshalText([]byte(name)) == nil {
			s.FailOn = &severity
		}
	}
}
