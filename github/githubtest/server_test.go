package githubtest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

const fakeToken = "not-a-real-token-for-tests"

// api sends requests to a server whose clock stands still.
type api struct {
	t   *testing.T
	s   *githubtest.Server
	now time.Time
}

func newAPI(t *testing.T, limits githubtest.Limits) *api {
	a := &api{t: t, now: time.Date(2026, 3, 14, 9, 26, 53, 589, time.UTC)}
	a.s = githubtest.New(githubtest.Options{Now: func() time.Time { return a.now }, Limits: limits})
	a.s.AddRepository(githubtest.Repository{Name: "acme/agents", Environments: []string{"prod/eu"}})
	return a
}

// do sends body, marshalled, and returns status and answer.
func (a *api) do(method, path string, body any) (int, map[string]any, http.Header) {
	a.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	if text, ok := body.(string); ok {
		raw = []byte(text)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Header.Set("Authorization", "Bearer "+fakeToken)
	w := httptest.NewRecorder()
	a.s.Handler().ServeHTTP(w, r)
	var answer map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &answer)
	return w.Code, answer, w.Header()
}

// expect fails the test unless a request is answered with status and words.
func (a *api) expect(status int, words, method, path string, body any) {
	a.t.Helper()
	got, answer, _ := a.do(method, path, body)
	if text := fmt.Sprint(answer); got != status || !strings.Contains(text, words) {
		a.t.Errorf("%s %s: %d %s, want %d with %q", method, path, got, text, status, words)
	}
}

