package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

func TestKinds(t *testing.T) {
	zero := http.Header{"X-RateLimit-Remaining": {"0"}, "X-RateLimit-Reset": {fmt.Sprint(start.Add(time.Hour).Unix())}}
	for name, c := range map[string]struct {
		fault githubtest.Fault
		want  github.Kind
		text  string
	}{
		"401":                 {githubtest.Fault{Status: 401, Message: "Bad credentials"}, github.BadCredentials, "wrong, revoked or expired"},
		"403":                 {githubtest.Fault{Status: 403, Message: "Resource not accessible by integration"}, github.Forbidden, "not accessible by integration"},
		"403 archived":        {githubtest.Fault{Status: 403, Message: "Repository was archived so is read-only."}, github.Archived, "unarchive"},
		"403 primary":         {githubtest.Fault{Status: 403, Message: "API rate limit exceeded", Header: zero}, github.RateLimited, "try again at 2026-03-14T10:26:54Z"},
		"429 primary":         {githubtest.Fault{Status: 429, Message: "API rate limit exceeded", Header: zero}, github.RateLimited, "try again at 2026-03-14T10:26:54Z"},
		"403 secondary":       {githubtest.Fault{Status: 403, Message: "You have exceeded a secondary rate limit.", Header: http.Header{"Retry-After": {"120"}}}, github.Secondary, "try again at 2026-03-14T09:28:53Z"},
		"429 secondary":       {githubtest.Fault{Status: 429, Message: "Too many requests", Header: http.Header{"Retry-After": {"120"}}}, github.Secondary, "try again at 2026-03-14T09:28:53Z"},
		"429 empty":           {githubtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"120"}}}, github.Secondary, "HTTP 429"},
		"403 wordless":        {githubtest.Fault{Status: 403, Header: http.Header{"Retry-After": {"120"}}}, github.Secondary, "try again"},
		"403 abuse":           {githubtest.Fault{Status: 403, Message: "You have triggered an abuse detection mechanism.", Header: http.Header{"Retry-After": {"120"}}}, github.Secondary, "abuse"},
		"404":                 {githubtest.Fault{Status: 404, Message: "Not Found"}, github.NotFound, "GitHub hides which"},
		"409":                 {githubtest.Fault{Status: 409, Message: "Conflict"}, github.Conflict, "Conflict"},
		"410":                 {githubtest.Fault{Status: 410, Message: "Issues are disabled for this repo"}, github.Gone, "Issues are disabled"},
		"422":                 {githubtest.Fault{Status: 422, Message: "Validation Failed"}, github.Validation, "Validation Failed"},
		"400":                 {githubtest.Fault{Status: 400, Message: "Problems parsing JSON"}, github.Validation, "Problems parsing"},
		"500":                 {githubtest.Fault{Status: 500}, github.Server, "HTTP 500"},
		"502 with a web page": {githubtest.Fault{Status: 502, HTML: true}, github.Server, "HTTP 502"},
		"200 with a web page": {githubtest.Fault{HTML: true}, github.Malformed, "invalid character '<'"},
		"418":                 {githubtest.Fault{Status: 418}, github.Malformed, "HTTP 418"},
		"half an answer":      {githubtest.Fault{HalfAnswer: true}, github.Network, "unexpected EOF"},
		"no answer":           {githubtest.Fault{DropBefore: true}, github.Network, "EOF"},
		"two factors":         {githubtest.Fault{Status: 401, Message: "Must specify two-factor authentication OTP code.", Header: http.Header{"X-GitHub-OTP": {"required; app"}}}, github.BadCredentials, "two-factor"},
	} {
		w := newWorld(t, githubtest.Limits{})
		c.fault.Times = -1
		w.server.Inject(c.fault)
		_, err := w.Issue(t.Context(), "acme/agents", 1)
		var e *github.Error
		if !errors.As(err, &e) || e.Kind != c.want || !errors.Is(err, c.want) || github.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "reading issue 1 of acme/agents: ") || !strings.Contains(text, c.text) || strings.Contains(text, "\n") {
			t.Errorf("%s: %s", name, text)
		}
		if e.Lost {
			t.Errorf("%s: a read is said to be applied", name)
		}
	}
}

