package secret_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/secret"
)

// letters are put together so that no file of the repository holds what looks like a credential.
const letters = "aB3dEfGh1jKlMnOpQrStUvWxYz0123456789"

func pemOf(kind, newline string) string {
	body := strings.Repeat("MIIEow"+letters+letters[:22]+newline, 3) + "QmFzZQ==" + newline
	return "-----BEGIN " + kind + "-----" + newline + body + "-----END " + kind + "-----"
}

func TestCredentialsAreKnownByTheirForm(t *testing.T) {
	key := "sk" + "-" + letters
	tests := map[string]struct {
		text string
		gone []string // what must not be left; nil: letters
		left string   // what must be
	}{
		"GitHub, classic":          {text: "token ghp" + "_" + letters + " is bad", left: "token [redacted] is bad"},
		"GitHub, OAuth":            {text: "gho" + "_" + letters, left: "[redacted]"},
		"GitHub, user":             {text: "x=ghu" + "_" + letters, left: "x=[redacted]"},
		"GitHub, refresh":          {text: "a_ghr" + "_" + letters, left: "a_[redacted]"},
		"GitHub, installation":     {text: "ghs" + "_123_eyJhbGciOi." + letters + ".e-30", left: "[redacted]"},
		"GitHub, fine-grained":     {text: "github" + "_pat_11AA_" + letters, left: "[redacted]"},
		"LiteLLM":                  {text: "key=" + key + ".", left: "key=[redacted]."},
		"LiteLLM in JSON":          {text: `{"key":"` + key + `"}`, left: `{"key":"[redacted]"}`},
		"LiteLLM behind an escape": {text: `a\n` + key + ` and %3D` + key, left: `a\n[redacted] and %3D[redacted]`},
		"LiteLLM, one long word":   {text: "sk" + "-abcdefghijklmnopqrstuv", gone: []string{"efgh"}, left: "[redacted]"},
		"OpenAI":                   {text: "sk" + "-proj-" + letters, left: "[redacted]"},
		"Slack, bot":               {text: "xoxb" + "-1-" + letters, left: "[redacted]"},
		"Slack, refresh":           {text: "xoxe" + ".xoxp" + "-1-" + letters, left: "[redacted]"},
		"Slack, app":               {text: "xapp" + "-1-A0-" + letters, left: "[redacted]"},
		"Slack, webhook": {text: "Post https://hooks.slack.com/services/" + "T0/B0/" + letters + ": EOF",
			left: "Post https://hooks.slack.com/services/[redacted]: EOF"},
		"JWT":                 {text: "eyJ" + letters + ".eyJ" + letters + "." + letters, left: "[redacted]"},
		"PEM":                 {text: "got " + pemOf("RSA "+"PRIVATE KEY", "\n") + "!", left: "got [redacted]!"},
		"PEM escaped":         {text: `{"k":"` + pemOf("PRIVATE"+" KEY", `\n`) + `"}`, left: `{"k":"[redacted]"}`},
		"PEM cut off":         {text: "got " + pemOf("EC "+"PRIVATE KEY", "\n")[:150], left: "got [redacted]"},
		"header":              {text: "Authorization: Bearer " + letters, left: "Authorization: Bearer [redacted]"},
		"short header":        {text: `"authorization":"Bearer a1b2c3"`, gone: []string{"a1b2"}, left: `"authorization":"Bearer [redacted]"`},
		"Go's header":         {text: "map[Authorization:[Basic " + letters + "==]]", left: "map[Authorization:[Basic [redacted]]]"},
		"Basic":               {text: "sent Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+letters)), left: "sent Basic [redacted]"},
		"API key":             {text: "x-api-key: " + letters, left: "x-api-key: [redacted]"},
		"URL":                 {text: `open "https://user:` + letters + `@host/a": no`, left: `open "https://[redacted]@host/a": no`},
		"URL without a user":  {text: "redis://:" + letters + "@host", left: "redis://[redacted]@host"},
		"URL with a token":    {text: "https://" + letters + "@host/x", left: "https://[redacted]@host/x"},
		"URL with @ in it":    {text: "https://user:p@" + letters + "@host/x@y", left: "https://[redacted]@host/x@y"},
		"URL with / in it":    {text: "https://user:p/" + letters + "@host", left: "https://[redacted]@host"},
		"URL after a URL":     {text: "https://a.example,https://u:" + letters + "@b", left: "https://a.example,https://[redacted]@b"},
		"URL, escaped":        {text: "to=" + url.QueryEscape("https://user:"+letters+"@host/a"), left: "to=https%3A%2F%2F[redacted]%40host%2Fa"},
		"URL with a query":    {text: "GET /x?a=1&access_token=" + letters + "&b=2", left: "GET /x?a=1&access_token=[redacted]&b=2"},
		"two in one text":     {text: key + " and " + key, left: "[redacted] and [redacted]"},
		"what is cut already": {text: "Bearer [redacted] ghp" + "_[redacted]", gone: []string{}, left: "Bearer [redacted] ghp" + "_[redacted]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := secret.Scrub(tt.text)
			if got != tt.left {
				t.Errorf("got %q, want %q", got, tt.left)
			}
			gone := tt.gone
			if gone == nil {
				gone = []string{letters[:12], letters[16:]}
			}
			for _, text := range gone {
				if strings.Contains(got, text) {
					t.Errorf("%q is left in %q", text, got)
				}
			}
			if again := secret.Scrub(got); again != got {
				t.Errorf("once more it becomes %q", again)
			}
		})
	}
}

func TestHarmlessTextStays(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	for _, text := range []string{
		"key openclaw.g2 (" + hash + ") and " + hash[:12],
		"GET /key/info?key=" + hash,
		"model sk-learn-random-forest is not served", "task-force-for-quality-2024-report, disk-usage-1234567890123",
		"Received API Key = sk-...ab12, and sk-1234",
		"https://litellm.example.com:4000/v1/models", "https://example.com/users/ada@example.com", "http://host:8080/a@b",
		"write to ada@example.com or see https://example.com", "git@github.com:acme/agents.git",
		"basic authentication is off, bearer token missing, Authorization: Bearer missing",
		"authorization: denied for internationalization", `give it "Secrets: write"`,
		"claude-opus-4-6, bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0, gpt-4o-2024-08-06",
		"-----BEGIN CERTIFICATE-----\nMIIEowaB3dEfGh1jKlMnOpQr\n-----END CERTIFICATE-----",
		"environment LITELLM_MASTER_KEY, ghp_ and github_pat_ are prefixes; xoxb- is another",
		"arn:aws:iam::123456789012:role/openclaw", "C0123456789", "550e8400-e29b-41d4-a716-446655440000",
		"?sort=key&order=asc", "commit 1f0c2b3d4e5f60718293a4b5c6d7e8f901234567", "", "\x00\xff",
	} {
		if got := secret.Scrub(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func FuzzScrub(f *testing.F) {
	for _, seed := range []string{"https://u:p@h", "%3a%2F%2fx%40", "sk-" + strings.Repeat("0", 20), "Bearer ", "-----BEGIN PRIVATE", "?key=", "\xff://@"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := secret.Scrub(text)
		if twice := secret.Scrub(once); twice != once {
			t.Errorf("%q becomes %q and then %q", text, once, twice)
		}
	})
}
