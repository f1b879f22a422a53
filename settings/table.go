package settings

import (
	"slices"
	"strings"
)

// kind is how a setting's text is written, and decides its flag.
type kind int

const (
	text           kind = iota
	secretText          // never a flag, masked
	boolean             // true or false
	list                // by comma or line; a sequence in the file
	choice              // one of choices
	money               // US dollars
	duration            // Go's, d, w
	budgetDuration      // LiteLLM's, normalised
	percent             // 5%
	percents            // list of percentages
	amounts             // list of name=USD; a mapping in the file
	address             // URL
	cronSpec            // five fields
)

// surface says where besides the file a setting may be given.
type surface int

const (
	flagSurface surface = 1 << iota
	inputSurface
	envSurface
	everywhere = flagSurface | inputSurface | envSurface
)

// row is one setting: everything about it that is said in more than one place.
type row struct {
	name    string // of the flag and the input
	group   string
	kind    kind
	on      surface
	env     []string // well-known variables, the first given counts; nil: OPENCLAW_LITELLM_ and the name
	file    string   // path in the file, e.g. defaults.max_budget; "": not in the file
	choices []string // of a choice
	def     string   // "": none
	help    string   // one line without the default, for help, action.yml and README
	cmds    []string // whose flag it is; nil: every command
	arg     bool     // the command's arguments, rather than a flag

	checkout checkoutRule // what a file in the checkout of a job may say of it; nil: it is in no file
}

// The groups, in the order of help and README.
const (
	groupRun     = "What to do"
	groupLiteLLM = "LiteLLM"
	groupKey     = "The key, if the file has no keys"
	groupGitHub  = "GitHub"
	groupTell    = "Telling people"
	groupService = "Service"
	groupOutput  = "Output"
)

// prefix starts the variables of settings that have no well-known one.
const prefix = "OPENCLAW_LITELLM_"

// table returns every setting.
func table() []row {
	return slices.Concat(runRows(), litellmRows(), keyRows(), alertRows(), githubRows(), tellRows(), serviceRows(), openclawRows(), outputRows())
}

func runRows() []row {
	return []row{
		{name: "command", group: groupRun, kind: choice, on: inputSurface, choices: jobCommands(), def: CommandRun,
			help: "what to do"},
		{name: "names", group: groupRun, kind: list, on: inputSurface | envSurface, cmds: []string{CommandRotate, CommandKeys, CommandOpenClaw}, arg: true,
			help: "logical keys to rotate or list (default: all); for keys also: unblock and the name of one; for openclaw: config, or lint and a file"},
		{name: "config", group: groupRun, on: everywhere,
			help: "configuration file (default: " + strings.Join(usualFiles(), ", then ") + ", if there is one)"},
		{name: "only", group: groupRun, kind: list, on: everywhere, cmds: []string{CommandRun},
			help: "parts of run: rotate, check, report (default: all)"},
		{name: "now", group: groupRun, kind: boolean, on: everywhere, def: "false", cmds: []string{CommandRotate},
			help: "rotate whatever the key's age"},
		{name: "compromised", group: groupRun, kind: boolean, on: everywhere, def: "false", cmds: []string{CommandRotate},
			help: "rotate and block every older generation as soon as each target was tried: for a key that leaked"},
		{name: "dry-run", group: groupRun, kind: boolean, on: everywhere, def: "false",
			cmds: []string{CommandRun, CommandRotate, CommandCheck, CommandReport}, help: "write nothing and tell nobody, show what would be done"},
		{name: "detailed-exitcode", group: groupRun, kind: boolean, on: flagSurface | envSurface, def: "false",
			cmds: []string{CommandPlan}, help: "exit with 4 if work is due"},
		{name: "spend-logs", group: groupRun, on: everywhere, cmds: []string{CommandReport},
			help: "export of /spend/logs to report on, - for standard input; nobody is asked, and no credential is needed"},
		{name: "strict", group: groupRun, kind: boolean, on: everywhere, def: "false", cmds: []string{CommandReport},
			help: "fail at the first unreadable row of an export, rather than skip it with a warning"},
		{name: "sandbox", group: groupRun, kind: boolean, on: everywhere, def: "false",
			help: "use a made-up proxy, GitHub and Slack in this process; needs no account and reads no credentials"},
	}
}

