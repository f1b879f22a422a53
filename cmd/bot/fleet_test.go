package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
)

// calls answers requests by calling a handler: without a network, virtual time knows when everybody waits.
type calls struct{ http.Handler }

func (c calls) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Host = r.URL.Host; in.Body == nil {
		in.Body = http.NoBody
	}
	out := httptest.NewRecorder()
	c.ServeHTTP(out, in)
	return out.Result(), nil
}

// crowd is a program with many keys, each with a repository of its own, in virtual time.
type crowd struct {
	*bot
	github *githubtest.Server
	proxy  *litellmtest.Proxy
}

// newCrowd makes a program that waits by the clock: in a synctest bubble, by a virtual one.
func newCrowd(t *testing.T, keys int) *crowd {
	c := &crowd{
		github: githubtest.New(githubtest.Options{Now: time.Now, Limits: githubtest.GitHubLimits()}),
		proxy:  litellmtest.New(litellmtest.Options{Now: time.Now, NoServer: true}),
	}
	var config strings.Builder
	config.WriteString("defaults: {max_budget: 5, budget_duration: monthly}\nkeys:\n")
	for n := range keys {
		fmt.Fprintf(&config, "- {name: agent-%03d, targets: [{repository: acme/agent-%03d, secret: LITELLM_API_KEY}]}\n", n, n)
		c.github.AddRepository(githubtest.Repository{Name: fmt.Sprintf("acme/agent-%03d", n)})
	}
	env := map[string]string{
		"LITELLM_BASE_URL": "https://litellm.example.com", "LITELLM_MASTER_KEY": c.proxy.MasterKey().Reveal(),
		"GITHUB_API_URL": "https://github.example.com/api/v3", "GITHUB_REPOSITORY": "acme/agents", "SECRETS_TOKEN": "a-token",
	}
	set, err := settings.Load([]string{"rotate"}, func(name string) string { return env[name] }, func(name string) ([]byte, error) {
		if name == "openclaw-litellm.yml" {
			return []byte(config.String()), nil
		}
		return nil, fs.ErrNotExist
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.bot = &bot{process: process{now: time.Now, sleep: sleep, getenv: func(string) string { return "" }}, set: set, known: &secret.Set{}, log: slog.New(slog.DiscardHandler)}
	if err := c.connect(); err != nil {
		t.Fatal(err)
	}
	c.bot.proxy.HTTP = &http.Client{Transport: calls{c.proxy.Handler()}}
	c.secrets.token.HTTP = &http.Client{Transport: calls{c.github.Handler()}}
	return c
}

// shortest is how long GitHub's limits make so many requests of one token take at least.
func shortest(reads, writes int) time.Duration {
	windows := func(n, limit int, window time.Duration) time.Duration { return time.Duration((n-1)/limit) * window }
	return max(
		windows(writes, 80, time.Minute), windows(writes, 500, time.Hour),
		windows(reads+5*writes, 900, time.Minute), windows(reads+writes, 5000, time.Hour),
	)
}

// TestFiveHundredKeys mints and places 500 keys against GitHub's limits: none is met, and hardly any time is lost.
func TestFiveHundredKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, began := newCrowd(t, 500), time.Now()
		for _, o := range c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false) {
			if o.Err != nil || !o.Rotated {
				t.Fatalf("%s: rotated %v, %v", o.Name, o.Rotated, o.Err)
			}
		}
		took := time.Since(began)
		for _, r := range c.github.Requests() {
			if r.Status == http.StatusForbidden || r.Status == http.StatusTooManyRequests {
				t.Fatalf("%s %s was refused for a limit", r.Method, r.Path)
			}
		}
		reads, writes := c.github.Counts()
		least := shortest(reads, writes)
		t.Logf("500 keys, %d reads and %d writes: %s, the limits allow %s", reads, writes, took, least)
		if writes != 500 || took > least*11/10 {
			t.Errorf("%d writes took %s; the limits allow %d reads and as many writes in %s", writes, took, reads, least)
		}
		c.github.ClearLog()
		before := c.bot.proxy.Requests()
		c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false)
		if _, writes := c.github.Counts(); writes != 0 || c.bot.proxy.Requests()-before > 2*5+6 {
			t.Errorf("nothing was due: %d requests to the proxy, %d writes to GitHub", c.bot.proxy.Requests()-before, writes)
		}
	})
}

