package settings

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/secret"
)

// The commands.
const (
	CommandRun     = "run"
	CommandPlan    = "plan"
	CommandRotate  = "rotate"
	CommandCheck   = "check"
	CommandReport  = "report"
	CommandKeys    = "keys"
	CommandServe   = "serve"
	CommandVersion = "version"
)

// Part is one part of a whole pass.
type Part string

// The parts, in the order in which a pass takes them.
const (
	PartRotate Part = "rotate"
	PartCheck  Part = "check"
	PartReport Part = "report"
)

// Settings is everything the tool is told, checked. Where Load returned an error, only Secrets is to be relied on.
type Settings struct {
	Command          string
	Names            []string // logical keys to work on; nil: all
	Parts            []Part   // what the command does of a whole pass, in order; nil for keys and version
	Now              bool     // of rotate: whatever the age
	Compromised      bool     // rotate, and end the grace of every older generation at once
	Unblock          bool     // keys: reopen the newest retired generation of Names
	DryRun           bool     // true for plan: nothing is written anywhere and nobody is told
	DetailedExitCode bool     // plan: exit with 4 if work is due
	Sandbox          bool     // no outside system is used; LiteLLM, GitHub and Slack are left for the caller to fill
	Period           Period   // of a report
	SpendLogs        string   // report: the export to read, - for standard input; nothing else is asked then; "": none
	Strict           bool     // report: refuse a damaged export

	Format string            // text, markdown, html, json or csv
	Output string            // file for the result; "": standard output
	FailOn *finding.Severity // nil: never
	Log    Log

	OpenClaw       OpenClaw // of the command openclaw
	OpenClawConfig string   // doctor: OpenClaw's configuration to examine; "": none

	LiteLLM   LiteLLM
	GitHub    GitHub
	Slack     Slack
	Heartbeat secret.Value // URL pinged after a good run; zero: none

	Owner string // whose the holders are; "" only for commands that rotate nothing
	// AllowedOwners are those to whom a file in the checkout may have keys and events sent in Actions, besides this
	// repository's own owner for keys; nil: nobody.
	AllowedOwners []string
	Keys          []Key // at least one, but for version and a sandbox without a configuration
	Failover      Failover
	Report        Report
	Schedule      Schedule

	HealthListen string // host:port of the health endpoints; "": none
	StateFile    string // of the service; "": none

	ConfigFile string // the file read; "": none
	InActions  bool
	Workspace  string // GITHUB_WORKSPACE; "" outside Actions
	Event      string // GITHUB_EVENT_NAME; "" outside Actions

	Warnings []string // what is allowed but not wise, one line each

	sources map[string]Source
	secrets []secret.Value
	inputs  []secret.Value // those of secrets that came as inputs
}

// Log is how the log is written.
type Log struct {
	Format string // text or json
	Level  string // debug, info, warn or error
}

// LiteLLM is how the proxy is reached.
type LiteLLM struct {
	BaseURL     string // without a trailing slash and without /v1
	BaseURLFrom Source
	Key         secret.Value   // the master key or a narrow management key
	CAFile      string         // PEM file of further certificate authorities; "": the system's alone
	Timezone    *time.Location // in which the proxy resets budgets; nil: not told
}

// GitHub is how GitHub is reached.
type GitHub struct {
	APIURL       string       // without a trailing slash
	Repository   string       // this repository, owner/name; "": not known
	Token        secret.Value // for issues; zero: none
	SecretsToken secret.Value // writes secrets; zero: none
	App          App          // writes secrets in its place
}

// App is a GitHub App. The zero App is none.
type App struct {
	ID           string       // or its client id
	Key          secret.Value // PEM
	Installation int64        // 0: that of each owner
}

// Slack is how Slack is told. At most one of BotToken and WebhookURL is given.
type Slack struct {
	BotToken   secret.Value
	Channel    string // for BotToken
	WebhookURL secret.Value
	APIURL     string // ends in a slash

	CriticalChannel string // a second one, for BotToken, that hears of what is critical alone; "": none
}

// Key is one logical key and what it should be.
type Key struct {
	Name  string
	Adopt bool // take over an existing key with the alias Name

	MaxBudget      decimal.NullDecimal // US dollars a window; invalid: no limit of its own
	BudgetDuration string              // in LiteLLM's words, right on every release; "": the budget never resets
	Models         []string            // nil: not named
	Options        map[string]any      // key_options in LiteLLM's names: bool, int64, json.Number, string, nil, []any, map[string]any; nil: none
	TeamID         string              // Options["team_id"]; "": none

	RotationInterval time.Duration
	GracePeriod      time.Duration // less than RotationInterval
	MaxGracePeriod   time.Duration // at least GracePeriod
	BlockInUse       bool

	Thresholds []decimal.Decimal // percentages of MaxBudget, rising
	Alerts     Alerts
	Targets    []Target // where the plaintext goes; may be empty where nothing is rotated

	Dispatch string // repository that gets the event litellm-key-rotated; "": none

	// ForEach makes it a key for each of many repositories: Name, Dispatch and Targets have {owner} and {name}. nil: one key.
	ForEach *ForEach
	// Template tells which ForEach the key came from, and RepositoryID for which repository; "" and 0: it is a single key.
	Template     string
	RepositoryID int64

	From Source // where the key is defined
}

// The stores of GitHub secrets.
const (
	StoreActions    = "actions"
	StoreDependabot = "dependabot"
	StoreCodespaces = "codespaces"
)

// Target is one place the plaintext is written to: exactly one of Repository, Organization and File is given.
type Target struct {
	Repository   string   // owner/name
	RepositoryID int64    // GitHub's number of Repository, which survives a renaming; 0: not known
	Environment  string   // of Repository; "": the repository's own secret
	Organization string   // login
	Store        string   // of a secret: StoreActions, StoreDependabot or StoreCodespaces
	Secret       string   // name of the secret, upper case
	Visibility   string   // of an organization's secret: all, private or selected; "": as it is
	File         string   // path of the key file
	Reload       []string // command run after File changed, by absolute path; nil: none
	From         Source
}

// Failover is when failover is worth a finding.
type Failover struct {
	Window       time.Duration // how far back is looked
	FallbackRate float64       // fraction of requests, 0.05 for 5%
	Probe        bool          // check: call each model once
}

// Report is who is told.
type Report struct {
	IssueRepository string       // owner/name of the living issue; "": none
	IssueLabels     []string     // nil: none
	IssueSecret     secret.Value // signs the memory in the issue; zero: LiteLLM.Key does
	AmountsInPublic bool         // amounts of money may be read by everybody
}

// Schedule is when the service works, in cron syntax.
type Schedule struct {
	Run      string
	Report   string         // "": no scheduled report
	Timezone *time.Location // never nil after Load
}

// Secrets returns every secret that was given, whether or not the settings are valid. The caller takes them out of
// everything that it prints.
func (s *Settings) Secrets() []secret.Value { return s.secrets }

// GivenAsInput reports whether v came as an input of the Action, or is a line of one. A runner shows all inputs before
// the step begins, and hides the secrets among them itself.
func (s *Settings) GivenAsInput(v secret.Value) bool { return slices.ContainsFunc(s.inputs, v.Equal) }

// From returns where the setting of that name (max-budget) came from. An unknown name gives the zero Source.
func (s *Settings) From(name string) Source { return s.sources[name] }

// Does reports whether the command does that part.
func (s *Settings) Does(part Part) bool {
	for _, p := range s.Parts {
		if p == part {
			return true
		}
	}
	return false
}