func TestValidationTellsTheField(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	_, err := w.CreateIssue(t.Context(), "acme/agents", "title", strings.Repeat("é", github.MaxBody+1), nil)
	if !errors.Is(err, github.Validation) || !strings.Contains(err.Error(), "Issue body custom body is too long") {
		t.Fatal(err)
	}
	if _, err := w.CreateIssue(t.Context(), "acme/agents", "title", strings.Repeat("é", github.MaxBody), nil); err != nil {
		t.Fatal(err)
	}
}

func TestPermissionIsQuoted(t *testing.T) {
	token := secret.New(fakeToken)
	for permission, s := range map[string]github.Scope{
		"secrets=read":                         {Repository: "acme/agents"},
		"environments=read":                    {Repository: "acme/agents", Environment: "production"},
		"dependabot_secrets=read":              {Repository: "acme/agents", Store: github.Dependabot},
		"organization_secrets=read":            {Organization: "acme"},
		"organization_codespaces_secrets=read": {Organization: "acme", Store: github.Codespaces},
	} {
		w := newWorld(t, githubtest.Limits{})
		w.server.AddToken(token, githubtest.Token{Permissions: []string{"issues=write"}})
		var e *github.Error
		if err := w.target(s).Preflight(t.Context()); !errors.As(err, &e) || e.Kind != github.Forbidden || e.AcceptedPermissions != permission || !strings.Contains(err.Error(), permission) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	w := newWorld(t, githubtest.Limits{})
	w.server.AddToken(token, githubtest.Token{Permissions: []string{"secrets=read"}})
	target := w.target(github.Scope{Repository: "acme/agents"})
	if err := target.Preflight(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := target.Write(t.Context(), secret.New(fakeValue)); !errors.Is(err, github.Forbidden) || !strings.Contains(err.Error(), `"secrets=write"`) {
		t.Error(err)
	}
}

func TestUnknownTokenAndHiddenRepository(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.AddToken(secret.New(fakeToken), githubtest.Token{Repositories: []string{"acme/other"}})
	if _, err := w.Repository(t.Context(), "acme", "agents"); !errors.Is(err, github.NotFound) {
		t.Error(err)
	}
	if _, err := w.Repository(t.Context(), "acme", "site"); err != nil {
		t.Error(err)
	}
	w.server.RevokeToken(secret.New(fakeToken))
	if _, err := w.Repository(t.Context(), "acme", "site"); !errors.Is(err, github.BadCredentials) {
		t.Error(err)
	}
}

func TestErrorsLeakNoSecret(t *testing.T) {
	// A server that says the token back in every place an error is made from.
	echo := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			for _, name := range []string{"X-GitHub-Request-Id", "X-Accepted-GitHub-Permissions"} {
				w.Header().Set(name, token)
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"message":%q,"documentation_url":%q,"errors":[{"message":%q}]}`, token, token, token)
		})
	}
	for _, status := range []int{200, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503} {
		server := httptest.NewServer(echo(status))
		c := &clock{at: start}
		client := &github.Client{Token: secret.New(fakeToken), APIURL: server.URL, Now: c.now, Sleep: c.sleep}
		target := &github.SecretTarget{Client: client, Scope: github.Scope{Repository: "acme/agents"}, Name: "K"}
		_, _, errs := target.Write(t.Context(), secret.New(fakeValue))
		_, e2 := client.CreateIssue(t.Context(), "acme/agents", "t", "b", nil)
		for _, err := range []error{errs, e2} {
			text := fmt.Sprintf("%v %+v %#v", err, err, err)
			if strings.Contains(text, fakeToken) || strings.Contains(text, fakeValue) {
				t.Errorf("HTTP %d: %s", status, text)
			}
		}
		server.Close()
	}
	for _, client := range []*github.Client{
		{Token: secret.New("not-a-real\ntoken"), APIURL: "http://127.0.0.1:1"},
		{Token: secret.New(fakeToken), APIURL: "http://" + fakeToken + "@127.0.0.1:1"},
		{Token: secret.New(fakeToken), APIURL: "http://127.0.0.1:1"},
	} {
		client.Sleep = (&clock{}).sleep
		_, err := client.Viewer(t.Context())
		if text := fmt.Sprintf("%v %+v %#v %+v", err, err, err, client.Token); err == nil || strings.Contains(text, "not-a-real") {
			t.Errorf("%s", text)
		}
	}
}

func TestMessagesAreCut(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Inject(githubtest.Fault{Status: 422, Message: "line\x1b[31m\n" + strings.Repeat("long ", 10_000)})
	_, err := w.Issue(t.Context(), "acme/agents", 1)
	if text := err.Error(); len(text) > 700 || strings.ContainsAny(text, "\n\x1b") {
		t.Errorf("%d bytes: %.100q", len(text), text)
	}
}

func TestInvalidRequestsAreNotSent(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	ctx := t.Context()
	for name, try := range map[string]func() error{
		"issues":   func() error { _, err := w.Issues(ctx, "acme", "l"); return err },
		"issue":    func() error { _, err := w.Issue(ctx, "acme/a/b", 1); return err },
		"create":   func() error { _, err := w.CreateIssue(ctx, "/x", "", "", nil); return err },
		"comments": func() error { _, err := w.Comments(ctx, "", 1); return err },
		"comment":  func() error { _, err := w.CommentOn(ctx, "a/..", 1, ""); return err },
		"label":    func() error { return w.EnsureLabel(ctx, "a b/c", "l", "", "") },
		"repo":     func() error { _, err := w.Repository(ctx, "a", "b/c"); return err },
		"org":      func() error { _, err := w.OrganizationRepositories(ctx, "a/b"); return err },
		"dispatch": func() error { return w.Dispatch(ctx, "x", "e", nil) },
		"payload":  func() error { return w.Dispatch(ctx, "acme/agents", "e", func() {}) },
	} {
		if err := try(); !errors.Is(err, github.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.Requests() != 0 {
		t.Error("something was sent")
	}
}

func TestAPIURL(t *testing.T) {
	for address, want := range map[string]string{
		"http://github.example.com":         "in the clear",
		"http://8.8.8.8":                    "in the clear",
		"ftp://127.0.0.1":                   "in the clear",
		"api.github.com":                    "must look like",
		"https://user:pw@ghes.example.com":  "must look like",
		"https://ghes.example.com/api?x=1":  "must look like",
		"https://ghes.example.com/api/v3#x": "must look like",
	} {
		client := &github.Client{APIURL: address}
		if _, err := client.Viewer(t.Context()); !errors.Is(err, github.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for address, want := range map[string]string{
		"":                                 "https://api.github.com/user",
		"https://ghes.example.com/api/v3":  "https://ghes.example.com/api/v3/user",
		"https://ghes.example.com/api/v3/": "https://ghes.example.com/api/v3/user",
		"http://localhost:3000":            "http://localhost:3000/user",
		"http://10.1.2.3:80/api/v3":        "http://10.1.2.3:80/api/v3/user",
		"http://[::1]:80":                  "http://[::1]:80/user",
	} {
		var got string
		client := &github.Client{APIURL: address, Sleep: (&clock{}).sleep, HTTP: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return nil, errors.New("enough")
		})}}
		if _, err := client.Viewer(t.Context()); !errors.Is(err, github.Network) || got != want {
			t.Errorf("%q: asked %q, %v", address, got, err)
		}
	}
}

func TestErrorWithoutCause(t *testing.T) {
	if github.KindOf(nil) != "" || github.KindOf(context.Canceled) != "" {
		t.Error("a kind for no *Error")
	}
	e := &github.Error{Op: "doing", Kind: github.Conflict}
	if e.Error() != "doing: conflict" || e.Unwrap() != nil || errors.Is(e, github.NotFound) {
		t.Error(e)
	}
}
