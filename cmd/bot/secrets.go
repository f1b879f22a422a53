package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
)

// secretsAPI is what writes secrets: one token, or an App with a client for each owner.
type secretsAPI struct {
	token *github.Client
	app   *github.App // nil: the token
	pacer func(owner string) *github.Pacer
}

// client returns what may write where owner is.
func (s secretsAPI) client(owner string) *github.Client {
	if s.app != nil {
		return s.app.Client(owner)
	}
	return s.token
}

// requests returns how many requests were sent so far.
func (s secretsAPI) requests() int64 {
	if s.app != nil {
		return s.app.Requests()
	}
	return s.token.Requests()
}

// connectSecrets makes what writes secrets. It contacts nobody.
func (b *bot) connectSecrets(t http.RoundTripper) (secretsAPI, error) {
	app := b.set.GitHub.App
	if app.ID == "" {
		pacer := b.pace.of(b.set.GitHub.SecretsToken.SHA256())
		return secretsAPI{token: b.githubClient(t, b.set.GitHub.SecretsToken), pacer: func(string) *github.Pacer { return pacer }}, nil
	}
	pacer := func(owner string) *github.Pacer {
		if app.Installation != 0 {
			owner = ""
		}
		return b.pace.of("app " + strings.ToLower(owner))
	}
	made, err := github.NewApp(github.AppOptions{
		ID: app.ID, Key: app.Key, Installation: app.Installation, Known: b.known.AddUntil,
		Client: func(owner string) *github.Client {
			c := b.githubClient(t, secret.Value{})
			c.Pace = pacer(owner).Wait
			return c
		},
	})
	if err != nil {
		return secretsAPI{}, fmt.Errorf("%s: %w", b.source("app-private-key"), err)
	}
	return secretsAPI{app: made, pacer: pacer}, nil
}

// githubClient makes a client with a token, and that token's pace.
func (b *bot) githubClient(t http.RoundTripper, token secret.Value) *github.Client {
	return &github.Client{
		Token: token, APIURL: b.set.GitHub.APIURL, HTTP: &http.Client{Transport: t}, Now: b.now, Sleep: b.sleep,
		Pace: b.pace.of(token.SHA256()).Wait, UserAgent: "openclaw-litellm-action/" + version, System: b.systems.github,
	}
}

// secretsSource names the setting that writes secrets.
func (b *bot) secretsSource() string {
	if b.set.GitHub.App.ID != "" {
		return b.source("app-id")
	}
	return b.source("secrets-token")
}

// ownerOf is the organization or person that a secret target belongs to.
func ownerOf(t settings.Target) string {
	if t.Organization != "" {
		return t.Organization
	}
	owner, _, _ := strings.Cut(t.Repository, "/")
	return owner
}

// paces keeps the requests of each credential within GitHub's limits, over all passes of a service.
type paces struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error

	mu    sync.Mutex
	known map[string]*github.Pacer
}

// of returns the pacer of a credential, by whatever name tells it from others.
func (p *paces) of(name string) *github.Pacer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[string]*github.Pacer{}
	}
	if p.known[name] == nil {
		p.known[name] = &github.Pacer{Now: p.now, Sleep: p.sleep}
	}
	return p.known[name]
}

// proxySecrets returns the credentials of the network's proxies, as the variables that net/http reads give them.
func proxySecrets(getenv func(string) string) []secret.Value {
	var all []secret.Value
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		for _, text := range []string{getenv(name), getenv(strings.ToLower(name))} {
			if !strings.Contains(text, "@") {
				continue
			}
			if !strings.Contains(text, "://") {
				text = "http://" + text
			}
			u, err := url.Parse(text)
			if err != nil || u.User == nil {
				all = append(all, secret.New(text)) // net/http refuses it, and says what it refused
				continue
			}
			password, _ := u.User.Password()
			written := text[strings.Index(text, "://")+3 : strings.LastIndex(text, "@")]
			_, escaped, _ := strings.Cut(written, ":")
			for _, form := range []string{password, escaped, u.User.Username() + ":" + password, written} {
				all = append(all, secret.New(form))
			}
		}
	}
	return all
}