// sealed returns the body that writes value to the secrets at path.
func (a *api) sealed(path, value string) map[string]any {
	a.t.Helper()
	_, key, _ := a.do("GET", path+"/public-key", nil)
	raw, err := base64.StdEncoding.DecodeString(fmt.Sprint(key["key"]))
	if err != nil || len(raw) != 32 {
		a.t.Fatal(key, err)
	}
	public := [32]byte(raw)
	text, err := box.SealAnonymous(nil, []byte(value), &public, rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return map[string]any{"key_id": key["key_id"], "encrypted_value": base64.StdEncoding.EncodeToString(text)}
}

const (
	repoSecrets = "/repos/acme/agents/actions/secrets"
	envSecrets  = "/repos/acme/agents/environments/prod%2Feu/secrets"
	orgSecrets  = "/orgs/acme/actions/secrets"
)

func TestSecretLife(t *testing.T) {
	for _, prefix := range []string{"", "/api/v3"} {
		for path, scope := range map[string]githubtest.Scope{
			repoSecrets: {Repository: "acme/agents"},
			envSecrets:  {Repository: "acme/agents", Environment: "prod/eu"},
		} {
			a := newAPI(t, githubtest.Limits{})
			a.expect(404, "Not Found", "GET", prefix+path+"/K", nil)
			a.expect(201, "", "PUT", prefix+path+"/K", a.sealed(path, "one"))
			a.now = a.now.Add(time.Minute)
			a.expect(204, "", "PUT", prefix+path+"/k", a.sealed(path, "two"))
			a.expect(200, "created_at:2026-03-14T09:26:53Z name:K updated_at:2026-03-14T09:27:53Z", "GET", prefix+path+"/K", nil)
			if got, ok := a.s.Secret(scope, "K"); !ok || !got.Equal(secret.New("two")) {
				t.Errorf("%s: another value is stored, or none: %v", path, ok)
			}
			if at := a.s.SecretUpdated(scope, "K"); !at.Equal(a.now.Truncate(time.Second)) {
				t.Error(at)
			}
		}
	}
}

func TestSecretRefusals(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	good := a.sealed(repoSecrets, "value")
	a.expect(422, "alphanumeric", "PUT", repoSecrets+"/A-B", good)
	a.expect(422, "alphanumeric", "PUT", repoSecrets+"/9A", good)
	a.expect(422, "GITHUB_", "PUT", repoSecrets+"/github_x", good)
	a.expect(422, "key_id", "PUT", envSecrets+"/K", good) // another scope's key
	a.expect(422, "key_id", "PUT", "/repos/acme/agents/dependabot/secrets/K", good)
	a.expect(422, "48 KB", "PUT", repoSecrets+"/K", a.sealed(repoSecrets, strings.Repeat("x", 48*1024+1)))
	a.expect(201, "", "PUT", repoSecrets+"/K", a.sealed(repoSecrets, strings.Repeat("x", 48*1024)))
	a.expect(422, "improperly encrypted", "PUT", repoSecrets+"/K", map[string]any{"key_id": good["key_id"], "encrypted_value": "bm9wZQ=="})
	a.expect(422, "base64", "PUT", repoSecrets+"/K", map[string]any{"key_id": good["key_id"], "encrypted_value": "no base64"})
	a.expect(400, "parsing JSON", "PUT", repoSecrets+"/K", "{")
	a.expect(404, "", "PUT", "/repos/acme/agents/environments/other/secrets/K", good)
	a.expect(404, "", "GET", "/repos/acme/agents/environments/prod/eu/secrets/K", nil)
	a.expect(404, "", "PUT", "/repos/acme/other/actions/secrets/K", good)
	a.s.RotatePublicKey(githubtest.Scope{Repository: "acme/agents"})
	a.expect(422, "key_id", "PUT", repoSecrets+"/K", good)
}

func TestSecretCount(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	body := a.sealed(repoSecrets, "value")
	for i := range 100 {
		a.expect(201, "", "PUT", fmt.Sprintf("%s/K%d", repoSecrets, i), body)
	}
	a.expect(422, "maximum of 100", "PUT", repoSecrets+"/K100", body)
	a.expect(204, "", "PUT", repoSecrets+"/K99", body)
}

func TestOrganizationSecrets(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	a.s.AddOrganization("lonely")
	a.expect(200, "key_id", "GET", "/orgs/lonely/codespaces/secrets/public-key", nil)
	a.expect(404, "", "GET", "/orgs/nobody/actions/secrets/public-key", nil)
	body := a.sealed(orgSecrets, "value")
	a.expect(422, "visibility", "PUT", orgSecrets+"/K", body)
	body["visibility"] = "selected"
	body["selected_repository_ids"] = []int64{5, 6}
	a.expect(201, "", "PUT", orgSecrets+"/K", body)
	a.expect(200, "visibility:selected", "GET", orgSecrets+"/K", nil)
	a.expect(200, "repositories:[map[id:5] map[id:6]]", "GET", orgSecrets+"/K/repositories", nil)
	body["visibility"] = "all"
	a.expect(422, "selected_repository_ids", "PUT", orgSecrets+"/K", body)
	delete(body, "selected_repository_ids")
	a.expect(204, "", "PUT", orgSecrets+"/K", body)
	a.expect(409, "", "GET", orgSecrets+"/K/repositories", nil)
	a.expect(404, "", "GET", orgSecrets+"/OTHER/repositories", nil)
}

func TestTouch(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	scope := githubtest.Scope{Organization: "acme"}
	a.s.Touch(githubtest.Scope{Organization: "nobody"}, "K", secret.New("x"))
	a.s.Touch(scope, "K", secret.New("somebody's"))
	a.s.SetSecretAudience("acme", "", "K", "all", nil)
	a.now = a.now.Add(time.Hour)
	a.s.Touch(scope, "K", secret.New("somebody's"))
	a.expect(200, "updated_at:2026-03-14T10:26:53Z visibility:all", "GET", orgSecrets+"/K", nil)
}

func TestIssueRefusals(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	a.expect(422, "missing_field", "POST", "/repos/acme/agents/issues", map[string]any{})
	a.expect(422, "too long", "POST", "/repos/acme/agents/issues", map[string]any{"title": "t", "body": strings.Repeat("x", 65537)})
	a.expect(201, "number:1", "POST", "/repos/acme/agents/issues", map[string]any{"title": "t", "body": strings.Repeat("é", 65536)})
	a.expect(422, "invalid", "PATCH", "/repos/acme/agents/issues/1", map[string]any{"state": "shut"})
	a.expect(404, "", "PATCH", "/repos/acme/agents/issues/2", map[string]any{"state": "closed"})
	a.expect(422, "too long", "POST", "/repos/acme/agents/issues/1/comments", map[string]any{"body": strings.Repeat("x", 65537)})
	a.expect(404, "", "POST", "/repos/acme/agents/issues/2/comments", map[string]any{"body": "x"})
	a.expect(400, "", "POST", "/repos/acme/agents/issues/1/comments", "{")
	a.expect(404, "", "GET", "/repos/acme/agents/labels/none", nil)
	a.expect(422, "No more than 10", "POST", "/repos/acme/agents/dispatches", map[string]any{"event_type": "e",
		"client_payload": map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1, "k": 1}})
	a.expect(422, "not an object", "POST", "/repos/acme/agents/dispatches", map[string]any{"event_type": "e", "client_payload": []int{}})
	a.expect(422, "event_type", "POST", "/repos/acme/agents/dispatches", map[string]any{})
	a.expect(404, "", "DELETE", "/repos/acme/agents/issues/1", nil)
}

