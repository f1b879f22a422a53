package settings

import (
	"slices"
	"strings"

	"github.com/sethvargo/go-githubactions"

	"github.com/org/openclaw-litellm-action/secret"
)

// loader builds Settings from the layers, collecting faults on the way.
type loader struct {
	faults
	line   commandLine
	getenv func(string) string
	action *githubactions.Action // nil outside Actions
	file   *file                 // nil: none
	values map[string]value      // by row
	out    *Settings
}

// Load reads and checks the settings. args are the arguments without the program's name; getenv and readFile stand for
// the process. sandbox is the configuration file used in place of any other under --sandbox; nil leaves Keys empty
// there.
//
// The result is never nil, so that its Secrets can be masked whatever the error. The error is nil, or *Help if help
// was asked for, or Faults with everything wrong at once.
func Load(args []string, getenv func(string) string, readFile func(string) ([]byte, error), sandbox []byte) (*Settings, error) {
	l := &loader{getenv: getenv, out: &Settings{sources: map[string]Source{}}}
	l.out.InActions = getenv("GITHUB_ACTIONS") == "true"
	if l.out.InActions {
		l.action = githubactions.New(githubactions.WithGetenv(getenv))
		l.out.Workspace = getenv("GITHUB_WORKSPACE")
		l.out.Event = getenv("GITHUB_EVENT_NAME")
	}
	l.collectSecrets()
	args, p := l.withCommand(args)
	if l.add(Source{Layer: Input, Name: "command"}, p); p != nil {
		return l.out, l.err()
	}
	line, err := parseArgs(args)
	if err != nil {
		return l.out, err
	}
	l.line, l.out.Command = line, line.command
	if line.command == CommandVersion {
		return l.out, nil
	}
	l.resolve()
	l.readCommand()
	if l.out.SpendLogs != "" {
		l.readForLogs()
		return l.out, l.err()
	}
	if l.out.Command == CommandOpenClaw {
		l.readForOpenClaw(readFile, sandbox)
		return l.out, l.err()
	}
	if p := l.checkEvent(); p != nil && !l.out.Sandbox {
		l.add(Source{Layer: Environment, Name: "GITHUB_EVENT_NAME"}, p)
		return l.out, l.err()
	}
	if l.readConfig(readFile, sandbox) {
		l.resolve()
		l.readAccess()
		l.checkCheckout()
		l.readTelling()
		l.readService()
		l.readOutput()
		l.readKeys()
		l.checkTogether()
	}
	return l.out, l.err()
}

// withCommand puts the input command before the arguments if those start without a command, in Actions.
func (l *loader) withCommand(args []string) ([]string, *problem) {
	if l.action == nil || len(args) > 0 && (!strings.HasPrefix(args[0], "-") || args[0] == "-h" || args[0] == "--help") {
		return args, nil
	}
	cmd := l.action.GetInput("command")
	if cmd == "" {
		cmd = CommandRun
	}
	cmd, p := parseChoice(jobCommands())(cmd)
	return append([]string{cmd}, args...), p
}

// collectSecrets notes every secret that is there to be read, from every layer and also those that lose, before
// anything can print. Under --sandbox they are masked as well, but not used.
func (l *loader) collectSecrets() {
	for _, r := range table() {
		if r.kind != secretText {
			continue
		}
		l.out.inputs = append(l.out.inputs, partsOf(l.inputText(r))...)
		l.noteSecret(l.inputText(r))
		for _, name := range r.variables() {
			l.noteSecret(strings.TrimSpace(l.getenv(name)))
		}
	}
}

// noteSecret notes a secret, if it is not known yet.
func (l *loader) noteSecret(text string) {
	for _, part := range partsOf(text) {
		if !slices.ContainsFunc(l.out.secrets, part.Equal) {
			l.out.secrets = append(l.out.secrets, part)
		}
	}
}

// partsOf returns a secret and, of one with several lines, each line: masks and redaction work line by line.
func partsOf(text string) []secret.Value {
	if text == "" {
		return nil
	}
	parts := []secret.Value{secret.New(text)}
	for _, line := range strings.Split(unfold(text), "\n") {
		if line = strings.TrimSpace(line); line != "" && line != text && !strings.HasPrefix(line, "-----") {
			parts = append(parts, secret.New(line))
		}
	}
	return parts
}

