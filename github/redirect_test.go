package github_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

func TestRenamedRepository(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.RenameRepository("acme/agents", "acme/robots")
	r, err := w.Repository(t.Context(), "acme", "agents")
	if err != nil || r.FullName != "acme/robots" || r.ID != 7 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, s := range []github.Scope{
		{Repository: "acme/agents"}, {Repository: "acme/agents", Store: github.Dependabot}, {Repository: "acme/agents", Environment: "prod/eu west"},
	} {
		if _, own, err := w.target(s).Write(t.Context(), secret.New(fakeValue)); err != nil || !own {
			t.Fatalf("%+v: %v, %v", s, own, err)
		}
		s.Repository = "acme/robots"
		if got, _ := w.server.Secret(there(s), "LITELLM_API_KEY"); !got.Equal(secret.New(fakeValue)) {
			t.Errorf("%+v holds another value", s)
		}
	}
	if i, err := w.CreateIssue(t.Context(), "acme/agents", "title", "body", nil); err != nil || i.Body != "body" {
		t.Fatalf("%+v, %v", i, err)
	}
	title := "new"
	if i, err := w.EditIssue(t.Context(), "acme/agents", 1, github.IssueEdit{Title: &title}); err != nil || i.Title != title {
		t.Fatalf("%+v, %v", i, err)
	}
}

func TestTokenStaysHome(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		for _, to := range []string{other.URL + "/repos/acme/agents", strings.Replace(other.URL, "http", "https", 1), "https://api.github.com.evil.example/"} {
			w := newWorld(t, githubtest.Limits{})
			w.server.Inject(githubtest.Fault{Redirect: to, Status: status, Times: -1})
			if _, err := w.Repository(t.Context(), "acme", "agents"); !errors.Is(err, github.Redirected) || !strings.Contains(err.Error(), "refusing to send the token to") {
				t.Errorf("HTTP %d: %v", status, err)
			}
			if _, err := w.CreateIssue(t.Context(), "acme/agents", "t", "b", nil); !errors.Is(err, github.Redirected) {
				t.Errorf("HTTP %d: %v", status, err)
			}
			if w.Requests() != 2 {
				t.Errorf("HTTP %d: %d requests", status, w.Requests())
			}
		}
	}
	if elsewhere != 0 {
		t.Errorf("%d requests went elsewhere", elsewhere)
	}
}

func TestLinkToAnotherHostIsNotFollowed(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "<"+other.URL+`/issues?page=2>; rel="next"`)
		_, _ = w.Write([]byte("[]"))
	}))
	defer server.Close()
	client := &github.Client{Token: secret.New(fakeToken), APIURL: server.URL}
	if _, err := client.Issues(t.Context(), "acme/agents", "l"); !errors.Is(err, github.Redirected) || elsewhere != 0 {
		t.Errorf("%d requests, %v", elsewhere, err)
	}
}

func TestSameHostInTheClearIsAnotherHost(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Inject(githubtest.Fault{Redirect: strings.Replace(w.APIURL, "http:", "https:", 1) + "/user"})
	if _, err := w.Viewer(t.Context()); !errors.Is(err, github.Redirected) {
		t.Error(err)
	}
}

func TestBodyIsSentAgain(t *testing.T) {
	var bodies []string
	client := &github.Client{HTTP: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		text, err := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.URL.Path+" "+string(text))
		resp := &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody, Request: r}
		if len(bodies) == 1 {
			resp.StatusCode = 301
			resp.Header.Set("Location", "/repositories/7/dispatches")
		}
		return resp, err
	})}}
	if err := client.Dispatch(t.Context(), "acme/agents", "e", nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"POST /repos/acme/agents/dispatches {\"event_type\":\"e\"}\n", "POST /repositories/7/dispatches {\"event_type\":\"e\"}\n"}
	if !slices.Equal(bodies, want) {
		t.Errorf("%q", bodies)
	}
}

func TestRedirectsInCircles(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Inject(githubtest.Fault{Redirect: "/repos/acme/agents", Times: -1})
	if _, err := w.Repository(t.Context(), "acme", "agents"); !errors.Is(err, github.Redirected) || w.Requests() != 4 {
		t.Errorf("%d requests, %v", w.Requests(), err)
	}
}

func TestRedirectWithoutLocation(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Inject(githubtest.Fault{Status: 301, Message: "Moved Permanently"})
	if _, err := w.Repository(t.Context(), "acme", "agents"); !errors.Is(err, github.Malformed) {
		t.Error(err)
	}
}