// TestWritesOfAnHourAreUsedUp wants keys for which there is no room this hour not to be begun, so that none holds its
// claim meanwhile; a run told to stop leaves them alone, and the next one does them.
func TestWritesOfAnHourAreUsedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 25)
		c.secrets.pacer("acme").PerHour = 20
		stop := make(chan struct{})
		c.stop = stop
		time.AfterFunc(30*time.Minute, func() { close(stop) })
		if n := rotatedOf(t, c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false)); n != 20 || len(c.proxy.Keys()) != 20 {
			t.Errorf("%d rotated, %d rows", n, len(c.proxy.Keys()))
		}
		began := time.Now()
		c.stop = nil
		if n := rotatedOf(t, c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false)); n != 5 || len(c.proxy.Keys()) != 25 {
			t.Errorf("%d rotated, %d rows", n, len(c.proxy.Keys()))
		}
		if took := time.Since(began); took > 31*time.Minute {
			t.Errorf("the rest of the hour took %s", took)
		}
	})
}

// TestStopFinishesTheStepInHand stops a run at its first write to GitHub: what has begun is finished, no claim is left,
// and the next run does the rest.
func TestStopFinishesTheStepInHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 30)
		stop := make(chan struct{})
		c.stop = stop
		c.github.Inject(githubtest.Fault{Method: http.MethodPut, Before: func() { close(stop) }})
		n := rotatedOf(t, c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false))
		if n == 0 || n > atOnce || len(c.proxy.Keys()) != n {
			t.Errorf("%d rotated, %d rows", n, len(c.proxy.Keys()))
		}
		p := c.pass(t.Context()) // still told to stop
		r := p.report()
		if said := strings.Join(r.Notes, " "); !strings.Contains(said, "30 of 30 keys were not looked after") || p.exitCode(r) != exitFailed {
			t.Errorf("notes %q, exit code %d", said, p.exitCode(r))
		}
		var printed strings.Builder
		if err := report.Text(&printed, r, report.Options{}); err != nil || !strings.HasPrefix(printed.String(), "rotate  30 keys not looked after\n") {
			t.Errorf("the report begins %.60q, error %v", printed.String(), err)
		}
		c.stop = nil
		if rest := rotatedOf(t, c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false)); rest != 30-n || len(c.proxy.Keys()) != 30 {
			t.Errorf("%d and then %d rotated, %d rows", n, rest, len(c.proxy.Keys()))
		}
	})
}

// TestBarOnATerminal wants a bar where there is a terminal and more than one key, and a line a step elsewhere.
func TestBarOnATerminal(t *testing.T) {
	for _, width := range []int{0, 80} {
		var shown, logged bytes.Buffer
		c := newCrowd(t, 3)
		c.stderr, c.stderrTerminal = newStream(&shown, c.known), terminal{width}
		c.log = slog.New(slog.NewTextHandler(&logged, nil))
		rotatedOf(t, c.rotateKeys(t.Context(), c.readFleet(t.Context(), nil), false))
		if bar := strings.Contains(shown.String(), "3 of 3 keys"); bar != (width > 0) {
			t.Errorf("width %d: %q", width, shown.String())
		}
		if lines := strings.Contains(logged.String(), "minting generation 1"); lines != (width == 0) {
			t.Errorf("width %d: logged %q", width, logged.String())
		}
	}
}

func rotatedOf(t *testing.T, outcomes []rotate.Outcome) int {
	n := 0
	for _, o := range outcomes {
		if o.Err != nil {
			t.Errorf("%s: %v", o.Name, o.Err)
		}
		if o.Rotated {
			n++
		}
	}
	return n
}
