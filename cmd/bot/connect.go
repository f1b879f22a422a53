package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"github.com/org/openclaw-litellm-action/internal/files"
	"github.com/org/openclaw-litellm-action/litellm"
)

// connect makes the clients that the settings name. It contacts nobody.
func (b *bot) connect() error {
	if b.pace == nil {
		b.pace = &paces{now: b.now, sleep: b.sleep}
	}
	transport, err := b.transport()
	if err != nil {
		return err
	}
	b.systems = newSystems()
	b.http = &http.Client{Transport: transport, CheckRedirect: noRedirect}
	b.proxy = &litellm.Client{
		BaseURL: b.set.LiteLLM.BaseURL, Key: b.set.LiteLLM.Key,
		HTTP: &http.Client{Transport: transport}, Now: b.now, Sleep: b.sleep, System: b.systems.litellm,
	}
	secrets, err := b.connectSecrets(transport)
	if err != nil {
		return err
	}
	b.secrets = secrets
	b.issuesAPI = b.githubClient(transport, b.set.GitHub.Token)
	if b.set.InActions {
		b.issuesAPI.Login = "github-actions[bot]"
	}
	return nil
}

// transport trusts the system's certificate authorities and those of ca-file.
func (b *bot) transport() (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if b.dial != nil {
		t.DialContext, t.Proxy = b.dial, nil
	}
	if b.set.LiteLLM.CAFile == "" {
		return t, nil
	}
	pem, err := b.reader(mostCertificates)(b.set.LiteLLM.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the certificate authorities in %q: %w", b.set.From("ca-file"), b.set.LiteLLM.CAFile, files.Reason(err))
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
