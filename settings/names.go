package settings

import (
	"encoding/pem"
	"regexp"
	"strconv"
	"strings"

	"github.com/org/openclaw-litellm-action/secret"
)

var (
	keyName      = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$`)
	retiredName  = regexp.MustCompile(`\.g[0-9]+$`)
	secretName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	organization = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	repository   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
	ownerName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]{0,199}$`)
	appID        = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	channelName  = regexp.MustCompile(`^[CGD][A-Z0-9]{5,20}$`)
)

// parseKeyName takes what a LiteLLM alias and user id can hold, less the aliases of retired generations.
func parseKeyName(text string) (string, *problem) {
	switch {
	case !keyName.MatchString(text):
		return "", bad("use up to 100 letters, digits, '_', '.' and '-', a letter or digit first", "%s cannot name a key", quote(text))
	case retiredName.MatchString(text):
		return "", bad("choose a name without that ending", "%s ends as the alias of a retired generation does", quote(text))
	}
	return text, nil
}

// parseSecretName takes GitHub's secret names and returns them in upper case, as GitHub stores them.
func parseSecretName(text string) (string, *problem) {
	upper := strings.ToUpper(text)
	switch {
	case !secretName.MatchString(text):
		return "", bad("use letters, digits and '_', no digit first", "%s cannot name a secret", quote(text))
	case strings.HasPrefix(upper, "GITHUB_"):
		return "", bad("choose another name", "GitHub keeps names that start with GITHUB_ to itself, so %s cannot name a secret", quote(text))
	}
	return upper, nil
}

// parseRepository takes owner/name.
func parseRepository(text string) (string, *problem) {
	_, name, _ := strings.Cut(text, "/")
	if !repository.MatchString(text) || name == "." || name == ".." {
		return "", bad("write owner/name", "%s is not a repository", quote(text))
	}
	return text, nil
}

// parseOrganization takes an organisation's login.
func parseOrganization(text string) (string, *problem) {
	if !organization.MatchString(text) {
		return "", bad("write the organization's login", "%s is not an organization", quote(text))
	}
	return text, nil
}

// parseEnvironment takes what GitHub takes: any text of up to 255 bytes without control characters.
func parseEnvironment(text string) (string, *problem) {
	if len(text) > 255 || hasControl(text) {
		return "", bad("write the environment's name", "%s is not an environment", quote(text))
	}
	return text, nil
}

// parseOwner takes a repository or a name of one's own choice.
func parseOwner(text string) (string, *problem) {
	if !ownerName.MatchString(text) {
		return "", bad("use a repository such as acme/agents, or a name of letters, digits, '_', '.', '/' and '-'", "%s cannot name an owner", quote(text))
	}
	return text, nil
}

// parseChannel takes a Slack channel's id. A name would do for posting, but not for editing.
func parseChannel(text string) (string, *problem) {
	if !channelName.MatchString(text) {
		return "", bad("write the channel's id, such as C0123456789, from the end of its details in Slack", "%s is not a channel id", quote(text))
	}
	return text, nil
}

// parseIssueSecret takes what nobody guesses.
func parseIssueSecret(text string) (string, *problem) {
	if len(text) < 16 || hasControl(text) {
		return "", bad("give 16 random characters or more on one line, such as those of openssl rand -hex 32",
			"the secret is too short, or has several lines")
	}
	return text, nil
}

// parsePath takes a file's path.
func parsePath(text string) (string, *problem) {
	switch {
	case hasControl(text) || strings.HasSuffix(text, "/"):
		return "", bad("write the path of a file", "%s is not a file's path", quote(text))
	case strings.Contains(text, "://"):
		return "", bad("write the path of a file on this machine", "the given value is an address, not a file's path")
	}
	return text, nil
}

// parseLabel takes a label of an issue.
func parseLabel(text string) (string, *problem) {
	if hasControl(text) || len([]rune(text)) > 50 {
		return "", bad("write a label of up to 50 characters", "%s is not a label", quote(text))
	}
	return text, nil
}

// parseAppID takes a GitHub App's id, or its client id.
func parseAppID(text string) (string, *problem) {
	if !appID.MatchString(text) {
		return "", bad("write the App's id, such as 123456", "%s is not an App's id", quote(text))
	}
	return text, nil
}

// parseNumber takes an id that GitHub counts up.
func parseNumber(text string) (int64, *problem) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, bad("write a number such as 12345678", "%s is not an id", quote(text))
	}
	return n, nil
}

// parsePrivateKey takes a PEM block, also with \n for line breaks, as some stores of secrets hand it out.
func parsePrivateKey(text string) (secret.Value, *problem) {
	block, _ := pem.Decode([]byte(unfold(text)))
	if block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return secret.Value{}, bad("give the whole file that GitHub made, with its first and last line", "the value is no private key in PEM")
	}
	return secret.New(unfold(text) + "\n"), nil
}

// unfold puts line breaks where a text of one line has \n.
func unfold(text string) string {
	if strings.Contains(text, "\n") {
		return text
	}
	return strings.ReplaceAll(text, `\n`, "\n")
}