func litellmRows() []row {
	return []row{
		{name: "litellm-base-url", group: groupLiteLLM, kind: address, on: everywhere, file: "litellm.base_url",
			env: []string{"LITELLM_BASE_URL", "LITELLM_PROXY_URL"}, checkout: choosesNoAddress, help: "the proxy's address, with or without /v1"},
		{name: "litellm-master-key", group: groupLiteLLM, kind: secretText, on: inputSurface | envSurface,
			env: []string{"LITELLM_MASTER_KEY", "LITELLM_PROXY_API_KEY"}, help: "the master key or, better, a narrow management key"},
		{name: "ca-file", group: groupLiteLLM, on: everywhere,
			help: "PEM file of further certificate authorities to trust"},
		{name: "litellm-timezone", group: groupLiteLLM, on: everywhere, file: "litellm.timezone",
			checkout: allowed, help: "time zone in which the proxy resets budgets, its litellm_settings.timezone, such as Europe/Berlin (default: taken from " +
				"when they reset, which is right but for windows in which the clocks change)"},
		{name: "owner", group: groupLiteLLM, on: everywhere, file: "owner",
			checkout: ownsThisRepository, help: "whose keys these are; another owner's are never touched (default: this repository)"},
	}
}

func keyRows() []row {
	return []row{
		{name: "key-name", group: groupKey, on: everywhere, def: "openclaw", help: "the key's stable name"},
		{name: "adopt", group: groupKey, kind: boolean, on: everywhere, file: "defaults.adopt", def: "false",
			checkout: allowed, help: "take over an existing key that has this name as its alias"},
		{name: "max-budget", group: groupKey, kind: money, on: everywhere, file: "defaults.max_budget",
			checkout: allowed, help: "US dollars a budget window (default: no limit)"},
		{name: "budget-duration", group: groupKey, kind: budgetDuration, on: everywhere, file: "defaults.budget_duration",
			checkout: allowed, help: "the budget window: hourly, daily, weekly, monthly, or such as 12h, 30d (default: never resets)"},
		{name: "models", group: groupKey, kind: list, on: everywhere, file: "defaults.models",
			checkout: allowed, help: "models the key may use (default: as the proxy has it)"},
		{name: "rotation-interval", group: groupKey, kind: duration, on: everywhere, file: "defaults.rotation_interval",
			def: "30d", checkout: allowed, help: "age at which the key is replaced"},
		{name: "grace-period", group: groupKey, kind: duration, on: everywhere, file: "defaults.grace_period",
			def: "7d", checkout: allowed, help: "how long the old key keeps working after the new one is everywhere"},
		{name: "max-grace-period", group: groupKey, kind: duration, on: everywhere, file: "defaults.max_grace_period",
			def: "35d", checkout: allowed, help: "how long an old key may keep working while it is still used"},
		{name: "block-in-use", group: groupKey, kind: boolean, on: everywhere, file: "defaults.block_in_use", def: "false",
			checkout: allowed, help: "block an old key after the longest grace period even while it is used"},
		{name: "thresholds", group: groupKey, kind: percents, on: everywhere, file: "defaults.thresholds",
			def: "50%,80%,95%", checkout: allowed, help: "shares of the budget that are worth a finding"},
		{name: "secret-name", group: groupKey, on: everywhere, def: "LITELLM_API_KEY", help: "secret that holds the key"},
		{name: "secret-repository", group: groupKey, on: everywhere,
			help: "repository of the secret (default: this one, or no secret if only key-file is given)"},
		{name: "secret-environment", group: groupKey, on: everywhere,
			help: "environment of the secret (default: the repository's own)"},
		{name: "key-file", group: groupKey, on: everywhere, help: "file that holds the key, mode 0600"},
	}
}

func githubRows() []row {
	return []row{
		{name: "github-token", group: groupGitHub, kind: secretText, on: inputSurface | envSurface, env: []string{"GITHUB_TOKEN"},
			help: "for the living issue; can never write secrets"},
		{name: "secrets-token", group: groupGitHub, kind: secretText, on: inputSurface | envSurface, env: []string{"SECRETS_TOKEN"},
			help: "fine-grained token that writes secrets"},
		{name: "app-id", group: groupGitHub, on: everywhere,
			help: "id of a GitHub App that writes secrets, in place of secrets-token"},
		{name: "app-private-key", group: groupGitHub, kind: secretText, on: inputSurface | envSurface,
			help: "the App's private key, in PEM"},
		{name: "app-installation-id", group: groupGitHub, on: everywhere,
			help: "the App's only installation to use (default: the one of each repository's owner)"},
		{name: "allowed-owners", group: groupGitHub, kind: list, on: everywhere,
			help: "owners to whom a file in the checkout may have keys and repository_dispatch sent in Actions (default: keys to this " +
				"repository's owner)"},
		{name: "github-api-url", group: groupGitHub, kind: address, on: everywhere, env: []string{"GITHUB_API_URL"},
			def: "https://api.github.com", help: "GitHub's API"},
		{name: "github-repository", group: groupGitHub, on: envSurface, env: []string{"GITHUB_REPOSITORY"},
			help: "this repository; the runner sets it"},
	}
}

