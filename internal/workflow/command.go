package workflow

import (
	"crypto/rand"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// shortestMask is the length below which a line of a secret is not masked: a bracket alone would mask half of the log.
const shortestMask = 6

// Command returns the line, with its end, that gives the runner a command: "error", "warning" or "notice". Whatever is
// in properties and message, it is one line and one command.
func Command(name string, properties map[string]string, message string) string {
	inert := githubactions.CommandProperties{}
	for key, value := range properties {
		inert[key] = Text.Inert(value)
	}
	return line(&githubactions.Command{Name: name, Properties: inert, Message: Text.Inert(message)})
}

// Masks returns the lines, with their ends, that make the runner hide a secret in everything it logs from then on: one
// for each line of it, because the runner logs line by line. They hold the secret: they go to the runner and nowhere
// else.
func Masks(secret string) []string {
	if !strings.ContainsAny(secret, "\r\n") {
		return []string{mask(secret)}
	}
	var masks []string
	for _, part := range strings.FieldsFunc(secret, func(c rune) bool { return c == '\r' || c == '\n' }) {
		if part = strings.TrimSpace(part); len(part) >= shortestMask && !strings.HasPrefix(part, "-----") {
			masks = append(masks, mask(part))
		}
	}
	return masks
}

func mask(secret string) string {
	return line(&githubactions.Command{Name: "add-mask", Message: secret})
}

func line(c *githubactions.Command) string { return c.String() + githubactions.EOF }

// Output returns the lines that set an output of the step, or a variable, in the file that the runner gives for it. The
// delimiter is random, so that no value can end itself and set another.
func Output(name, value string) string {
	delimiter := "end_" + rand.Text()
	return name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n"
}