func TestLookingIn(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	n := a.s.AddIssue("acme/agents", githubtest.Issue{Title: "t", Labels: []string{"a"}})
	a.s.AddComment("acme/agents", n, githubtest.Comment{Body: "c", Author: "mallory"})
	a.s.EditIssue("acme/agents", n, func(i *githubtest.Issue) { i.Body = "edited" })
	if got := a.s.Issues("acme/agents"); len(got) != 1 || got[0].Body != "edited" || got[0].Author != "octocat" {
		t.Errorf("%+v", got)
	}
	if got := a.s.Comments("acme/agents", n); len(got) != 1 || got[0].Author != "mallory" {
		t.Errorf("%+v", got)
	}
	if a.s.AddIssue("acme/none", githubtest.Issue{}) != 0 || a.s.Issues("acme/none") != nil || a.s.Comments("acme/agents", 9) != nil {
		t.Error("found what is not there")
	}
	a.s.RemoveRepository("acme/agents")
	a.expect(404, "", "GET", "/repos/acme/agents", nil)
}

func TestPages(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	number := a.s.AddIssue("acme/agents", githubtest.Issue{Title: "t"})
	for range 45 {
		a.s.AddComment("acme/agents", number, githubtest.Comment{Body: "c"})
	}
	_, _, h := a.do("GET", "http://localhost/repos/acme/agents/issues/1/comments?per_page=20&page=2", nil)
	want := `<http://localhost/repos/acme/agents/issues/1/comments?page=1&per_page=20>; rel="prev", ` +
		`<http://localhost/repos/acme/agents/issues/1/comments?page=3&per_page=20>; rel="next", ` +
		`<http://localhost/repos/acme/agents/issues/1/comments?page=3&per_page=20>; rel="last"`
	if h.Get("Link") != want {
		t.Error(h.Get("Link"))
	}
}

func TestIssuePagesHaveCursors(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	for i := range 45 {
		a.s.AddIssue("acme/agents", githubtest.Issue{Title: fmt.Sprint(i)})
	}
	_, _, h := a.do("GET", "http://localhost/repos/acme/agents/issues?per_page=20", nil)
	if link := h.Get("Link"); link != `<http://localhost/repos/acme/agents/issues?after=MjE%3D&per_page=20>; rel="next"` {
		t.Error(link)
	}
	if _, _, h := a.do("GET", "/repos/acme/agents/issues?per_page=25&after=MjE%3D", nil); h.Get("Link") != "" {
		t.Error(h.Get("Link"))
	}
	a.expect(422, "cursor based", "GET", "/repos/acme/agents/issues?page=2", nil)
}

func TestGraphQL(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	a.s.AddToken(secret.New(fakeToken), githubtest.Token{App: true, Login: "rotator[bot]"})
	for _, path := range []string{"/graphql", "/api/graphql"} {
		a.expect(200, "login:rotator[bot]", "POST", path, map[string]string{"query": "{ viewer { login } }"})
	}
	a.expect(200, "errors", "POST", "/graphql", map[string]string{"query": "mutation"})
	a.expect(400, "", "POST", "/graphql", "{")
	if reads, writes := a.s.Counts(); reads != 4 || writes != 0 {
		t.Error(reads, writes)
	}
}

func TestTokens(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	a.s.AddRepository(githubtest.Repository{Name: "acme/site", Visibility: "public"})
	a.expect(200, "login:octocat", "GET", "/user", nil)
	a.s.AddToken(secret.New("not-a-real-other-token"), githubtest.Token{})
	a.expect(401, "Bad credentials", "GET", "/user", nil)
	a.s.AddToken(secret.New(fakeToken), githubtest.Token{App: true, Permissions: []string{"issues=write", "secrets=read"}, Repositories: []string{"acme/other"}})
	a.expect(403, "accessible by integration", "GET", "/user", nil)
	a.expect(404, "", "GET", "/repos/acme/agents/issues", nil)
	a.expect(200, "", "GET", "/repos/acme/site/issues", nil)
	a.expect(200, "", "GET", "/repos/acme/site/actions/secrets/public-key", nil)
	_, answer, h := a.do("PUT", "/repos/acme/site/actions/secrets/K", nil)
	if h.Get("X-Accepted-GitHub-Permissions") != "secrets=write" || answer["message"] != "Resource not accessible by integration" {
		t.Error(answer, h)
	}
	a.s.RevokeToken(secret.New(fakeToken))
	a.expect(401, "Bad credentials", "GET", "/user", nil)
}

