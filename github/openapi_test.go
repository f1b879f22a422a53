package github_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// described holds every request against GitHub's own description of its API before it goes on.
type described struct {
	t      *testing.T
	router routers.Router
	next   http.RoundTripper

	mu   sync.Mutex
	seen map[string]int // "PUT /repos/{owner}/{repo}/…"
}

// describe reads the description, which GITHUB_OPENAPI names: api.github.com.json of the npm package @octokit/openapi.
func describe(t *testing.T) *described {
	t.Helper()
	path := os.Getenv("GITHUB_OPENAPI")
	if path == "" {
		t.Skip("GITHUB_OPENAPI does not name GitHub's OpenAPI description; .ci/github-openapi fetches it")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "http://github.test"}}
	for path := range doc.Paths.Map() { // some that only differ in a variable's name, which is not allowed
		if strings.Contains(path, "/attestations/") {
			doc.Paths.Delete(path)
		}
	}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(),
		openapi3.DisableSchemaPatternValidation(), openapi3.AllowExtraSiblingFields("description", "type", "nullable"))
	if err != nil {
		t.Fatal(err)
	}
	return &described{t: t, router: router, next: http.DefaultTransport, seen: map[string]int{}}
}

// RoundTrip sends a request, and fails the test if it is not as described. GraphQL has a description of its own.
func (d *described) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/graphql") {
		if err := d.check(r); err != nil {
			d.t.Errorf("%s %s is not as described: %v", r.Method, r.URL.Path, err)
		}
	}
	return d.next.RoundTrip(r)
}

// check returns what the description has against a request.
func (d *described) check(r *http.Request) error {
	asked := r.Clone(r.Context())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body, asked.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
	}
	asked.URL.Scheme, asked.URL.Host, asked.Host = "http", "github.test", "github.test"
	route, vars, err := d.router.FindRoute(asked)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.seen[r.Method+" "+route.Path]++
	d.mu.Unlock()
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: vars, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// TestRequestsAreAsGitHubDescribesThem sends every kind of request that the package knows.
func TestRequestsAreAsGitHubDescribesThem(t *testing.T) {
	d := describe(t)
	w, _, _ := withApp(t, 0)
	w.server.AddPerson("maria")
	w.server.AddRepository(githubtest.Repository{Name: "maria/agents"})
	for _, owner := range []string{"acme", "maria"} {
		w.server.Install(appID, owner, githubtest.Token{})
	}
	w.server.AddToken(w.Token, githubtest.Token{})
	w.HTTP = &http.Client{Transport: d}
	ctx := t.Context()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, s := range scopes() {
		target := w.target(s)
		check("preflight", target.Preflight(ctx))
		_, own, err := target.Write(ctx, secret.New(fakeValue))
		check(fmt.Sprint("write, own ", own), err)
	}
	w.server.SetSecretAudience("acme", "actions", "LITELLM_API_KEY", "selected", []int64{7})
	_, _, err := w.target(github.Scope{Organization: "acme"}).Write(ctx, secret.New(fakeValue))
	check("write for selected repositories", err)
	for _, organization := range []bool{true, false} {
		_, err := w.Repositories(ctx, "acme", organization)
		check("repositories", err)
	}
	check("dispatch", w.Dispatch(ctx, "acme/agents", "litellm-key-rotated", map[string]any{"key": "openclaw", "generation": 2}))
	issue, err := w.CreateIssue(ctx, "acme/agents", "title", "body", []string{"litellm"})
	check("issue", err)
	body, state := "new", "closed"
	_, err = w.EditIssue(ctx, "acme/agents", issue.Number, github.IssueEdit{Body: &body, State: &state})
	check("edit", err)
	_, err = w.CommentOn(ctx, "acme/agents", issue.Number, "text")
	check("comment", err)
	_, err = w.Comments(ctx, "acme/agents", issue.Number)
	check("comments", err)
	_, err = w.Issues(ctx, "acme/agents", "litellm")
	check("issues", err)
	_, err = w.Issue(ctx, "acme/agents", issue.Number)
	check("issue", err)
	_, err = w.Viewer(ctx)
	check("viewer", err)
	app, err := github.NewApp(github.AppOptions{ID: "4711", Key: pemOf(appKey()), Client: func(string) *github.Client {
		return &github.Client{APIURL: w.APIURL, Now: w.Now, Sleep: w.Sleep, HTTP: &http.Client{Transport: d}}
	}})
	check("app", err)
	for _, owner := range []string{"acme", "maria"} {
		_, err := app.Client(owner).Repositories(ctx, owner, false)
		check("the App's repositories", err)
	}
	t.Logf("%d kinds of request", len(d.seen))
	if len(d.seen) < 35 {
		t.Error("some kinds of request were not sent")
	}
	for path, body := range map[string]string{
		"repos/acme/agents/actions/secrets/A": `{"key_id": "1", "encrypted_value": "not base64!"}`,
		"orgs/acme/actions/secrets/A":         `{"key_id": "1", "encrypted_value": "c2VhbGVk"}`,
		"repos/acme/agents/secrets/A":         `{}`,
	} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://github.test/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if d.check(r) == nil {
			t.Errorf("PUT %s with %s is taken for right", path, body)
		}
	}
}
