package settings

import (
	"regexp"
	"strings"
)

// The commands about OpenClaw, and the one that examines everything.
const (
	CommandOpenClaw = "openclaw"
	CommandDoctor   = "doctor"
)

// OpenClaw is what the command openclaw works on.
type OpenClaw struct {
	Lint    string   // the configuration file to judge; "": print one
	Part    string   // what to print: all or provider
	Version string   // of OpenClaw; "": the newest
	Models  []string // to print, the primary first; nil: all

	KeySource string // where OpenClaw finds the key: file, env or store
	KeyFile   string // the file
	KeyName   string // the variable's name, or the store entry's
}

const groupOpenClaw = "OpenClaw"

func openclawRows() []row {
	mine := []string{CommandOpenClaw}
	return []row{
		{name: "part", group: groupOpenClaw, kind: choice, on: everywhere, choices: []string{"all", "provider"}, def: "all", cmds: mine,
			help: "what openclaw config prints"},
		{name: "openclaw-version", group: groupOpenClaw, on: everywhere, cmds: mine,
			help: "the OpenClaw to print or judge for, such as 2026.9.6 (default: the one installed here, or the newest)"},
		{name: "key-source", group: groupOpenClaw, kind: choice, on: everywhere, choices: []string{"file", "env", "store"}, def: "file", cmds: mine,
			help: "where OpenClaw finds the key: in key-file, or as secret-name in its environment or its own store; only file and store follow a rotation"},
		{name: "openclaw-config", group: groupOpenClaw, on: everywhere, cmds: []string{CommandDoctor},
			help: "OpenClaw's configuration, to examine it too (default: the one that OpenClaw itself reads, if there is one)"},
	}
}

// defaultKeyFile is where the container and the examples keep the key.
const defaultKeyFile = "/run/openclaw/litellm.key"

// readForOpenClaw reads what openclaw lint and openclaw config need. lint works without a proxy, and on events that may
// not be trusted it works without one whatever is given.
func (l *loader) readForOpenClaw(readFile func(string) ([]byte, error), sandbox []byte) {
	s := l.out
	refused := l.checkEvent()
	trusted := refused == nil || s.Sandbox
	if names := l.values["names"].list(); !trusted && (len(names) == 0 || names[0].text != "lint") {
		l.add(Source{Layer: Environment, Name: "GITHUB_EVENT_NAME"}, refused)
		return
	}
	lint := l.readOpenClaw()
	if !l.readConfig(readFile, sandbox) {
		return
	}
	l.resolve()
	l.readOutput()
	s.LiteLLM.CAFile = l.text("ca-file", parsePath)
	if s.Sandbox {
		l.readAccess()
		l.readTelling()
		l.readService()
		l.readKeys()
	}
	if s.Sandbox || !trusted {
		return
	}
	s.LiteLLM.BaseURL = strings.TrimRight(strings.TrimSuffix(l.base("litellm-base-url"), "/v1"), "/")
	s.LiteLLM.BaseURLFrom = l.values["litellm-base-url"].src
	s.LiteLLM.Key = l.secret("litellm-master-key")
	s.GitHub.APIURL = l.base("github-api-url")
	for _, name := range []string{"litellm-base-url", "litellm-master-key"} {
		if l.values[name].text == "" && !lint {
			l.missing(name, "missing")
		}
	}
	if s.LiteLLM.BaseURL != "" {
		l.add(s.LiteLLM.BaseURLFrom, checkDestination(s.LiteLLM.BaseURLFrom, s.InActions, l.values["config"].src.Given()))
	}
}

var openclawVersion = regexp.MustCompile(`^v?20\d\d\.\d{1,2}\.\d+([-+][0-9A-Za-z.-]+)?$`)

// parseOpenClawVersion takes a whole release and returns it without a v: what half of one takes is not known.
func parseOpenClawVersion(text string) (string, *problem) {
	if !openclawVersion.MatchString(text) {
		return "", bad("write all of it, such as 2026.9.6", "%s is no release of OpenClaw", quote(text))
	}
	return strings.TrimPrefix(text, "v"), nil
}

// readOpenClaw reads what is to be done, and reports whether it is lint.
func (l *loader) readOpenClaw() bool {
	o, names := &l.out.OpenClaw, readItems(l, l.values["names"], parsePath)
	o.Part = l.choice("part")
	o.Version = l.text("openclaw-version", parseOpenClawVersion)
	o.Models = readItems(l, l.values["models"], parsePath)
	o.KeySource = l.choice("key-source")
	if o.KeyFile = l.text("key-file", parsePath); o.KeyFile == "" {
		o.KeyFile = defaultKeyFile
	}
	if o.KeyName = l.text("secret-name", parseSecretName); o.KeyName == "" {
		o.KeyName = "LITELLM_API_KEY"
	}
	switch {
	case len(names) == 2 && names[0] == "lint":
		o.Lint = names[1]
		return true
	case len(names) == 1 && names[0] == "config":
	default:
		l.add(l.values["names"].src, bad("openclaw config, or openclaw lint FILE", "what to do with OpenClaw is not said"))
	}
	return false
}
