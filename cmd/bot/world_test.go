package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

// stillClock stands still but for those who wait by it. It is safe for concurrent use.
type stillClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *stillClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *stillClock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(max(d, 0))
	return ctx.Err()
}

// world is everything outside of the program, behind servers that note every request and can make any go wrong.
type world struct {
	clock  *stillClock
	proxy  *litellmtest.Proxy
	github *githubtest.Server
	slack  *slacktest.Server
	urls   map[string]string // by system
	dir    string            // the script's directory

	mu       sync.Mutex
	requests []request // since the last command
	faults   []*fault
	secrets  map[string]secret.Value // by what they are
	minted   []secret.Value          // keys that LiteLLM was given for keeping
	servers  []*httptest.Server
	onMint   func(secret.Value) // nil, or called with each new key before LiteLLM has it
}

const (
	home         = "acme/agents"
	slackChannel = "C0000000001"
)

func newWorld() *world {
	w := &world{clock: &stillClock{at: time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)}, urls: map[string]string{}}
	w.proxy = litellmtest.New(litellmtest.Options{Now: w.clock.now, NoServer: true})
	w.github = githubtest.New(githubtest.Options{Now: w.clock.now})
	w.slack = slacktest.New(slacktest.Options{Now: w.clock.now})
	for system, handler := range map[string]http.Handler{"litellm": w.proxy.Handler(), "github": w.github.Handler(), "slack": w.slack} {
		server := httptest.NewServer(w.watched(system, handler))
		w.servers = append(w.servers, server)
		w.urls[system] = server.URL
	}
	_, hook, _ := strings.Cut(w.slack.WebhookURL().Reveal(), "/services/")
	w.secrets = map[string]secret.Value{
		"LITELLM_MASTER_KEY": w.proxy.MasterKey(),
		"GITHUB_TOKEN":       secret.New("ghs_issues-token"),
		"SECRETS_TOKEN":      secret.New("secrets-token-of-a-person"),
		"SLACK_BOT_TOKEN":    w.slack.Token(),
		"WEBHOOK":            secret.New(w.urls["slack"] + "/services/" + hook),
	}
	w.github.AddRepository(githubtest.Repository{Name: home, Environments: []string{"production"}})
	w.github.AddToken(w.secrets["GITHUB_TOKEN"], githubtest.Token{App: true, Permissions: []string{"issues=write"}, Repositories: []string{home}})
	w.github.AddToken(w.secrets["SECRETS_TOKEN"], githubtest.Token{Permissions: []string{"secrets=write", "environments=write"}})
	return w
}

func (w *world) close() {
	for _, s := range w.servers {
		s.CloseClientConnections()
		s.Close()
	}
	w.proxy.Close()
	w.github.Close()
	w.slack.Close()
}

// environment leads the program to this world: a key by environment variables alone, told in Slack and in an issue.
func (w *world) environment() map[string]string {
	return map[string]string{
		clockVariable:                       w.clock.now().Format(time.RFC3339),
		"LITELLM_BASE_URL":                  w.urls["litellm"],
		"LITELLM_MASTER_KEY":                w.secrets["LITELLM_MASTER_KEY"].Reveal(),
		"GITHUB_API_URL":                    w.urls["github"],
		"GITHUB_REPOSITORY":                 home,
		"GITHUB_TOKEN":                      w.secrets["GITHUB_TOKEN"].Reveal(),
		"SECRETS_TOKEN":                     w.secrets["SECRETS_TOKEN"].Reveal(),
		"SLACK_API_URL":                     w.urls["slack"] + "/api/",
		"SLACK_BOT_TOKEN":                   w.secrets["SLACK_BOT_TOKEN"].Reveal(),
		"SLACK_CHANNEL":                     slackChannel,
		"WEBHOOK":                           w.secrets["WEBHOOK"].Reveal(), // for scripts to pass on
		"OPENCLAW_LITELLM_ISSUE_REPOSITORY": home,
		"OPENCLAW_LITELLM_MAX_BUDGET":       "50",
		"OPENCLAW_LITELLM_BUDGET_DURATION":  "monthly",
	}
}

// request is one request that left the program.
type request struct {
	system, method, path, query string
	body                        string
}

// writes reports whether it may have changed something outside.
func (r request) writes() bool {
	reads := r.method == http.MethodGet || r.method == http.MethodHead || strings.HasSuffix(r.path, "/graphql") && !strings.Contains(r.body, "mutation")
	return !reads
}

// watched notes each request to a system, and lets a fault take it.
func (w *world) watched(system string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		body := w.note(system, in)
		f := w.take(system, in)
		if f == nil {
			next.ServeHTTP(out, in)
			return
		}
		f.strike(out, in, body, next)
	})
}

// plaintextKey finds keys in what LiteLLM is sent, but for claims, whose value is no secret.
var plaintextKey = regexp.MustCompile(`sk-[A-Za-z0-9_-]+`)

func (w *world) note(system string, in *http.Request) (body string) {
	body = replayed(in)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, request{system, in.Method, in.URL.EscapedPath(), in.URL.RawQuery, body})
	if _, credential, ok := strings.Cut(in.Header.Get("Authorization"), " "); ok && system == "github" {
		w.secrets["the GitHub credential "+secret.New(credential).SHA256()[:8]] = secret.New(credential)
	}
	if system == "litellm" && in.URL.Path == "/key/generate" {
		for _, text := range plaintextKey.FindAllString(body, -1) {
			if v := secret.New(text); !strings.HasPrefix(text, "sk-ocl-") && !slices.ContainsFunc(w.minted, v.Equal) {
				w.minted = append(w.minted, v)
				if w.onMint != nil {
					w.onMint(v)
				}
			}
		}
	}
	return body
}

// forget begins a new list of requests.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = nil
}

func (w *world) sent() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// everySecret returns what must never be seen, by what it is.
func (w *world) everySecret() map[string]secret.Value {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]secret.Value{}
	for name, v := range w.secrets {
		all[name] = v
	}
	for _, v := range w.minted {
		all["the key "+v.SHA256()[:8]] = v
	}
	return all
}
