package settings

import (
	"fmt"
	"slices"
	"strings"
)

// helpWidth is where help wraps.
const helpWidth = 100

// Usage returns the help of a command, or of the tool for "" and for what is no command.
func Usage(cmd string) string {
	var b strings.Builder
	i := slices.IndexFunc(commands(), func(c command) bool { return c.name == cmd })
	if i < 0 {
		cmd = ""
		fmt.Fprintf(&b, "Usage: %s COMMAND [flags]\n\nRotates budgeted LiteLLM keys, places them and watches their spend.\n\nCommands:\n", program)
		for _, c := range commands() {
			writeEntry(&b, c.name, c.help)
		}
	} else {
		fmt.Fprintf(&b, "Usage: %s %s%s [flags]\n\n%s\n", program, cmd, argument(cmd), commands()[i].help)
	}
	if cmd != CommandVersion {
		writeGroups(&b, cmd)
		writeVariables(&b)
	}
	b.WriteString("\nExit codes: 0 done; 1 something failed; 2 invalid settings; 3 a finding at --fail-on; 4 plan found work due.\n")
	return b.String()
}

func argument(cmd string) string {
	for _, r := range table() {
		if r.arg && slices.Contains(r.cmds, cmd) {
			return " [" + strings.ToUpper(strings.TrimSuffix(r.name, "s")) + "...]"
		}
	}
	return ""
}

// writeGroups lists the flags by group: of one command, or for "" of all with the commands that a flag is limited to.
func writeGroups(b *strings.Builder, cmd string) {
	group := ""
	for _, r := range table() {
		if r.on&flagSurface == 0 || cmd != "" && !r.flagOf("") && !r.flagOf(cmd) {
			continue
		}
		if r.group != group {
			group = r.group
			fmt.Fprintf(b, "\n%s:\n", group)
		}
		help := r.describe()
		if cmd == "" && r.cmds != nil {
			help += " [" + strings.Join(r.cmds, ", ") + "]"
		}
		writeEntry(b, "--"+r.name+placeholder(r), help)
	}
}

// placeholder shows what follows a flag.
func placeholder(r row) string {
	switch r.kind {
	case boolean:
		return ""
	case money:
		return "=USD"
	case duration, budgetDuration:
		return "=TIME"
	case list, amounts:
		return "=LIST"
	case percent, percents:
		return "=PERCENT"
	case address:
		return "=URL"
	case cronSpec:
		return "=CRON"
	case choice:
		return "=WORD"
	}
	return "=TEXT"
}

// writeVariables lists what is read from the environment only, and how the others' variables are called.
func writeVariables(b *strings.Builder) {
	fmt.Fprintf(b, "\nEnvironment (other settings: %sMAX_BUDGET for --max-budget and so on):\n", prefix)
	for _, r := range table() {
		if r.on&envSurface != 0 && (r.env != nil || r.kind == secretText) {
			writeEntry(b, strings.Join(r.variables(), ", "), r.help)
		}
	}
}

// writeEntry writes a name and its help, wrapped beside it.
func writeEntry(b *strings.Builder, name, help string) {
	const indent = 30
	line := fmt.Sprintf("  %-*s", indent-2, name)
	if len(name) > indent-4 {
		fmt.Fprintf(b, "  %s\n", name)
		line = strings.Repeat(" ", indent)
	}
	for _, word := range strings.Fields(help) {
		if len(line)+1+len(word) > helpWidth {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", indent)
		}
		if !strings.HasSuffix(line, " ") {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}
