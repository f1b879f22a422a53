package bench

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

// world is one key with a proxy, a GitHub and a Slack, every request to which is counted.
type world struct {
	bin              string
	env              []string
	dir              string
	proxy            string
	master           string
	user             string
	requests, writes atomic.Int64
}

// buildBot builds the program as users get it.
func buildBot(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bot")
	timed(b, exec.Command("go", "build", "-o", path, "../cmd/bot"))
	return path
}

func newWorld(b *testing.B, bin, proxy, master, name string) *world {
	w := &world{bin: bin, dir: b.TempDir(), proxy: proxy, master: master, user: rotate.HolderID(name)}
	github := githubtest.New(githubtest.Options{})
	slack := slacktest.New(slacktest.Options{})
	b.Cleanup(func() { _ = github.Close(); slack.Close() })
	github.AddRepository(githubtest.Repository{Name: "acme/agents"})
	token := secret.New("ghs_" + "issues")
	github.AddToken(token, githubtest.Token{App: true})
	client := &litellm.Client{BaseURL: proxy, Key: secret.New(master)}
	b.Cleanup(func() { _ = client.DeleteUser(context.Background(), w.user) }) // with its keys
	env := map[string]string{
		"HOME": w.dir, "LITELLM_BASE_URL": w.gate(b, proxy), "LITELLM_MASTER_KEY": master,
		"OPENCLAW_LITELLM_KEY_NAME": name, "OPENCLAW_LITELLM_MAX_BUDGET": "50", "OPENCLAW_LITELLM_BUDGET_DURATION": "monthly",
		"GITHUB_API_URL": w.gate(b, github.URL()), "GITHUB_REPOSITORY": "acme/agents", "GITHUB_TOKEN": token.Reveal(),
		"SECRETS_TOKEN": token.Reveal(), "OPENCLAW_LITELLM_ISSUE_REPOSITORY": "acme/agents",
		"SLACK_API_URL": w.gate(b, strings.TrimSuffix(slack.URL(), "/api/")) + "/api/", "SLACK_BOT_TOKEN": slack.Token().Reveal(),
		"SLACK_CHANNEL": "C0000000001", "OPENCLAW_LITELLM_FAILOVER_WINDOW": "1s",
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		w.env = append(w.env, name+"="+env[name])
	}
	return w
}

// gate counts the requests on their way to upstream.
func (w *world) gate(b *testing.B, upstream string) string {
	to, err := url.Parse(upstream)
	if err != nil {
		b.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/graphql") {
			w.writes.Add(1)
		}
		forward.ServeHTTP(rw, r)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// bot runs the program and returns how long it took.
func (w *world) bot(b *testing.B, command string) time.Duration {
	b.Helper()
	cmd := exec.Command(w.bin, command)
	cmd.Env, cmd.Dir = w.env, w.dir
	return timed(b, cmd)
}

// curl asks for the key's user once, which is the least that a script of one's own would do.
func (w *world) curl(b *testing.B) time.Duration {
	b.Helper()
	return timed(b, exec.Command("curl", "-fsS", "-o", filepath.Join(w.dir, "user.json"),
		"-H", "Authorization: Bearer "+w.master, w.proxy+"/user/info?user_id="+url.QueryEscape(w.user)))
}
