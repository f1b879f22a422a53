package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

func seconds(n ...int) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func TestReadsAreRetried(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Inject(githubtest.Fault{Status: 503, Times: 3})
	if _, err := w.Repository(t.Context(), "acme", "agents"); err != nil {
		t.Fatal(err)
	}
	if w.Requests() != 4 || !slices.Equal(w.clock.slept(), seconds(1, 2, 4)) {
		t.Errorf("%d requests, slept %v", w.Requests(), w.clock.slept())
	}
	w.server.Inject(githubtest.Fault{Status: 503, Times: -1})
	if _, err := w.Repository(t.Context(), "acme", "agents"); !errors.Is(err, github.Server) || w.Requests() != 8 {
		t.Errorf("%d requests, %v", w.Requests(), err)
	}
}

func TestCreationsAreNotRetried(t *testing.T) {
	for name, fault := range map[string]githubtest.Fault{
		"lost answer": {DropAfter: true}, "server trouble": {Status: 502}, "half an answer": {HalfAnswer: true},
	} {
		for _, try := range []func(*world) error{
			func(w *world) error {
				_, err := w.CreateIssue(context.Background(), "acme/agents", "t", "b", nil)
				return err
			},
			func(w *world) error { _, err := w.CommentOn(context.Background(), "acme/agents", 1, "c"); return err },
			func(w *world) error { return w.Dispatch(context.Background(), "acme/agents", "e", nil) },
		} {
			w := newWorld(t, githubtest.Limits{})
			w.server.AddIssue("acme/agents", githubtest.Issue{Title: "there"})
			fault.Method = http.MethodPost
			w.server.Inject(fault)
			var e *github.Error
			if err := try(w); !errors.As(err, &e) || !e.Lost || !strings.Contains(err.Error(), "may have been applied") {
				t.Errorf("%s: %v", name, err)
			}
			if w.Requests() != 1 || len(w.clock.slept()) != 0 {
				t.Errorf("%s: %d requests", name, w.Requests())
			}
		}
	}
}

func TestNobodyListening(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := &github.Client{APIURL: server.URL}
	var e *github.Error
	_, err := client.CreateIssue(t.Context(), "acme/agents", "t", "b", nil)
	if !errors.As(err, &e) || e.Kind != github.Network || e.Lost {
		t.Fatalf("%v", err)
	}
}

func TestEditsAreRetried(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.AddIssue("acme/agents", githubtest.Issue{Title: "old"})
	w.server.Inject(githubtest.Fault{Method: http.MethodPatch, DropAfter: true})
	title := "new"
	if i, err := w.EditIssue(t.Context(), "acme/agents", 1, github.IssueEdit{Title: &title}); err != nil || i.Title != title {
		t.Fatal(i, err)
	}
}

func TestRateLimitsAreWaitedFor(t *testing.T) {
	for _, status := range []int{403, 429} {
		w := newWorld(t, githubtest.Limits{})
		w.server.Inject(githubtest.Fault{Method: http.MethodPost, Status: status, Message: "You have exceeded a secondary rate limit",
			Header: http.Header{"Retry-After": {"42"}}})
		if _, err := w.CreateIssue(t.Context(), "acme/agents", "t", "b", nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.clock.slept(), seconds(42)) || len(w.server.Issues("acme/agents")) != 1 {
			t.Errorf("HTTP %d: slept %v", status, w.clock.slept())
		}
	}
}

func TestLongRateLimitIsAnErrorAtOnce(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	limited := githubtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"61"}}, Times: -1}
	w.server.Inject(limited)
	_, err := w.Repository(t.Context(), "acme", "agents")
	var e *github.Error
	if !errors.As(err, &e) || e.RetryAfter != 61*time.Second || !e.ResetAt.Equal(start.Add(61*time.Second)) || len(w.clock.slept()) != 0 {
		t.Fatalf("%v, slept %v", err, w.clock.slept())
	}
	w.MaxWait = 61 * time.Second
	if _, err := w.Repository(t.Context(), "acme", "agents"); !errors.Is(err, github.Secondary) || !slices.Equal(w.clock.slept(), seconds(61, 61, 61)) {
		t.Fatalf("%v, slept %v", err, w.clock.slept())
	}
}

func TestEnforcedLimits(t *testing.T) {
	w := newWorld(t, githubtest.GitHubLimits())
	w.server.AddIssue("acme/agents", githubtest.Issue{Title: "there"})
	for i := range 100 {
		if _, err := w.CommentOn(t.Context(), "acme/agents", 1, fmt.Sprint("comment ", i)); err != nil {
			t.Fatal(i, err)
		}
	}
	if !slices.Equal(w.clock.slept(), seconds(60)) {
		t.Errorf("slept %v", w.clock.slept())
	}
}

