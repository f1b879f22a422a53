package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

func TestIssuesByLabel(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	for i := range 250 {
		one := githubtest.Issue{Title: fmt.Sprint("issue ", i), Author: "mallory", Labels: []string{"litellm", "x"}}
		switch i % 5 {
		case 1:
			one.PullRequest = true
		case 2:
			one.Labels = []string{"other"}
		case 3:
			one.State = "closed"
		}
		w.server.AddIssue("acme/agents", one)
	}
	found, err := w.Issues(t.Context(), "acme/agents", "litellm")
	if err != nil || len(found) != 150 {
		t.Fatalf("%d issues, %v", len(found), err)
	}
	if !slices.IsSortedFunc(found, func(a, b github.Issue) int { return a.Number - b.Number }) {
		t.Error("not by number")
	}
	if found[0].Author != "mallory" || found[1].State != "closed" || !slices.Equal(found[0].Labels, []string{"litellm", "x"}) {
		t.Errorf("%+v", found[:2])
	}
	if w.Requests() != 2 {
		t.Errorf("%d requests", w.Requests())
	}
	none, err := w.Issues(t.Context(), "acme/agents", "nobody & nothing")
	if none != nil || err != nil {
		t.Error(none, err)
	}
}

func TestManyComments(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.AddIssue("acme/agents", githubtest.Issue{Title: "t"})
	for i := range 101 {
		w.server.AddComment("acme/agents", 1, githubtest.Comment{Body: fmt.Sprint(i), Author: "mallory"})
	}
	found, err := w.Comments(t.Context(), "acme/agents", 1)
	if err != nil || len(found) != 101 || found[100].Body != "100" || found[100].CreatedAt != start {
		t.Fatalf("%d, %v", len(found), err)
	}
	if _, err := w.Comments(t.Context(), "acme/agents", 2); !errors.Is(err, github.NotFound) {
		t.Error(err)
	}
}

func TestEnsureLabel(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	for range 2 {
		if err := w.EnsureLabel(t.Context(), "acme/agents", "good: bad/ugly", "d73a4a", "what it means"); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.server.Labels("acme/agents"); !slices.Equal(got, []string{"good: bad/ugly"}) {
		t.Error(got)
	}
	if err := w.EnsureLabel(t.Context(), "acme/agents", "", "d73a4a", ""); !errors.Is(err, github.Validation) {
		t.Error(err)
	}
	w.server.Inject(githubtest.Fault{Method: http.MethodPost, DropAfter: true})
	if err := w.EnsureLabel(t.Context(), "acme/agents", "another", "d73a4a", ""); err != nil {
		t.Error(err)
	}
}

func TestEditNothingElse(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.AddIssue("acme/agents", githubtest.Issue{Title: "t", Body: "b", State: "closed", Labels: []string{"a"}})
	labels, state := []string{}, "open"
	got, err := w.EditIssue(t.Context(), "acme/agents", 1, github.IssueEdit{Labels: &labels, State: &state})
	if err != nil || got.Title != "t" || got.Body != "b" || got.State != "open" || len(got.Labels) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestViewer(t *testing.T) {
	for name, c := range map[string]struct {
		token githubtest.Token
		login string
		want  string
	}{
		"a person":          {githubtest.Token{Login: "robin"}, "", "robin"},
		"GITHUB_TOKEN":      {githubtest.Token{App: true}, "", "github-actions[bot]"},
		"an app":            {githubtest.Token{App: true, Login: "rotator[bot]"}, "", "rotator[bot]"},
		"an app, login set": {githubtest.Token{App: true, Login: "rotator[bot]"}, "rotator[bot]", "rotator[bot]"},
	} {
		w := newWorld(t, githubtest.Limits{})
		w.server.AddToken(secret.New(fakeToken), c.token)
		w.Login = c.login
		for range 2 {
			if got, err := w.Viewer(t.Context()); got != c.want || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		if w.Requests() > 2 {
			t.Errorf("%s: asked %d times", name, w.Requests())
		}
		made, err := w.CreateIssue(t.Context(), "acme/agents", "t", "b", nil)
		if err != nil || made.Author != c.want {
			t.Errorf("%s: author %q, %v", name, made.Author, err)
		}
	}
	w := newWorld(t, githubtest.Limits{})
	w.Token = secret.New("ghs_" + "of-an-app")
	w.server.AddToken(w.Token, githubtest.Token{App: true, Login: "rotator[bot]"})
	if got, err := w.Viewer(t.Context()); got != "rotator[bot]" || err != nil || w.Requests() != 1 {
		t.Errorf("an app's token by its looks: %q, %v, asked %d times", got, err, w.Requests())
	}
	w = newWorld(t, githubtest.Limits{})
	w.APIURL += "/api/v3"
	w.server.AddToken(secret.New(fakeToken), githubtest.Token{App: true, Login: "rotator[bot]"})
	w.server.Inject(githubtest.Fault{Path: "/api/graphql", Status: 502, Times: 4})
	if _, err := w.Viewer(t.Context()); !errors.Is(err, github.Server) {
		t.Error(err)
	}
	w.server.Inject(githubtest.Fault{Path: "/api/graphql", Status: 403})
	if got, err := w.Viewer(t.Context()); got != github.ActionsLogin || err != nil {
		t.Error(got, err)
	}
	w = newWorld(t, githubtest.Limits{})
	w.server.RevokeToken(w.Token)
	if _, err := w.Viewer(t.Context()); !errors.Is(err, github.BadCredentials) {
		t.Error(err)
	}
}

func TestRepository(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	got, err := w.Repository(t.Context(), "acme", "site")
	if err != nil || got.ID != 8 || got.Visibility != "public" || got.Private || !got.Template || got.Archived || got.DefaultBranch != "main" ||
		!slices.Equal(got.Topics, []string{"openclaw"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, _ := w.Repository(t.Context(), "acme", "agents"); got.Visibility != "private" || !got.Private {
		t.Errorf("%+v", got)
	}
	for i := range 120 {
		w.server.AddRepository(githubtest.Repository{Name: fmt.Sprint("big/r", i), Archived: i == 0, Fork: i == 1})
	}
	all, err := w.OrganizationRepositories(t.Context(), "big")
	if err != nil || len(all) != 120 || !all[0].Archived || !all[1].Fork {
		t.Errorf("%d, %v", len(all), err)
	}
}

func TestDispatch(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	if err := w.Dispatch(t.Context(), "acme/agents", "litellm-key-rotated", map[string]any{"key": "openclaw", "generation": 3}); err != nil {
		t.Fatal(err)
	}
	if err := w.Dispatch(t.Context(), "acme/agents", "litellm-key-rotated", nil); err != nil {
		t.Fatal(err)
	}
	got := w.server.Dispatches("acme/agents")
	if len(got) != 2 || got[0].EventType != "litellm-key-rotated" || got[0].Payload["key"] != "openclaw" || got[1].Payload != nil || got[0].At != start {
		t.Errorf("%+v", got)
	}
}

func TestTokenExpires(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	if _, ok := w.TokenExpires(); ok {
		t.Error("known before anything was asked")
	}
	for _, text := range []string{"2026-04-01 12:00:00 UTC", "2026-04-01 14:00:00 +0200"} {
		w.server.Inject(githubtest.Fault{Header: http.Header{"github-authentication-token-expiration": {text}}})
		if _, err := w.Repository(t.Context(), "acme", "agents"); err != nil {
			t.Fatal(err)
		}
		if at, ok := w.TokenExpires(); !ok || !at.Equal(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)) {
			t.Error(at, ok)
		}
	}
}