func tellRows() []row {
	return []row{
		{name: "failover-window", group: groupTell, kind: duration, on: everywhere, file: "failover.window", def: "1h",
			checkout: allowed, help: "how far back failover is looked for"},
		{name: "fallback-rate", group: groupTell, kind: percent, on: everywhere, file: "failover.fallback_rate", def: "5%",
			checkout: allowed, help: "share of requests served by fallbacks that is worth a finding"},
		{name: "probe", group: groupTell, kind: boolean, on: everywhere, file: "failover.probe", def: "false", cmds: []string{CommandCheck, CommandDoctor},
			checkout: allowed, help: "check: call each model once, for a token, and see who answers; costs what that costs. doctor: make one call that is refused and costs nothing, and see how long it takes to the spend logs"},
		{name: "slack-bot-token", group: groupTell, kind: secretText, on: inputSurface | envSurface,
			env: []string{"SLACK_BOT_TOKEN"}, help: "bot token for one living message in the channel"},
		{name: "slack-channel", group: groupTell, on: everywhere, env: []string{"SLACK_CHANNEL"},
			file: "report.slack.channel", checkout: choosesNot("slack-channel", "choose who reads reports in Slack"),
			help: "channel id for the bot token"},
		{name: "slack-critical-channel", group: groupTell, on: everywhere, file: "report.slack.critical_channel",
			checkout: choosesNot("slack-critical-channel", "choose who reads reports in Slack"),
			help:     "a second channel id, which hears of what is critical alone"},
		{name: "slack-webhook-url", group: groupTell, kind: secretText, on: inputSurface | envSurface,
			env: []string{"SLACK_WEBHOOK_URL"}, help: "webhook, in place of a bot token: transitions only"},
		{name: "slack-api-url", group: groupTell, kind: address, on: everywhere, env: []string{"SLACK_API_URL"},
			def: "https://slack.com/api/", help: "Slack's API"},
		{name: "issue-repository", group: groupTell, on: everywhere, file: "report.issue.repository",
			checkout: staysHere, help: "repository of the living issue (default: no issue)"},
		{name: "issue-labels", group: groupTell, kind: list, on: everywhere, file: "report.issue.labels",
			checkout: allowed, help: "labels of the living issue"},
		{name: "issue-secret", group: groupTell, kind: secretText, on: inputSurface | envSurface,
			help: "signs what the living issue remembers, so that nobody who can edit it can forge that; the same for all that " +
				"write the issue (default: the management key signs)"},
		{name: "amounts-in-public", group: groupTell, kind: boolean, on: everywhere, file: "report.amounts_in_public", def: "false",
			checkout: showsNoAmounts, help: "show amounts of money where everybody can read them too: issue, summary and log of a public repository"},
		{name: "heartbeat-url", group: groupTell, kind: secretText, on: inputSurface | envSurface, file: "report.heartbeat_url",
			checkout: choosesNot("heartbeat-url", "choose where reports are sent"),
			help:     "pinged after a good run, and its /fail after a bad one, with what failed: silence is noticed"},
	}
}

func serviceRows() []row {
	serve := []string{CommandServe}
	return []row{
		{name: "schedule-run", group: groupService, kind: cronSpec, on: flagSurface | envSurface, file: "schedule.run",
			def: "*/15 * * * *", cmds: serve, checkout: allowed, help: "when the service makes a pass, in cron syntax"},
		{name: "schedule-report", group: groupService, kind: cronSpec, on: flagSurface | envSurface, file: "schedule.report",
			cmds: serve, checkout: allowed, help: "when the service reports, in cron syntax (default: never)"},
		{name: "timezone", group: groupService, on: flagSurface | envSurface, file: "schedule.timezone", def: "UTC", cmds: serve,
			checkout: allowed, help: "time zone of the schedule, such as Europe/Paris"},
		{name: "state-file", group: groupService, on: flagSurface | envSurface, env: []string{"OPENCLAW_LITELLM_STATE"},
			cmds: []string{CommandServe, CommandRun, CommandCheck, CommandReport},
			help: "SQLite file that remembers what was told, and what past passes saw, which the page and report show (default: the issue or the proxy remembers)"},
		{name: "health-listen", group: groupService, on: flagSurface | envSurface, cmds: serve,
			help: "host:port of /healthz and /readyz (default: none)"},
	}
}

