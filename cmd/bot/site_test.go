package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

// buildBot builds the program as users get it and returns where it is, until the test ends.
func buildBot(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bot")
	build := exec.Command("go", "build", "-o", path, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// site is one logical key with everything around it: a proxy, real or in memory, behind a border, with a GitHub and a
// Slack of its own. The program runs in processes of its own, with nothing but an environment.
type site struct {
	*testing.T
	bin  string
	name string          // of the logical key
	look *litellm.Client // to the proxy, not through the border, with the master key
	border
	github *githubtest.Server
	slack  *slacktest.Server
	dir    string // working directory and home of the processes
	env    map[string]string
	places []place
	grace  string          // of the file that fourPlaces writes
	total  decimal.Decimal // what the calls of answers cost

	ahead atomic.Int64             // of GitHub's clock before ours, so that no run meets a stamp of its own second
	pass  func(time.Duration)      // lets time pass for the proxy and what is in it
	spent func(secret.Value) error // calls a model with a key: 0.05 USD

	second func() string // opens another worker on the proxy's database; nil: there is none
}

// place is somewhere the plaintext is to be.
type place struct {
	name string
	held func() secret.Value // zero: nothing
}

const testRepository = "acme/agents"

// newSite prepares the world around a proxy. Without further settings there is one key with 50 USD a month and one
// secret.
func newSite(t *testing.T, bin, proxy string, master secret.Value, name string) *site {
	s := &site{T: t, bin: bin, name: name, dir: t.TempDir(), grace: longGrace}
	s.look = &litellm.Client{BaseURL: proxy, Key: master, HTTP: &http.Client{Transport: &http.Transport{}}}
	s.github = githubtest.New(githubtest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }})
	s.slack = slacktest.New(slacktest.Options{})
	t.Cleanup(func() { s.github.Close(); s.slack.Close(); s.look.HTTP.CloseIdleConnections() })
	s.github.AddRepository(githubtest.Repository{Name: testRepository, Environments: []string{"production"}})
	issues, secrets := secret.New("ghs_"+"issues"), secret.New("github_pat_"+"secrets")
	s.github.AddToken(issues, githubtest.Token{App: true, Permissions: []string{"issues=write"}})
	s.github.AddToken(secrets, githubtest.Token{Permissions: []string{
		"secrets=write", "environments=write", "organization_secrets=write",
	}})
	s.env = map[string]string{
		"HOME": s.dir, "TMPDIR": s.dir,
		"LITELLM_BASE_URL": s.gate(t, "litellm", proxy), "LITELLM_MASTER_KEY": master.Reveal(),
		"GITHUB_API_URL": s.gate(t, "github", s.github.URL()), "GITHUB_REPOSITORY": testRepository,
		"GITHUB_TOKEN": issues.Reveal(), "SECRETS_TOKEN": secrets.Reveal(), "OPENCLAW_LITELLM_ISSUE_REPOSITORY": testRepository,
		"SLACK_API_URL":   s.gate(t, "slack", strings.TrimSuffix(s.slack.URL(), "/api/")) + "/api/",
		"SLACK_BOT_TOKEN": s.slack.Token().Reveal(), "SLACK_CHANNEL": "C0000000001",
		"OPENCLAW_LITELLM_KEY_NAME": name, "OPENCLAW_LITELLM_MAX_BUDGET": "50", "OPENCLAW_LITELLM_BUDGET_DURATION": "monthly",
		// What others do on a shared proxy at the same time is none of this key's findings.
		"OPENCLAW_LITELLM_FAILOVER_WINDOW": "1s",
	}
	s.places = []place{s.secretAt("repository", githubtest.Scope{Repository: testRepository})}
	t.Cleanup(func() { s.wipe() })
	return s
}

// wipe removes everything that the site may have left in the proxy.
func (s *site) wipe() {
	ctx := context.Background()
	for _, v := range s.values() {
		_ = s.look.DeleteKey(ctx, v.SHA256()) // most are gone
	}
	_ = s.look.DeleteUser(ctx, rotate.HolderID(s.name))
}

// secretAt is the secret LITELLM_API_KEY in scope.
func (s *site) secretAt(name string, scope githubtest.Scope) place {
	return place{name, func() secret.Value {
		v, _ := s.github.Secret(scope, "LITELLM_API_KEY")
		return v
	}}
}

