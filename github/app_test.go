package github_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

const appID = 4711

// appKey is one key pair for all tests: making one takes a while.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func pemOf(key *rsa.PrivateKey) secret.Value {
	block := pem.Block{Type: "RSA " + "PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return secret.New(string(pem.EncodeToMemory(&block)))
}

// withApp is a world where an App is known, and the App's side of it.
func withApp(t *testing.T, id int64) (*world, *github.App, *secret.Set) {
	t.Helper()
	w := newWorld(t, githubtest.Limits{})
	w.server.AddApp(githubtest.App{ID: appID, Key: &appKey().PublicKey})
	known := &secret.Set{}
	app, err := github.NewApp(github.AppOptions{
		ID: "4711", Key: pemOf(appKey()), Installation: id, Known: known.AddUntil,
		Client: func(string) *github.Client {
			return &github.Client{APIURL: w.APIURL, Now: w.Now, Sleep: w.Sleep}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, app, known
}

// put writes the secret of a repository as the App.
func put(t *testing.T, app *github.App, repository string) error {
	t.Helper()
	owner, _, _ := strings.Cut(repository, "/")
	target := &github.SecretTarget{Client: app.Client(owner), Scope: github.Scope{Repository: repository}, Name: "LITELLM_API_KEY"}
	_, own, err := target.Write(t.Context(), secret.New(fakeValue))
	if err == nil && !own {
		err = errors.New("not our own write")
	}
	return err
}

func TestAppWritesForEveryOwner(t *testing.T) {
	w, app, known := withApp(t, 0)
	w.server.AddPerson("maria")
	w.server.AddRepository(githubtest.Repository{Name: "maria/agents"})
	acme := w.server.Install(appID, "acme", githubtest.Token{Permissions: []string{"secrets=write"}})
	maria := w.server.Install(appID, "maria", githubtest.Token{Permissions: []string{"secrets=write"}})
	for range 3 {
		for _, repository := range []string{"acme/agents", "maria/agents"} {
			if err := put(t, app, repository); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.advance(10 * time.Minute)
	}
	if a, m := w.server.Tokens(acme), w.server.Tokens(maria); a != 1 || m != 1 {
		t.Errorf("%d and %d tokens for half an hour", a, m)
	}
	w.clock.advance(26 * time.Minute) // less than five minutes before the end
	if err := put(t, app, "acme/agents"); err != nil || w.server.Tokens(acme) != 2 {
		t.Errorf("%d tokens, %v", w.server.Tokens(acme), err)
	}
	if app.Client("acme") != app.Client("Acme") || app.Client("acme") == app.Client("maria") {
		t.Error("clients are not by owner")
	}
	for _, id := range []int64{acme, maria} {
		if text := fmt.Sprintf("installation-%d-token-1", id); known.Redact(text) == text {
			t.Error("a token is not made known")
		}
	}
	if app.Requests() == 0 {
		t.Error("requests are not counted")
	}
}

func TestAppSeesItsOwnersAlone(t *testing.T) {
	w, app, _ := withApp(t, 0)
	w.server.Install(appID, "acme", githubtest.Token{Permissions: []string{"secrets=write"}})
	err := put(t, app, "globex/agents")
	if github.KindOf(err) != github.NotFound || !strings.Contains(err.Error(), "the App is not installed for globex") {
		t.Errorf("got %v", err)
	}
	found, err := app.Client("acme").Repositories(t.Context(), "acme", true)
	if err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestAppWithAGivenInstallation(t *testing.T) {
	w, _, _ := withApp(t, 0)
	id := w.server.Install(appID, "acme", githubtest.Token{Permissions: []string{"secrets=write"}})
	app, err := github.NewApp(github.AppOptions{ID: "4711", Key: pemOf(appKey()), Installation: id, Client: func(string) *github.Client {
		return &github.Client{APIURL: w.APIURL, Now: w.Now, Sleep: w.Sleep}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, app, "acme/agents"); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.server.Requests() {
		if strings.HasSuffix(r.Path, "/installation") {
			t.Error("the installation was looked up")
		}
	}
}

func TestAppIsRefused(t *testing.T) {
	w, app, _ := withApp(t, 0)
	w.server.Install(appID, "acme", githubtest.Token{Permissions: []string{"secrets=write"}})
	w.clock.advance(0)
	ahead := func() time.Time { return w.clock.now().Add(20 * time.Minute) }
	fast, err := github.NewApp(github.AppOptions{ID: "4711", Key: pemOf(appKey()), Client: func(string) *github.Client {
		return &github.Client{APIURL: w.APIURL, Now: ahead, Sleep: w.Sleep}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, fast, "acme/agents"); github.KindOf(err) != github.BadCredentials || !strings.Contains(err.Error(), "too far in the future") {
		t.Errorf("a clock 20 minutes ahead: %v", err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := github.NewApp(github.AppOptions{ID: "4711", Key: pemOf(other), Client: func(string) *github.Client {
		return &github.Client{APIURL: w.APIURL, Now: w.Now, Sleep: w.Sleep}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, foreign, "acme/agents"); github.KindOf(err) != github.BadCredentials {
		t.Errorf("another key: %v", err)
	}
	if _, err := github.NewApp(github.AppOptions{ID: "1", Key: secret.New("no key at all")}); err == nil || strings.Contains(err.Error(), "no key at all") {
		t.Errorf("got %v", err)
	}
	w.server.Inject(githubtest.Fault{Method: http.MethodPost, Path: "access_tokens", Status: 500, Times: -1})
	before := app.Requests()
	if err := put(t, app, "acme/agents"); github.KindOf(err) != github.Server || app.Requests()-before > 5 {
		t.Errorf("%d requests, %v", app.Requests()-before, err)
	}
}