func outputRows() []row {
	written := []string{CommandRun, CommandPlan, CommandRotate, CommandCheck, CommandReport, CommandKeys, CommandOpenClaw, CommandDoctor, CommandServe}
	return []row{
		{name: "period", group: groupOutput, on: everywhere, def: "week", cmds: []string{CommandReport},
			help: "what a report covers: day, week, month, 24h, days such as 7d, or 2026-11-01..2026-11-15"},
		{name: "format", group: groupOutput, kind: choice, on: everywhere, def: "text", cmds: written,
			choices: []string{"text", "markdown", "html", "json", "csv"}, help: "how the result is written"},
		{name: "output", group: groupOutput, on: everywhere, cmds: written,
			help: "file for the result, which the service writes in every pass (default: standard output)"},
		{name: "fail-on", group: groupOutput, kind: choice, on: everywhere, def: "never",
			choices: []string{"never", "warning", "critical"}, cmds: []string{CommandRun, CommandCheck, CommandReport, CommandOpenClaw},
			help: "exit with 3 at a finding this severe"},
		{name: "log-format", group: groupOutput, kind: choice, on: everywhere, def: "text",
			choices: []string{"text", "json"}, help: "how the log is written"},
		{name: "log-level", group: groupOutput, kind: choice, on: everywhere, def: "info",
			choices: []string{"debug", "info", "warn", "error"}, help: "least important line that is logged"},
	}
}

// command is one command and its help.
type command struct{ name, help string }

func commands() []command {
	return []command{
		{CommandRun, "the whole pass: rotate what is due, check, report"},
		{CommandPlan, "print what run would do and why; write nothing"},
		{CommandRotate, "rotate what is due, or the named keys"},
		{CommandCheck, "judge spend and failover"},
		{CommandReport, "report spend over a period"},
		{CommandKeys, "list logical keys and their generations; keys unblock NAME reopens the one blocked last"},
		{CommandOpenClaw, "openclaw config prints a configuration from what the proxy serves; openclaw lint FILE judges one"},
		{CommandDoctor, "examine proxy, rights, tokens, targets, Slack and OpenClaw; say how to mend each fault"},
		{CommandServe, "run as a service, on a schedule"},
		{CommandVersion, "print the version"},
	}
}

// jobCommands are the commands for a job in Actions, which has to end.
func jobCommands() []string {
	var names []string
	for _, c := range commands() {
		if c.name != CommandServe {
			names = append(names, c.name)
		}
	}
	return names
}

// variables returns the environment variables of the row, the strongest first.
func (r row) variables() []string {
	if r.on&envSurface == 0 {
		return nil
	}
	if r.env != nil {
		return r.env
	}
	return []string{prefix + strings.ToUpper(strings.ReplaceAll(r.name, "-", "_"))}
}

// ways names every way to give the row besides the file: "input x, flag --x or environment X".
func (r row) ways() string {
	var ways []string
	if r.on&inputSurface != 0 {
		ways = append(ways, "input "+r.name)
	}
	if r.on&flagSurface != 0 {
		ways = append(ways, "flag --"+r.name)
	}
	if vars := r.variables(); vars != nil {
		ways = append(ways, "environment "+vars[0])
	}
	if len(ways) == 1 {
		return ways[0]
	}
	return strings.Join(ways[:len(ways)-1], ", ") + " or " + ways[len(ways)-1]
}

// describe is the help with the default and the choices.
func (r row) describe() string {
	text := r.help
	if r.choices != nil {
		text += ": " + strings.Join(r.choices, ", ")
	}
	if r.def != "" && r.kind != boolean {
		text += " (default: " + r.def + ")"
	}
	return text
}

// field is the row's name in defaults and in a key of the file; "" if it is no policy of a key.
func (r row) field() string {
	name, ok := strings.CutPrefix(r.file, "defaults.")
	if !ok {
		return ""
	}
	return name
}

// single reports whether the row is for the one key of a configuration without keys.
func (r row) single() bool { return r.group == groupKey }

// UnknownVariables names the variables of an environment ("NAME=value") that look like settings and are none: a budget
// that was misspelt is no budget.
func UnknownVariables(environ []string) []string {
	var unknown []string
	for _, e := range environ {
		name, text, _ := strings.Cut(e, "=")
		known := func(r row) bool { return slices.Contains(r.variables(), name) }
		if text != "" && strings.HasPrefix(name, prefix) && !slices.ContainsFunc(table(), known) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
