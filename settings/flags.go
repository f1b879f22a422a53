package settings

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// program is the tool's name in help.
const program = "bot"

// commandLine is what the arguments say.
type commandLine struct {
	command string
	flags   map[string]string // by row, only those given; lists joined by lines
}

// bound is a row whose flag is being parsed into target, a *string, *bool or []string.
type bound struct {
	row    row
	target reflect.Value
}

// parseArgs parses the arguments by flags made from the table. It returns *Help if help was asked for, and Faults if
// the arguments make no sense.
func parseArgs(args []string) (commandLine, error) {
	groups := map[string][]bound{}
	global, options := flagStruct(table(), "", groups), []kong.Option{}
	for _, c := range commands() {
		grammar := flagStruct(table(), c.name, groups)
		options = append(options, kong.DynamicCommand(c.name, c.help, "", grammar))
	}
	helped, about := false, ""
	options = append(options, kong.Name(program), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}),
		kong.Help(func(_ kong.HelpOptions, ctx *kong.Context) error {
			helped = true
			if node := ctx.Selected(); node != nil {
				about = node.Name
			}
			return nil
		}))
	parser, err := kong.New(global, options...)
	if err != nil {
		return commandLine{}, fmt.Errorf("building flags: %w", err)
	}
	ctx, err := parser.Parse(namesFirst(args))
	switch {
	case helped:
		return commandLine{}, &Help{Usage(about)}
	case err != nil:
		return commandLine{}, Faults{usageFault(err.Error())}
	}
	line := commandLine{command: ctx.Selected().Name, flags: map[string]string{}}
	for _, b := range slices.Concat(groups[""], groups[line.command]) {
		if text := flagText(b.target); text != "" {
			line.flags[b.row.name] = text
		}
	}
	return line, nil
}

// namesFirst puts the command and what it is about before the flags: the parser takes no further name after a flag. What
// holds a flag that does not exist stays as it is, for the parser to say so.
func namesFirst(args []string) []string {
	var names, flags []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return slices.Concat(flags, names, args[i:]) // names may look like flags then
		}
		if !strings.HasPrefix(args[i], "-") || args[i] == "-" {
			names = append(names, args[i])
			continue
		}
		flags = append(flags, args[i])
		name, _, whole := strings.Cut(strings.TrimPrefix(args[i], "--"), "=")
		known := slices.IndexFunc(table(), func(r row) bool { return r.name == name && r.on&flagSurface != 0 })
		switch {
		case known < 0 && args[i] != "-h" && name != "help":
			return args
		case known >= 0 && !whole && table()[known].kind != boolean && i+1 < len(args):
			i++
			flags = append(flags, args[i])
		}
	}
	return slices.Concat(names, flags)
}

var (
	gotValue   = regexp.MustCompile(` but got "(?:[^"\\]|\\.)*"(?: \([^)]*\))?`)
	strayWord  = regexp.MustCompile(`^unexpected argument (.*?)(, did you mean.*)?$`)
	plainWord  = regexp.MustCompile(`^[a-z][a-z-]{0,19}$`)
	strangerTo = regexp.MustCompile(`^unknown flag (.*?)(, did you mean.*)?$`)
	plainFlag  = regexp.MustCompile(`^--?[a-z][a-z-]{0,39}$`)
)

// usageFault says what the parser says, less every value: it may be a credential that was given as an argument.
func usageFault(what string) Fault {
	what = gotValue.ReplaceAllString(what, "")
	if m := strayWord.FindStringSubmatch(what); m != nil && !plainWord.MatchString(m[1]) {
		what = "there is an argument that is not expected"
	}
	if m := strangerTo.FindStringSubmatch(what); m != nil && !plainFlag.MatchString(m[1]) {
		what = "there is a flag that is not known"
	}
	if credentialLike(what) {
		what = "an argument is not understood, and holds what may be a credential"
	}
	return Fault{Source{Name: "command line"}, what, "see " + program + " --help"}
}

// flagStruct makes the struct that kong parses a command's own flags into, or for "" those of every command, and notes
// its fields in groups.
func flagStruct(rows []row, cmd string, groups map[string][]bound) any {
	var mine []row
	var fields []reflect.StructField
	for _, r := range rows {
		if !r.flagOf(cmd) {
			continue
		}
		mine = append(mine, r)
		fields = append(fields, reflect.StructField{
			Name: "F" + strconv.Itoa(len(fields)), Type: flagType(r), Tag: flagTag(r)})
	}
	grammar := reflect.New(reflect.StructOf(fields))
	for i, r := range mine {
		groups[cmd] = append(groups[cmd], bound{r, grammar.Elem().Field(i)})
	}
	return grammar.Interface()
}

// flagOf reports whether the row is a flag, or the arguments, of just that command; "" stands for every command.
func (r row) flagOf(cmd string) bool {
	if r.on&flagSurface == 0 && !r.arg {
		return false
	}
	if cmd == "" {
		return r.cmds == nil
	}
	return slices.Contains(r.cmds, cmd)
}

func flagType(r row) reflect.Type {
	switch r.kind {
	case boolean:
		return reflect.TypeFor[*bool]()
	case list, percents, amounts:
		return reflect.TypeFor[[]string]()
	default:
		return reflect.TypeFor[*string]()
	}
}

func flagTag(r row) reflect.StructTag {
	tag := fmt.Sprintf(`name:%q sep:"none"`, r.name)
	if r.arg {
		tag += ` arg:"" optional:""`
	}
	return reflect.StructTag(tag)
}

func flagText(v reflect.Value) string {
	switch target := v.Interface().(type) {
	case *bool:
		if target != nil {
			return strconv.FormatBool(*target)
		}
	case *string:
		if target != nil {
			return strings.TrimSpace(*target)
		}
	case []string:
		return strings.TrimSpace(strings.Join(target, "\n"))
	}
	return ""
}