func (l *loader) inputText(r row) string {
	if l.action == nil || r.on&inputSurface == 0 {
		return ""
	}
	return strings.TrimSpace(l.action.GetInput(r.name))
}

// resolve finds for each row the strongest layer that says something.
func (l *loader) resolve() {
	l.values = map[string]value{}
	for _, r := range table() {
		v := l.strongest(r)
		l.values[r.name] = v
		l.out.sources[r.name] = v.src
		if r.kind == secretText {
			l.noteSecret(v.text)
		}
	}
}

func (l *loader) strongest(r row) value {
	if text := l.line.flags[r.name]; text != "" && r.arg {
		return value{text: text, src: Source{Layer: Argument, Name: r.name}}
	} else if text != "" {
		return value{text: text, src: Source{Layer: Flag, Name: r.name}}
	}
	if text := l.inputText(r); text != "" && l.reads(r) {
		return value{text: text, src: Source{Layer: Input, Name: r.name}}
	}
	for _, name := range r.variables() {
		if text := strings.TrimSpace(l.getenv(name)); text != "" && l.reads(r) {
			return value{text: text, src: Source{Layer: Environment, Name: name}}
		}
	}
	if l.file != nil && r.file != "" {
		if v, ok := l.file.values[r.file]; ok {
			return v
		}
	}
	if r.def != "" {
		return value{text: r.def, src: Source{Layer: Default, Name: r.name}}
	}
	return value{src: Source{Name: r.name}}
}

// reads reports whether inputs and environment count for the row. In the sandbox only those about how to run and what
// to print do: its fleet and its addresses are its own.
func (l *loader) reads(r row) bool {
	return !l.out.Sandbox || r.group == groupRun || r.group == groupOutput
}

// readConfig reads the configuration file, if there is one. It returns false if that failed: what the file would have
// said is not known then, and judging the rest would mislead.
func (l *loader) readConfig(readFile func(string) ([]byte, error), sandbox []byte) bool {
	if l.out.Sandbox {
		l.refuseInSandbox()
		if sandbox != nil {
			l.file = parseFile("sandbox", sandbox, &l.faults)
		}
		return true
	}
	named := l.values["config"]
	name, content, p := findFile(named, readFile)
	l.add(named.src, p)
	if p != nil || name == "" {
		return p == nil
	}
	l.out.ConfigFile = name
	l.file = parseFile(name, content, &l.faults)
	if !l.file.doc.broken && l.file.doc.resolve(l.file.doc.body) == nil {
		l.add(Source{Layer: File, Name: name}, bad("write settings into it, such as keys, or remove it", "the file is empty"))
		return false
	}
	return !l.file.doc.broken
}

// refuseInSandbox names what the command line asks for and the sandbox would ignore.
func (l *loader) refuseInSandbox() {
	for _, r := range table() {
		v := l.values[r.name]
		ignored := r.name == "config" || r.kind == address || r.group == groupKey || r.group == groupLiteLLM || r.group == groupGitHub
		if ignored && (v.src.Layer == Flag || r.name == "config" && v.src.Given()) {
			l.add(v.src, bad("leave it out", "the sandbox brings its own configuration"))
		}
	}
}

// read parses a row's value. Nothing given, or a fault, gives the zero value.
func read[T any](l *loader, v value, parse func(string) (T, *problem)) T {
	var zero T
	if v.text == "" {
		return zero
	}
	result, p := parse(v.text)
	if p != nil {
		l.add(v.src, p)
		return zero
	}
	return result
}

// readItems parses a list. Nothing given gives nil; faults are left out.
func readItems[T any](l *loader, v value, parse func(string) (T, *problem)) []T {
	var all []T
	for _, i := range v.list() {
		if i.text == "" {
			l.add(i.src, bad("leave it out or fill it in", "the entry is empty"))
			continue
		}
		result, p := parse(i.text)
		if p != nil {
			l.add(i.src, p)
			continue
		}
		all = append(all, result)
	}
	return all
}