// fourPlaces configures targets of four kinds in a file instead of the environment, and more of the key's settings.
func (s *site) fourPlaces(more ...string) {
	file := filepath.Join(s.dir, "litellm.key")
	config := fmt.Sprintf(`keys:
  - name: %s
    max_budget: 50
    budget_duration: monthly
    grace_period: %s
    %s
    targets:
      - {repository: acme/agents, secret: LITELLM_API_KEY}
      - {repository: acme/agents, environment: production, secret: LITELLM_API_KEY}
      - {organization: acme, secret: LITELLM_API_KEY}
      - {file: %s}
`, s.name, s.grace, strings.Join(more, "\n    "), file)
	if err := os.WriteFile(filepath.Join(s.dir, "openclaw-litellm.yml"), []byte(config), 0o600); err != nil {
		s.Fatal(err)
	}
	for _, name := range []string{"KEY_NAME", "MAX_BUDGET", "BUDGET_DURATION", "GRACE_PERIOD"} {
		delete(s.env, "OPENCLAW_LITELLM_"+name)
	}
	s.places = []place{
		s.secretAt("repository", githubtest.Scope{Repository: testRepository}),
		s.secretAt("environment", githubtest.Scope{Repository: testRepository, Environment: "production"}),
		s.secretAt("organization", githubtest.Scope{Organization: "acme"}),
		{"file", func() secret.Value {
			content, _ := os.ReadFile(file)
			return secret.New(strings.TrimSpace(string(content)))
		}},
	}
}

// ran is what came of one process.
type ran struct {
	args        []string
	code        int // -1: killed
	out, errors string
	requests    int
	writes      []crossing
}

func (r ran) String() string {
	return fmt.Sprintf("bot %s: exit %d\n%s%s", strings.Join(r.args, " "), r.code, r.out, r.errors)
}

// start starts the program; wait tells what came of it. The time before it is long enough for another stamp on GitHub.
func (s *site) start(args ...string) (process *os.Process, wait func() ran) {
	s.Helper()
	s.ahead.Add(int64(2 * time.Second))
	cmd := exec.Command(s.bin, args...)
	cmd.Dir = s.dir
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		cmd.Env = append(cmd.Env, name+"="+s.env[name])
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	return cmd.Process, func() ran {
		err := cmd.Wait()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			s.Errorf("running the program: %v", err)
		}
		r := ran{args: args, code: cmd.ProcessState.ExitCode(), out: out.String(), errors: errs.String()}
		for _, v := range s.values() {
			if strings.Contains(r.out+r.errors, v.Reveal()) {
				s.Errorf("bot %v prints a key", args)
			}
		}
		return r
	}
}

// bot runs the program to its end, with its requests counted.
func (s *site) bot(args ...string) ran {
	s.Helper()
	s.reset()
	_, wait := s.start(args...)
	r := wait()
	r.requests, r.writes = s.count()
	return r
}

// must runs the program and fails the test if it does not exit with 0.
func (s *site) must(args ...string) ran {
	s.Helper()
	r := s.bot(args...)
	if r.code != exitOK {
		s.Fatal(r)
	}
	return r
}

// still asserts that a run writes nothing anywhere and asks little.
func (s *site) still(most int, args ...string) ran {
	s.Helper()
	_, before := s.github.Counts()
	messages := len(s.slack.Requests())
	r := s.must(args...)
	if _, after := s.github.Counts(); len(r.writes) > 0 || after != before || len(s.slack.Requests()) != messages {
		s.Errorf("with nothing due it writes: %v\n%s", r.writes, r)
	}
	if r.requests > most {
		s.Errorf("with nothing due: %d requests, want %d at most: %v", r.requests, most, s.crossings())
	}
	return r
}

// holder reads the logical key's holder with its rows.
func (s *site) holder() *litellm.User {
	s.Helper()
	u, err := s.look.User(context.Background(), rotate.HolderID(s.name))
	if err != nil {
		s.Fatalf("reading the holder: %v", err)
	}
	return u
}

// key is what the repository's secret holds.
func (s *site) key() secret.Value { return s.places[0].held() }

// row reads the row of a key.
func (s *site) row(v secret.Value) *litellm.Key {
	s.Helper()
	k, err := s.look.FindKey(context.Background(), v.SHA256())
	if err != nil {
		s.Fatalf("reading a key's row: %v", err)
	}
	return k
}

// call makes one call to a model that costs about 0.05 USD, and returns what it cost.
func (s *site) call(v secret.Value) (decimal.Decimal, error) {
	r, err := s.look.Chat(context.Background(), v, "backup", 20)
	if err != nil {
		return decimal.Zero, err
	}
	return r.Cost, nil
}

// answers asserts that the proxy serves a call with each key, and adds what the calls cost to the total.
func (s *site) answers(keys ...secret.Value) {
	s.Helper()
	for i, v := range keys {
		cost, err := s.call(v)
		if err != nil {
			s.Errorf("a call with key %d of %d: %v", i+1, len(keys), err)
		}
		s.total = s.total.Add(cost)
	}
}

// flushed waits until the holder's spend is what the calls cost, but for what floats add.
func (s *site) flushed() {
	s.Helper()
	var got decimal.Decimal
	for range 60 {
		if got = s.holder().Spend; got.Sub(s.total).Abs().LessThan(decimal.New(1, -6)) {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
	s.Errorf("the holder's spend is %s, the calls cost %s", got, s.total)
}
