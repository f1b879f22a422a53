package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/github/githubtest"
)

// TestAppWritesSecrets rotates with an App that two owners have installed, in place of a token.
func TestAppWritesSecrets(t *testing.T) {
	i := newInside(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA " + "PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	i.env["SECRETS_TOKEN"], i.env["OPENCLAW_LITELLM_APP_ID"], i.env["OPENCLAW_LITELLM_APP_PRIVATE_KEY"] = "", "7", string(text)
	i.github.AddApp(githubtest.App{ID: 7, Key: &key.PublicKey})
	i.github.AddRepository(githubtest.Repository{Name: "globex/agents"})
	i.config = `
keys:
  - name: openclaw
    max_budget: 5
    targets:
      - {repository: acme/agents, secret: LITELLM_API_KEY}
      - {repository: globex/agents, secret: LITELLM_API_KEY}
`
	acme := i.github.Install(7, "acme", githubtest.Token{Permissions: []string{"secrets=write"}})
	if out, _ := i.run(exitUsage, "rotate"); !strings.Contains(strings.Join(strings.Fields(out), " "), "the App is not installed for globex") {
		t.Error(out)
	}
	globex := i.github.Install(7, "globex", githubtest.Token{Permissions: []string{"secrets=write"}})
	out, log := i.run(exitOK, "rotate")
	for _, line := range strings.Split(string(text), "\n")[1:3] {
		if strings.Contains(out+log, line) {
			t.Error("a line of the App's key is shown")
		}
	}
	if i.holds("acme/agents") != "openclaw" || i.holds("globex/agents") != "openclaw" {
		t.Error("the secrets hold other keys")
	}
	if n := i.github.Tokens(acme) + i.github.Tokens(globex); n != 3 { // one a run
		t.Errorf("%d tokens", n)
	}
}
