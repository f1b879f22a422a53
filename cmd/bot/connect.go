package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/litellm"
)

// pace keeps the writes of each token within GitHub's limits, over all passes of a service.
type pace struct{ secrets, issues *github.Pacer }

func (b *bot) newPace() pace {
	p := &github.Pacer{Now: b.now, Sleep: b.sleep}
	if b.set.GitHub.SecretsToken.Equal(b.set.GitHub.Token) {
		return pace{p, p}
	}
	return pace{p, &github.Pacer{Now: b.now, Sleep: b.sleep}}
}

// connect makes the clients that the settings name. It contacts nobody.
func (b *bot) connect() error {
	if b.pace.secrets == nil {
		b.pace = b.newPace()
	}
	transport, err := b.transport()
	if err != nil {
		return err
	}
	b.http = &http.Client{Transport: transport, CheckRedirect: noRedirect}
	b.proxy = &litellm.Client{
		BaseURL: b.set.LiteLLM.BaseURL, Key: b.set.LiteLLM.Key,
		HTTP: &http.Client{Transport: transport}, Now: b.now, Sleep: b.sleep,
	}
	api := func() *github.Client {
		return &github.Client{
			APIURL: b.set.GitHub.APIURL, HTTP: &http.Client{Transport: transport}, Now: b.now, Sleep: b.sleep,
			UserAgent: "openclaw-litellm-action/" + version,
		}
	}
	b.secretsAPI, b.issuesAPI = api(), api()
	b.secretsAPI.Pace, b.issuesAPI.Pace = b.pace.secrets.Wait, b.pace.issues.Wait
	b.secretsAPI.Token, b.issuesAPI.Token = b.set.GitHub.SecretsToken, b.set.GitHub.Token
	if b.set.InActions {
		b.issuesAPI.Login = "github-actions[bot]"
	}
	return nil
}

// transport trusts the system's certificate authorities and those of ca-file.
func (b *bot) transport() (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if b.set.LiteLLM.CAFile == "" {
		return t, nil
	}
	pem, err := b.readFile(b.set.LiteLLM.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the certificate authorities: %w", b.set.From("ca-file"), err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s holds no PEM certificate; give the proxy's certificate authority", b.set.From("ca-file"), b.set.LiteLLM.CAFile)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// noRedirect stops at the first redirect: Go sends bodies again on a 307, to whatever host it names.
func noRedirect(*http.Request, []*http.Request) error {
	return errors.New("the address redirects; give the address it leads to")
}