func TestPace(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	paced := 0
	w.Pace = func(_ context.Context, write bool) error {
		if write {
			paced++
		}
		return nil
	}
	if _, _, err := w.target(github.Scope{Repository: "acme/agents"}).Write(t.Context(), secret.New(fakeValue)); err != nil || paced != 1 {
		t.Errorf("%d writes paced, %v", paced, err)
	}
	w.server.Inject(githubtest.Fault{Method: http.MethodPut, Status: 500})
	if _, _, err := w.target(github.Scope{Repository: "acme/agents"}).Write(t.Context(), secret.New(fakeValue)); err != nil || paced != 3 {
		t.Errorf("%d writes paced, %v", paced, err)
	}
	w.Pace = func(context.Context, bool) error { return context.Canceled }
	if _, err := w.CreateIssue(t.Context(), "acme/agents", "t", "b", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	w.Sleep = func(context.Context, time.Duration) error { cancel(); return ctx.Err() }
	w.server.Inject(githubtest.Fault{Status: 500, Times: -1})
	_, err := w.Repository(ctx, "acme", "agents")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, github.Server) || w.Requests() != 1 {
		t.Fatal(err)
	}
	if _, err := w.Repository(ctx, "acme", "agents"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestTimerEndsWithTheContext(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.Sleep = nil
	w.server.Inject(githubtest.Fault{Status: 500, Times: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := w.Repository(ctx, "acme", "agents"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestSlowAnswer(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.Timeout = 20 * time.Millisecond
	w.server.Inject(githubtest.Fault{Delay: time.Minute})
	if _, err := w.Repository(t.Context(), "acme", "agents"); err != nil {
		t.Fatal(err)
	}
	if w.Requests() != 2 {
		t.Errorf("%d requests", w.Requests())
	}
}

func TestLargeAnswer(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.AddIssue("acme/agents", githubtest.Issue{Title: "t", Body: strings.Repeat("x", 5000)})
	w.MaxAnswer = 5000
	if _, err := w.Issue(t.Context(), "acme/agents", 1); !errors.Is(err, github.Malformed) || !strings.Contains(err.Error(), "larger than 5000 bytes") {
		t.Error(err)
	}
	w.MaxAnswer = 10_000
	if _, err := w.Issue(t.Context(), "acme/agents", 1); err != nil {
		t.Error(err)
	}
}

// TestLinksInACircle: a list whose pages lead back to each other ends with an error.
func TestLinksInACircle(t *testing.T) {
	requests := 0
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		next := map[string]string{"": "2", "2": "3", "3": "2"}[r.URL.Query().Get("page")]
		w.Header().Set("Link", fmt.Sprintf(`<%s/orgs/acme/repos?page=%s>; rel="next"`, server.URL, next))
		fmt.Fprint(w, "[]")
	}))
	defer server.Close()
	_, err := (&github.Client{APIURL: server.URL}).OrganizationRepositories(t.Context(), "acme")
	if !errors.Is(err, github.Malformed) || !strings.Contains(err.Error(), "go in a circle") || requests != 3 {
		t.Errorf("%d requests: %v", requests, err)
	}
}

// TestAbsurdReset: a limit that is reset in some other age is neither waited for nor wraps around.
func TestAbsurdReset(t *testing.T) {
	for _, header := range []http.Header{
		{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9223372036854775807"}}, {"Retry-After": {"99999999"}}, {"Retry-After": {"1e300"}},
	} {
		w := newWorld(t, githubtest.Limits{})
		w.server.Inject(githubtest.Fault{Status: 403, Header: header, Times: -1})
		_, err := w.Repository(t.Context(), "acme", "agents")
		var e *github.Error
		if !errors.As(err, &e) || e.RetryAfter < 24*time.Hour || e.RetryAfter > 25*time.Hour || w.Requests() != 1 {
			t.Errorf("%v: %d requests, wait %v, %v", header, w.Requests(), e.RetryAfter, err)
		}
	}
}

// TestLastingFaultsAreNotRetried: a certificate that is not trusted is the same a second later.
func TestLastingFaultsAreNotRetried(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, address := range map[string]string{"untrusted": server.URL, "no TLS": strings.Replace(plain.URL, "http:", "https:", 1)} {
		sleeps := 0
		client := &github.Client{APIURL: address, Sleep: func(context.Context, time.Duration) error { sleeps++; return nil }}
		_, err := client.Repository(t.Context(), "acme", "agents")
		if !errors.Is(err, github.Network) || client.Requests() != 1 || sleeps != 0 {
			t.Errorf("%s: %d requests, %v", name, client.Requests(), err)
		}
	}
}
