package github_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// rotationTarget is what a rotation asks of a target.
type rotationTarget interface {
	String() string
	Fingerprint() string
	Preflight(ctx context.Context) error
	Stamp(ctx context.Context) (string, error)
	Write(ctx context.Context, value secret.Value) (stamp string, own bool, err error)
}

var _ rotationTarget = (*github.SecretTarget)(nil)

// scopes are all kinds of place a secret can be in, as both sides name them.
func scopes() []github.Scope {
	return []github.Scope{
		{Repository: "acme/agents"},
		{Repository: "acme/agents", Store: github.Dependabot},
		{Repository: "acme/agents", Store: github.Codespaces},
		{Repository: "acme/agents", Environment: "production"},
		{Repository: "acme/agents", Environment: "prod/eu west"},
		{Organization: "acme"},
		{Organization: "acme", Store: github.Dependabot},
		{Organization: "acme", Store: github.Codespaces},
	}
}

func there(s github.Scope) githubtest.Scope {
	return githubtest.Scope{Repository: s.Repository, Environment: s.Environment, Organization: s.Organization, Store: string(s.Store)}
}

func TestEveryScope(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	for i, s := range scopes() {
		target := w.target(s)
		value := secret.New(fakeValue + string(rune('a'+i)))
		if err := target.Preflight(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, own, err := target.Write(t.Context(), value); err != nil || !own {
			t.Fatalf("%s: own %v, %v", target, own, err)
		}
	}
	for i, s := range scopes() { // after all writes: none went into another's place
		if got, _ := w.server.Secret(there(s), "LITELLM_API_KEY"); !got.Equal(secret.New(fakeValue + string(rune('a'+i)))) {
			t.Errorf("%+v holds another value", s)
		}
	}
	if slept := w.clock.slept(); len(slept) != 0 {
		t.Errorf("waited %v for nothing", slept)
	}
}

func TestTargetsAtOnce(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	var group sync.WaitGroup
	for range 3 { // the same targets also three times over
		for _, s := range scopes() {
			group.Go(func() {
				if _, _, err := w.target(s).Write(t.Context(), secret.New(fakeValue)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
}

func TestPublicKeyIsFetchedOncePerScope(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	for range 3 {
		for _, s := range scopes() {
			if _, own, err := w.target(s).Write(t.Context(), secret.New(fakeValue)); err != nil || !own {
				t.Fatal(own, err)
			}
		}
		w.clock.advance(time.Minute)
	}
	keys := 0
	for _, r := range w.server.Requests() {
		if strings.HasSuffix(r.Path, "/public-key") {
			keys++
		}
	}
	if keys != len(scopes()) {
		t.Errorf("%d public keys fetched for %d scopes", keys, len(scopes()))
	}
}

func TestSecondWriteWithinTheSameSecondWaits(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	target := w.target(github.Scope{Repository: "acme/agents"})
	w.clock.advance(300 * time.Millisecond)
	for i, want := range []string{"2026-03-14T09:26:53Z", "2026-03-14T09:26:54Z"} {
		stamp, own, err := target.Write(t.Context(), secret.New(fakeValue))
		if stamp != want || !own || err != nil {
			t.Fatalf("write %d: %q, %v, %v", i, stamp, own, err)
		}
	}
	if slept := w.clock.slept(); !slices.Equal(slept, []time.Duration{time.Second}) {
		t.Errorf("slept %v", slept)
	}
}

func TestSomebodyElseWrites(t *testing.T) {
	scope := github.Scope{Repository: "acme/agents"}
	for name, c := range map[string]struct {
		method string        // when: just before this request is answered
		later  time.Duration // how long after
		own    bool
	}{
		"before our write":               {http.MethodGet, 0, true},
		"a second before our write":      {http.MethodGet, -time.Second, true},
		"one second after our write":     {http.MethodPut, time.Second, false},
		"within the second of our write": {http.MethodPut, 0, true}, // cannot be told apart; the next run sees no drift either
	} {
		w := newWorld(t, githubtest.Limits{})
		target := w.target(scope)
		w.server.Touch(there(scope), "LITELLM_API_KEY", secret.New("not-a-real-old-key"))
		w.clock.advance(time.Minute)
		w.server.Inject(githubtest.Fault{Method: c.method, Path: "LITELLM_API_KEY", After: func() {
			w.clock.advance(max(0, c.later))
			w.server.Touch(there(scope), "LITELLM_API_KEY", secret.New("not-a-real-foreign-key"))
			w.clock.advance(max(0, -c.later))
		}})
		stamp, own, err := target.Write(t.Context(), secret.New(fakeValue))
		if err != nil || own != c.own {
			t.Errorf("%s: own %v, %v", name, own, err)
		}
		if read, _ := target.Stamp(t.Context()); read != stamp {
			t.Errorf("%s: stamp %q, and read again %q", name, stamp, read)
		}
	}
}

func TestWriteOfWhichTheAnswerHasNoDateIsNotOwn(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			resp.Header.Del("Date")
		}
		return resp, err
	})}
	stamp, own, err := w.target(github.Scope{Repository: "acme/agents"}).Write(t.Context(), secret.New(fakeValue))
	if stamp == "" || own || err != nil {
		t.Fatal(stamp, own, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPublicKeyRotatedInBetween(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	scope := github.Scope{Organization: "acme"}
	target := w.target(scope)
	if err := target.Preflight(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.server.RotatePublicKey(there(scope))
	if _, own, err := target.Write(t.Context(), secret.New(fakeValue)); err != nil || !own {
		t.Fatal(own, err)
	}
	if got, _ := w.server.Secret(there(scope), "LITELLM_API_KEY"); !got.Equal(secret.New(fakeValue)) {
		t.Error("another value is stored")
	}
}

func TestRefusedValueIsNotRepeated(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Inject(githubtest.Fault{Method: http.MethodPut, Status: 422, Message: "no more room", Times: -1})
	_, _, err := w.target(github.Scope{Repository: "acme/agents"}).Write(t.Context(), secret.New(fakeValue))
	if !errors.Is(err, github.Validation) || !strings.Contains(err.Error(), "no more room") {
		t.Fatal(err)
	}
	if _, writes := w.server.Counts(); writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

func TestLostAnswerOfAWrite(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	scope := github.Scope{Repository: "acme/agents"}
	w.server.Inject(githubtest.Fault{Method: http.MethodPut, DropAfter: true, Times: 2})
	stamp, own, err := w.target(scope).Write(t.Context(), secret.New(fakeValue))
	if err != nil || !own || stamp != "2026-03-14T09:26:56Z" { // waits of 1 s and 2 s came between
		t.Fatal(stamp, own, err)
	}
}

func TestStaleReadAfterAWrite(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	scope := github.Scope{Repository: "acme/agents"}
	w.server.Inject(githubtest.Fault{Method: http.MethodGet, Path: "LITELLM", Skip: 1, Status: 404, Message: "Not Found"})
	stamp, own, err := w.target(scope).Write(t.Context(), secret.New(fakeValue))
	if err != nil || !own || stamp != "2026-03-14T09:26:53Z" {
		t.Fatal(stamp, own, err)
	}
}

func TestVanishedScopeIsNoEmptySecret(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	for _, s := range []github.Scope{{Repository: "acme/gone"}, {Repository: "acme/agents", Environment: "gone"}, {Organization: "gone"}} {
		target := w.target(s)
		if stamp, err := target.Stamp(t.Context()); !errors.Is(err, github.NotFound) {
			t.Errorf("%s: stamp %q, %v", target, stamp, err)
		}
		if err := target.Preflight(t.Context()); !errors.Is(err, github.NotFound) || !strings.Contains(err.Error(), "GitHub hides which") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestArchivedRepository(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	w.server.Archive("acme/agents")
	target := w.target(github.Scope{Repository: "acme/agents"})
	if err := target.Preflight(t.Context()); !errors.Is(err, github.Archived) {
		t.Error(err)
	}
	if _, _, err := target.Write(t.Context(), secret.New(fakeValue)); !errors.Is(err, github.Archived) {
		t.Error(err)
	}
}

func TestOrganizationAudience(t *testing.T) {
	for name, c := range map[string]struct {
		there     string
		selected  []int64
		want      string
		wantIDs   []int64
		configure func(*github.SecretTarget)
	}{
		"new":               {want: "private"},
		"kept":              {there: "all", want: "all"},
		"selected kept":     {there: "selected", selected: []int64{7, 8}, want: "selected", wantIDs: []int64{7, 8}},
		"changed":           {there: "all", want: "private", configure: func(s *github.SecretTarget) { s.Visibility = "private" }},
		"selection given":   {there: "selected", selected: []int64{7, 8}, want: "selected", wantIDs: []int64{9}, configure: func(s *github.SecretTarget) { s.Visibility, s.Repositories = "selected", []int64{9} }},
		"selection opened":  {there: "selected", selected: []int64{7}, want: "all", configure: func(s *github.SecretTarget) { s.Visibility = "all" }},
		"selection is long": {there: "selected", selected: numbers(250), want: "selected", wantIDs: numbers(250)},
	} {
		for _, store := range []github.Store{github.Actions, github.Dependabot, github.Codespaces} {
			w := newWorld(t, githubtest.Limits{})
			scope := github.Scope{Organization: "acme", Store: store}
			if c.there != "" {
				w.server.Touch(there(scope), "LITELLM_API_KEY", secret.New("not-a-real-old-key"))
				w.server.SetSecretAudience("acme", string(store), "LITELLM_API_KEY", c.there, c.selected)
				w.clock.advance(time.Minute)
			}
			target := w.target(scope)
			if c.configure != nil {
				c.configure(target)
			}
			if _, own, err := target.Write(t.Context(), secret.New(fakeValue)); err != nil || !own {
				t.Fatalf("%s: %v, %v", name, own, err)
			}
			visibility, ids := w.server.SecretAudience("acme", string(store), "LITELLM_API_KEY")
			if visibility != c.want || !slices.Equal(ids, c.wantIDs) {
				t.Errorf("%s, %s: %s %v", name, store, visibility, ids)
			}
		}
	}
}

func numbers(n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i + 1)
	}
	return all
}

func TestValueIsCheckedBeforeAnythingIsSent(t *testing.T) {
	w := newWorld(t, githubtest.Limits{})
	target := w.target(github.Scope{Repository: "acme/agents"})
	for _, value := range []string{"", strings.Repeat("x", github.MaxSecretSize+1)} {
		if _, _, err := target.Write(t.Context(), secret.New(value)); !errors.Is(err, github.Invalid) {
			t.Errorf("%d bytes: %v", len(value), err)
		}
	}
	target.Name = "GITHUB_KEY"
	if _, err := target.Stamp(t.Context()); !errors.Is(err, github.Invalid) {
		t.Error(err)
	}
	if n := w.Requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
	target.Name = "litellm_api_key"
	if _, own, err := target.Write(t.Context(), secret.New(strings.Repeat("x", github.MaxSecretSize))); !own || err != nil {
		t.Errorf("the largest value: %v, %v", own, err)
	}
}
