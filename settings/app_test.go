package settings

import (
	"strings"
	"testing"
)

// privateKey is a PEM block that looks like an App's key and holds a text.
func privateKey(text string) string {
	kind := "RSA PRIVATE" + " KEY-----\n"
	lines := strings.Repeat("bm90IGEga2V5LCBidXQgaXQgbG9va3MgbGlrZSBvbmUg\n", 2)
	if text == "other" {
		lines = strings.Repeat("YW5vdGhlciB0aGF0IGlzIG5vIGtleSBlaXRoZXIsIHJl\n", 2)
	}
	return "-----BEGIN " + kind + lines + "-----END " + kind
}

func TestAppInPlaceOfAToken(t *testing.T) {
	app := shell().with("SECRETS_TOKEN", "", "OPENCLAW_LITELLM_APP_ID", "4711", "OPENCLAW_LITELLM_APP_PRIVATE_KEY", privateKey("one"))
	s := mustLoad(t, "run", app, nil)
	if s.GitHub.App.ID != "4711" || s.GitHub.App.Key.Reveal() != privateKey("one") || s.GitHub.App.Installation != 0 {
		t.Errorf("got %+v", s.GitHub.App)
	}
	// Some stores hand out line breaks as \n.
	folded := strings.ReplaceAll(strings.TrimSpace(privateKey("one")), "\n", `\n`)
	if s := mustLoad(t, "run", app.with("OPENCLAW_LITELLM_APP_PRIVATE_KEY", folded), nil); s.GitHub.App.Key.Reveal() != privateKey("one") {
		t.Error("a folded key is not unfolded")
	}
	_, err := load("run", app.with("SECRETS_TOKEN", "t"), nil)
	wantFaults(t, err, "environment OPENCLAW_LITELLM_APP_ID: secrets-token is given too, and both write secrets; give one of them")
	_, err = load("run", app.with("OPENCLAW_LITELLM_APP_PRIVATE_KEY", "short"), nil)
	wantFaults(t, err, "environment OPENCLAW_LITELLM_APP_PRIVATE_KEY: the value is no private key in PEM; give the whole file that GitHub made, with its first and last line")
	_, err = load("run", app.with("OPENCLAW_LITELLM_APP_PRIVATE_KEY", ""), nil)
	wantFaults(t, err, "app-private-key: missing, and app-id does nothing without it; give input app-private-key or environment OPENCLAW_LITELLM_APP_PRIVATE_KEY")
}

// TestEveryLineOfAKeyIsASecret wants masks for what the runner sees line by line.
func TestEveryLineOfAKeyIsASecret(t *testing.T) {
	s := mustLoad(t, "run", shell().with("SECRETS_TOKEN", "", "OPENCLAW_LITELLM_APP_ID", "1", "OPENCLAW_LITELLM_APP_PRIVATE_KEY", privateKey("one")), nil)
	line := strings.Split(privateKey("one"), "\n")[1]
	for _, v := range s.Secrets() {
		if v.Reveal() == line {
			return
		}
	}
	t.Error("a line of the key is not among the secrets")
}