func TestRenamed(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	a.s.RenameRepository("acme/agents", "acme/robots")
	status, _, h := a.do("GET", "http://localhost/repos/acme/agents/environments/prod%2Feu/secrets/K?x=1", nil)
	if location := h.Get("Location"); status != 301 || location != "http://localhost/repositories/1001/environments/prod%2Feu/secrets/K?x=1" {
		t.Error(status, location)
	}
	a.expect(200, "full_name:acme/robots", "GET", "/repositories/1001", nil)
	a.expect(404, "", "GET", "/repositories/9", nil)
	a.expect(404, "", "GET", "/repositories/x", nil)
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits githubtest.Limits
		method string
		most   int
		wait   time.Duration
	}{
		"content a minute": {githubtest.Limits{ContentPerMinute: 3}, "POST", 3, time.Minute},
		"content an hour":  {githubtest.Limits{ContentPerHour: 4, ContentPerMinute: 100}, "POST", 4, time.Hour},
		"points, writes":   {githubtest.Limits{PointsPerMinute: 12}, "POST", 2, time.Minute},
		"points, reads":    {githubtest.Limits{PointsPerMinute: 12}, "GET", 12, time.Minute},
		"requests an hour": {githubtest.Limits{RequestsPerHour: 7}, "GET", 7, time.Hour},
	} {
		a := newAPI(t, c.limits)
		a.s.AddIssue("acme/agents", githubtest.Issue{Title: "t"})
		send := func() (int, http.Header) {
			status, _, h := a.do(c.method, "/repos/acme/agents/issues/1/comments", map[string]string{"body": "b"})
			return status, h
		}
		for range c.most {
			if status, _ := send(); status >= 300 {
				t.Errorf("%s: %d too early", name, status)
			}
		}
		status, h := send()
		if status != 403 || h.Get("Retry-After") == "" && h.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("%s: %d %v", name, status, h)
		}
		a.now = a.now.Add(c.wait - time.Second)
		if status, _ := send(); status != 403 {
			t.Errorf("%s: %d a second early", name, status)
		}
		a.now = a.now.Add(time.Second)
		if status, _ := send(); status >= 300 {
			t.Errorf("%s: %d when it is over", name, status)
		}
	}
	a := newAPI(t, githubtest.Limits{PointsPerMinute: 1, Status: 429})
	a.expect(200, "", "GET", "/user", nil)
	a.expect(429, "secondary rate limit", "GET", "/user", nil)
}

func TestFaultsAndLog(t *testing.T) {
	a := newAPI(t, githubtest.Limits{})
	a.s.Inject(githubtest.Fault{Method: "POST", Path: "/issues", Skip: 1, Status: 500, Message: `"odd" words`})
	body := map[string]string{"title": "t"}
	a.expect(200, "", "GET", "/user", nil)
	a.expect(201, "", "POST", "/repos/acme/agents/issues", body)
	a.expect(500, `"odd" words`, "POST", "/repos/acme/agents/issues", body)
	a.expect(201, "", "POST", "/repos/acme/agents/issues", body)
	want := []githubtest.Request{{"GET", "/user", 200}, {"POST", "/repos/acme/agents/issues", 201},
		{"POST", "/repos/acme/agents/issues", 500}, {"POST", "/repos/acme/agents/issues", 201}}
	if got := a.s.Requests(); !slices.Equal(got, want) {
		t.Error(got)
	}
	if reads, writes := a.s.Counts(); reads != 1 || writes != 3 {
		t.Error(reads, writes)
	}
	a.s.ClearLog()
	a.s.Inject(githubtest.Fault{Status: 500, Times: -1})
	a.expect(500, "", "GET", "/user", nil)
	a.s.ClearFaults()
	a.expect(200, "", "GET", "/user", nil)
	if len(a.s.Requests()) != 2 {
		t.Error(a.s.Requests())
	}
}

func TestCutConnections(t *testing.T) {
	s := githubtest.New(githubtest.Options{})
	s.AddRepository(githubtest.Repository{Name: "acme/agents"})
	url := s.URL()
	if again, err := s.Start(); again != url || err != nil {
		t.Fatal(again, err)
	}
	for _, c := range []struct {
		fault   githubtest.Fault
		created int
	}{{githubtest.Fault{DropBefore: true}, 0}, {githubtest.Fault{DropAfter: true}, 1}, {githubtest.Fault{HalfAnswer: true}, 2}} {
		s.Inject(c.fault)
		r, err := http.NewRequest(http.MethodPost, url+"/repos/acme/agents/issues", strings.NewReader(`{"title":"t"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+fakeToken)
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil || len(s.Issues("acme/agents")) != c.created {
			t.Errorf("%+v: %v, %d issues", c.fault, err, len(s.Issues("acme/agents")))
		}
	}
	if len(s.Requests()) != 3 {
		t.Error(s.Requests())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosedBeforeStart(t *testing.T) {
	s := githubtest.New(githubtest.Options{})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Start(); err == nil {
		t.Error("a closed server listens")
	}
}
