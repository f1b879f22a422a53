package github_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// The one token of these tests, and a value to write.
const (
	fakeToken = "not-a-real-token-for-tests"
	fakeValue = "not-a-real-litellm-key"
)

// start is when these tests happen.
var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// clock is a time that only moves when it is told to; sleeping tells it to.
type clock struct {
	mu     sync.Mutex
	at     time.Time
	sleeps []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sleeps = append(c.sleeps, d)
	c.at = c.at.Add(d)
	return ctx.Err()
}

func (c *clock) slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.sleeps...)
}

// world is a client, the server it talks to, and the time of both.
type world struct {
	*github.Client
	server *githubtest.Server
	clock  *clock
}

func newWorld(t *testing.T, limits githubtest.Limits) *world {
	t.Helper()
	c := &clock{at: start}
	server := githubtest.New(githubtest.Options{Now: c.now, Limits: limits})
	t.Cleanup(func() { _ = server.Close() })
	server.AddRepository(githubtest.Repository{Name: "acme/agents", ID: 7, Environments: []string{"production", "prod/eu west"}})
	server.AddRepository(githubtest.Repository{Name: "acme/site", ID: 8, Visibility: "public", Topics: []string{"openclaw"}, Template: true})
	client := &github.Client{Token: secret.New(fakeToken), APIURL: server.URL(), Now: c.now, Sleep: c.sleep}
	return &world{client, server, c}
}

func (w *world) target(scope github.Scope) *github.SecretTarget {
	return &github.SecretTarget{Client: w.Client, Scope: scope, Name: "LITELLM_API_KEY"}
}

func TestWriteRepositorySecret(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	target := w.target(github.Scope{Repository: "acme/agents"})
	ctx := t.Context()
	if err := target.Preflight(ctx); err != nil {
		t.Fatal(err)
	}
	if stamp, err := target.Stamp(ctx); stamp != "" || err != nil {
		t.Fatalf("stamp of a secret that is not there: %q, %v", stamp, err)
	}
	stamp, own, err := target.Write(ctx, secret.New(fakeValue))
	if err != nil || !own || stamp != "2026-03-14T09:26:53Z" {
		t.Fatalf("got %q, %v, %v", stamp, own, err)
	}
	got, _ := w.server.Secret(githubtest.Scope{Repository: "acme/agents"}, "LITELLM_API_KEY")
	if !got.Equal(secret.New(fakeValue)) {
		t.Fatal("another value is stored")
	}
}

func TestIssueLife(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	ctx := t.Context()
	made, err := w.CreateIssue(ctx, "acme/agents", "Budget", "body", []string{"litellm"})
	if err != nil || made.Number != 1 || made.Author != "octocat" || made.State != "open" {
		t.Fatalf("%+v, %v", made, err)
	}
	body, state := "new body", "closed"
	edited, err := w.EditIssue(ctx, "acme/agents", 1, github.IssueEdit{Body: &body, State: &state})
	if err != nil || edited.Body != body || edited.State != state || edited.Title != "Budget" || strings.Join(edited.Labels, ",") != "litellm" {
		t.Fatalf("%+v, %v", edited, err)
	}
	if _, err := w.CommentOn(ctx, "acme/agents", 1, "a comment"); err != nil {
		t.Fatal(err)
	}
	comments, err := w.Comments(ctx, "acme/agents", 1)
	if err != nil || len(comments) != 1 || comments[0].Body != "a comment" || comments[0].Author != "octocat" {
		t.Fatalf("%+v, %v", comments, err)
	}
	read, err := w.Issue(ctx, "acme/agents", 1)
	if err != nil || read.Body != body || read.URL == "" || !read.UpdatedAt.Equal(start) {
		t.Fatalf("%+v, %v", read, err)
	}
}
