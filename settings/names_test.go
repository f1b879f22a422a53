package settings

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	const (
		key     = " cannot name a key; use up to 100 letters, digits, '_', '.' and '-', a letter or digit first"
		retired = " ends as the alias of a retired generation does; choose a name without that ending"
		sec     = " cannot name a secret; use letters, digits and '_', no digit first"
		repo    = " is not a repository; write owner/name"
		channel = " is not a channel id; write the channel's id, such as C0123456789, from the end of its details in Slack"
		owner   = " cannot name an owner; use a repository such as acme/agents, or a name of letters, digits, '_', '.', '/' and '-'"
	)
	for _, tt := range []struct {
		parse            func(string) (string, *problem)
		text, want, told string
	}{
		{parseKeyName, "ci-prod_2.eu", "ci-prod_2.eu", ""},
		{parseKeyName, strings.Repeat("a", 100), strings.Repeat("a", 100), ""},
		{parseKeyName, "-ci", "", `"-ci"` + key},
		{parseKeyName, "openclaw/ci", "", `"openclaw/ci"` + key},
		{parseKeyName, "openclaw.g12", "", `"openclaw.g12"` + retired},
		{parseSecretName, "litellm_key_2", "LITELLM_KEY_2", ""},
		{parseSecretName, "2KEYS", "", `"2KEYS"` + sec},
		{parseSecretName, "MY-KEY", "", `"MY-KEY"` + sec},
		{parseSecretName, "github_key", "", `GitHub keeps names that start with GITHUB_ to itself, so "github_key" cannot name a secret; choose another name`},
		{parseRepository, "acme/agents.js", "acme/agents.js", ""},
		{parseRepository, "acme", "", `"acme"` + repo},
		{parseRepository, "acme/..", "", `"acme/.."` + repo},
		{parseRepository, "acme/a/b", "", `"acme/a/b"` + repo},
		{parseRepository, "https://github.com/acme/agents", "", "the given value" + repo},
		{parseOrganization, "acme-corp", "acme-corp", ""},
		{parseOrganization, "acme/agents", "", `"acme/agents" is not an organization; write the organization's login`},
		{parseEnvironment, "prod/eu west", "prod/eu west", ""},
		{parseEnvironment, "a\tb", "", `"a\tb" is not an environment; write the environment's name`},
		{parseOwner, "acme/agents", "acme/agents", ""},
		{parseOwner, "a b", "", `"a b"` + owner},
		{parseChannel, "C0123456789", "C0123456789", ""},
		{parseChannel, "#general", "", `"#general"` + channel},
		{parsePath, "/run/key", "/run/key", ""},
		{parsePath, "keys/", "", `"keys/" is not a file's path; write the path of a file`},
		{parseLabel, "good first issue", "good first issue", ""},
		{parseLabel, strings.Repeat("x", 51), "", `"` + strings.Repeat("x", 51) + `" is not a label; write a label of up to 50 characters`},
	} {
		got, p := tt.parse(tt.text)
		if got != tt.want || told(p) != tt.told {
			t.Errorf("%q = %q, %q; want %q, %q", tt.text, got, told(p), tt.want, tt.told)
		}
	}
}
