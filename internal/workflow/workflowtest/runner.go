// Package workflowtest reads output as GitHub's runner does, for tests: it is the judge of what is a command, and
// shares nothing with what makes text inert.
package workflowtest

import (
	"strings"
	"unicode"
)

// Command is what the runner made of a line.
type Command struct {
	Name       string
	Properties map[string]string
	Data       string
}

// Commands reads output as GitHub's runner does and returns every command that it sees: ProcessInvoker.cs splits lines
// at CR, LF and CRLF; ActionCommandManager.cs tries TryParseV2 and then TryParse of ActionCommand.cs on each. Any name
// is taken for a registered command: the token of stop-commands can be any.
func Commands(output string) []Command {
	var found []Command
	for _, line := range strings.FieldsFunc(output, func(c rune) bool { return c == '\r' || c == '\n' }) {
		if c, ok := parseV2(line); ok {
			found = append(found, c)
		} else if c, ok := parseV1(line); ok {
			found = append(found, c)
		}
	}
	return found
}

// parseV2 is ActionCommand.TryParseV2.
func parseV2(message string) (Command, bool) {
	message = strings.TrimLeftFunc(message, whiteSpace)
	if !strings.HasPrefix(message, "::") {
		return Command{}, false
	}
	info, data, ok := strings.Cut(message[2:], "::")
	if !ok {
		return Command{}, false
	}
	name, rest, _ := strings.Cut(info, " ")
	unescape := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	return Command{name, properties(strings.TrimSpace(rest), ",", unescape), unescapeData(data)}, true
}

// parseV1 is ActionCommand.TryParse.
func parseV1(message string) (Command, bool) {
	_, rest, ok := strings.Cut(message, "##[")
	if !ok {
		return Command{}, false
	}
	info, data, ok := strings.Cut(rest, "]")
	if !ok {
		return Command{}, false
	}
	name, list, _ := strings.Cut(info, " ")
	unescape := strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")
	return Command{name, properties(list, ";", unescape), unescape.Replace(data)}, true
}

func properties(list, separator string, unescape *strings.Replacer) map[string]string {
	found := map[string]string{}
	for pair := range strings.SplitSeq(list, separator) {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" && value != "" {
			found[name] = unescape.Replace(value)
		}
	}
	return found
}

func unescapeData(data string) string {
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data)
}

// whiteSpace is .NET's Char.IsWhiteSpace.
func whiteSpace(c rune) bool {
	return c >= '\t' && c <= '\r' || c == '\u0085' || unicode.In(c, unicode.Zs, unicode.Zl, unicode.Zp)
}

// CommandsByCulture reads output as a runner might whose comparisons follow a culture: StartsWith and IndexOf of .NET
// see nothing in characters without weight. It also ends lines where other readers of logs do.
func CommandsByCulture(output string) []Command {
	var lines strings.Builder
	for _, c := range output {
		switch {
		case strings.ContainsRune("\v\f\x1c\x1d\x1e\u0085\u2028\u2029", c):
			lines.WriteByte('\n')
		case c == '\r' || c == '\n' || c == '\t':
			lines.WriteRune(c)
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Mn) || c == '\u034f' || c == '\u3164':
		default:
			lines.WriteRune(c)
		}
	}
	return Commands(lines.String())
}
