package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// narrow makes the management key one of the README's recipe, less some routes.
func (i *inside) narrow(without ...string) secret.Value {
	i.Helper()
	master := &litellm.Client{BaseURL: i.urls["litellm"], Key: i.proxy.MasterKey()}
	user := "doctor-" + strings.Join(without, "")
	if err := master.CreateUser(i.Context(), user, litellm.Fields{"user_role": "proxy_admin"}); err != nil {
		i.Fatal(err)
	}
	value := secret.New("sk-" + "made-up-management-" + fmt.Sprint(len(without)))
	routes := slices.DeleteFunc(manageRoutes(), func(r string) bool { return slices.Contains(without, r) })
	if err := master.GenerateKey(i.Context(), litellm.NewKey{Value: value, Fields: litellm.Fields{"user_id": user, "allowed_routes": routes}}); err != nil {
		i.Fatal(err)
	}
	i.env["LITELLM_MASTER_KEY"] = value.Reveal()
	return value
}

// unwell reads what doctor says in JSON, and wants a line of remedy for each thing that is not well.
func unwell(t *testing.T, out string) []ailment {
	t.Helper()
	var all []ailment
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	bad := slices.DeleteFunc(all, func(a ailment) bool { return a.State == stateOK })
	for _, a := range bad {
		if a.Remedy == "" || strings.Contains(a.What+a.Remedy, "\n") {
			t.Errorf("not one line of remedy: %+v", a)
		}
	}
	return bad
}

// usedSince lays out a call a day.
func (i *inside) usedSince(days int) {
	for d := days; d >= 0; d-- {
		i.proxy.Record(litellmtest.Usage{At: i.clock.now().AddDate(0, 0, -d), Model: "backup", Spend: decimal.New(1, -2), Token: strings.Repeat("a", 64)})
	}
}

// other makes something else answer at the proxy's address.
func (i *inside) other(h http.HandlerFunc) string {
	server := httptest.NewServer(h)
	i.Cleanup(server.Close)
	i.env["LITELLM_BASE_URL"] = server.URL
	return server.URL
}

// openClaw gives the site a configuration of OpenClaw, with a gateway that answers so, or none for "".
func (i *inside) openClaw(ready, text string) {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, ready) }))
	i.Cleanup(gateway.Close)
	address, _ := url.Parse(gateway.URL)
	if ready == "" {
		gateway.Close()
	}
	key := filepath.Join(i.TempDir(), "litellm.key")
	if err := os.WriteFile(key, []byte("made-up"), 0o600); err != nil {
		i.Fatal(err)
	}
	i.env["OPENCLAW_LITELLM_OPENCLAW_CONFIG"] = "openclaw.json"
	i.files = map[string]string{"openclaw.json": fmt.Sprintf(`{
  gateway: { port: %s },
  secrets: { providers: { litellm: { source: "file", path: %q, mode: "singleValue" } } },
  models: { providers: { litellm: { baseUrl: "http://127.0.0.1:4000/v1", auth: "api-key", apiKey: { source: "file", provider: "litellm", id: "value" },
    models: [{ id: "backup", name: "backup", cost: { input: 1000, output: 2000 }, contextWindow: 128000, maxTokens: 4096 }] } } },
  agents: { defaults: { model: "litellm/%s" } },
}`, address.Port(), key, text)}
}

// TestDoctorNamesEachFault makes one thing wrong at a time, and wants that named and nothing else.
func TestDoctorNamesEachFault(t *testing.T) {
	t.Parallel()
	people := func(i *inside, name string, token githubtest.Token) {
		token.Permissions = append([]string{"secrets=write", "environments=write"}, token.Permissions...)
		i.github.AddToken(i.secrets[name], token)
	}
	for name, c := range map[string]struct {
		wrong func(*inside)
		args  []string
		want  string // state check name, of all that is not well; names may be cut
	}{
		"nothing": {func(*inside) {}, nil, ""},
		"nothing, of a site in use": {func(i *inside) {
			i.usedSince(30)
			i.openClaw(`{"ready":true}`, "backup")
		}, []string{"--probe"}, ""},

		"nobody listens": {func(i *inside) { i.env["LITELLM_BASE_URL"] = "http://127.0.0.1:1" }, nil, "fault network"},
		"no TLS":         {func(i *inside) { i.env["LITELLM_BASE_URL"] = strings.Replace(i.urls["litellm"], "http:", "https:", 1) }, nil, "fault tls"},
		"a page": {func(i *inside) {
			i.other(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>sign in</html>") })
		}, nil, "fault proxy"},
		"database down": {func(i *inside) { i.proxy.SetDatabaseDown(true) }, nil, "fault database"},
		"database down, which the proxy denies": {func(i *inside) {
			i.other(func(w http.ResponseWriter, r *http.Request) {
				i.proxy.SetDatabaseDown(!strings.HasPrefix(r.URL.Path, "/health/readiness"))
				i.proxy.Handler().ServeHTTP(w, r)
			})
		}, nil, "fault database"},
		"database lost on the way": {func(i *inside) {
			i.other(func(w http.ResponseWriter, r *http.Request) {
				i.proxy.SetDatabaseDown(r.URL.Path == "/user/list")
				i.proxy.Handler().ServeHTTP(w, r)
			})
		}, nil, "fault database"},
		"unknown key":       {func(i *inside) { i.env["LITELLM_MASTER_KEY"] = "not-a-key-of-this-proxy" }, nil, "fault management key"},
		"master key":        {func(i *inside) { i.env["LITELLM_MASTER_KEY"] = i.proxy.MasterKey().Reveal() }, nil, "warning management key"},
		"trojan":            {func(i *inside) { i.release("1.82.7") }, nil, "fault release; warning management key"},
		"a right is absent": {func(i *inside) { i.narrow("/key/block") }, nil, "fault right /key/block"},
		"two are absent":    {func(i *inside) { i.narrow("/user/list", "/key/generate") }, nil, "fault right /user/list; fault right /key/generate"},
		"no right by tag":   {func(i *inside) { i.narrow("/tag/daily/activity") }, nil, "fault right /tag/daily/activity"},
		"no right of teams": {func(i *inside) {
			i.narrow("/team/info")
			i.config = "keys: [{name: openclaw, max_budget: 5, budget_duration: monthly, key_options: {team_id: agents}, targets: [{repository: acme/agents, secret: LITELLM_API_KEY}]}]\n"
		}, nil, "fault right /team/info"},
		"release not told": {func(i *inside) { i.narrow("/health/readiness/details") }, nil, "warning release"},
		"blocked key":      {func(i *inside) { i.blocked() }, nil, "fault management key"},

		"no spend logs":              {func(i *inside) { i.proxy.SetSpendLogs(false); i.usedSince(2) }, nil, "fault spend logs"},
		"no spend logs, and a probe": {func(i *inside) { i.proxy.SetSpendLogs(false); i.usedSince(2) }, []string{"--probe"}, "fault spend logs"},
		"spend logs end": {func(i *inside) {
			i.usedSince(2)
			i.clock.at = i.clock.at.AddDate(0, 0, 2)
			i.proxy.SetSpendLogs(false)
			i.usedSince(0)
		}, nil, "fault spend logs"},
		"short retention": {func(i *inside) { i.usedSince(6); i.proxy.PurgeLogs(i.clock.now().AddDate(0, 0, -1)) }, nil, "warning retention"},
		"no row comes":    {func(i *inside) { i.proxy.SetSpendLogs(false) }, []string{"--probe"}, "fault batch lag"},

		"no price": {func(i *inside) { i.proxy.SetModel(litellmtest.ModelSpec{Name: "backup", Deployment: "openai/free"}) }, nil, "warning price"},
		"no fallback": {func(i *inside) {
			i.proxy.SetModel(litellmtest.ModelSpec{Name: "lonely", InputCost: decimal.New(1, -6), OutputCost: decimal.New(1, -6)})
		}, nil, "warning fallback"},

		"no environment": {func(i *inside) { i.env["OPENCLAW_LITELLM_SECRET_ENVIRONMENT"] = "nowhere" }, nil, "fault target secret LITELLM_API_KEY in acme/agents, environment nowhere"},
		"no folder":      {func(i *inside) { i.env["OPENCLAW_LITELLM_KEY_FILE"] = "/nowhere/litellm.key" }, nil, "fault target key file"},
		"revoked token":  {func(i *inside) { i.github.RevokeToken(i.secrets["SECRETS_TOKEN"]) }, nil, "fault target secret"},
		"no permission": {func(i *inside) {
			i.github.AddToken(i.secrets["SECRETS_TOKEN"], githubtest.Token{Permissions: []string{}})
		}, nil, "fault target secret"},
		"scope missing": {func(i *inside) { people(i, "SECRETS_TOKEN", githubtest.Token{Scopes: []string{"public_repo"}}) }, nil, "fault token secrets-token"},
		"scope given":   {func(i *inside) { people(i, "SECRETS_TOKEN", githubtest.Token{Scopes: []string{"repo"}}) }, nil, ""},
		"token ends soon": {func(i *inside) {
			people(i, "SECRETS_TOKEN", githubtest.Token{Expires: i.clock.now().AddDate(0, 0, 5)})
		}, nil, "warning token secrets-token"},
		"token ends late": {func(i *inside) {
			people(i, "SECRETS_TOKEN", githubtest.Token{Expires: i.clock.now().AddDate(0, 0, 50)})
		}, nil, ""},
		"no such issues": {func(i *inside) { i.env["OPENCLAW_LITELLM_ISSUE_REPOSITORY"] = "acme/nowhere" }, nil, "fault issue repository acme/nowhere"},
		"kicked":         {func(i *inside) { i.slack.Kick(slackChannel) }, nil, "fault slack " + slackChannel},

		"alias taken": {func(i *inside) {
			i.run(exitOK, "rotate")
			i.post("/user/new", `{"user_id":"mallory","user_role":"internal_user","auto_create_key":false}`)
			for _, k := range i.proxy.Keys() {
				if k.Alias == "openclaw" {
					i.post("/key/update", fmt.Sprintf(`{"key":%q,"key_alias":"openclaw.g1"}`, k.Token))
				}
			}
			i.post("/key/generate", `{"key_alias":"openclaw","user_id":"mallory"}`)
		}, nil, "warning key openclaw"},
		"foreign row": {func(i *inside) {
			i.run(exitOK, "rotate")
			i.post("/key/generate", `{"user_id":"openclaw-litellm/openclaw"}`)
		}, nil, "warning key openclaw"},
		"stop order": {func(i *inside) {
			i.run(exitOK, "rotate")
			i.post("/key/block", fmt.Sprintf(`{"key":%q}`, i.proxy.KeysOf("openclaw-litellm/openclaw")[0].Token))
		}, nil, "fault key openclaw"},

		"dangling model":    {func(i *inside) { i.openClaw(`{"ready":true}`, "nobody") }, nil, "fault openclaw openclaw.json:6:32"},
		"no gateway":        {func(i *inside) { i.openClaw("", "backup") }, nil, "warning gateway"},
		"gateway not ready": {func(i *inside) { i.openClaw(`{"ready":false,"failing":["channels"]}`, "backup") }, nil, "fault gateway"},
		"no OpenClaw there": {func(i *inside) { i.openClaw(`<html>`, "backup") }, nil, "warning gateway"},
		"no such file":      {func(i *inside) { i.env["OPENCLAW_LITELLM_OPENCLAW_CONFIG"] = "nowhere.json" }, nil, "fault openclaw nowhere.json:1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInside(t)
			i.narrow()
			for _, spec := range pricedModels() {
				i.proxy.SetModel(spec)
			}
			c.wrong(i)
			i.settled(t, c.args, c.want)
		})
	}
}

// settled wants doctor to name what is wrong and nothing else, and to write nowhere but to refused routes.
func (i *inside) settled(t *testing.T, args []string, want string) {
	code := exitOK
	if strings.Contains(want, "fault") {
		code = exitFailed
	}
	out, _ := i.run(code, append([]string{"doctor", "--format", "json"}, args...)...)
	found := unwell(t, out)
	var got []string
	for _, a := range found {
		got = append(got, strings.TrimSpace(a.State+" "+a.Check+" "+a.Name))
	}
	wanted := slices.DeleteFunc(strings.Split(want, "; "), func(s string) bool { return s == "" })
	same := len(got) == len(wanted)
	for n := range min(len(got), len(wanted)) {
		same = same && strings.HasPrefix(got[n], wanted[n])
	}
	if !same {
		t.Errorf("not well: %q, want %q\n%+v", got, wanted, found)
	}
}

// pricedModels are the usual ones, with a price each.
func pricedModels() []litellmtest.ModelSpec {
	models := litellmtest.DefaultModels()
	for n := range models {
		models[n].InputCost, models[n].OutputCost = decimal.New(1, -3), decimal.New(2, -3)
	}
	return models
}

// release makes the proxy another release.
func (i *inside) release(version string) {
	proxy := litellmtest.New(litellmtest.Options{Now: i.clock.now, Release: version, Models: pricedModels(), NoServer: true})
	i.Cleanup(proxy.Close)
	i.other(proxy.Handler().ServeHTTP)
	i.env["LITELLM_MASTER_KEY"] = proxy.MasterKey().Reveal()
}

// blocked blocks the management key.
func (i *inside) blocked() {
	master := &litellm.Client{BaseURL: i.urls["litellm"], Key: i.proxy.MasterKey()}
	if err := master.BlockKey(i.Context(), secret.New(i.env["LITELLM_MASTER_KEY"]).SHA256()); err != nil {
		i.Fatal(err)
	}
}

// TestDoctorWritesNothing holds that trying rights leaves no trace in the proxy, and that lines for people have the remedy.
func TestDoctorWritesNothing(t *testing.T) {
	t.Parallel()
	i := newInside(t)
	i.narrow()
	before := len(i.proxy.Keys())
	i.proxy.SetModel(litellmtest.ModelSpec{Name: "backup", Deployment: "openai/free"})
	out, _ := i.run(exitOK, "doctor")
	if len(i.proxy.Keys()) != before {
		t.Error("a key was made")
	}
	if _, known := i.proxy.User("none"); known {
		t.Error("a user was made")
	}
	if !strings.Contains(out, "warning  price: ") || !strings.Contains(out, "\n         → set input_cost_per_token") {
		t.Errorf("no remedy for people:\n%s", out)
	}
	if !strings.Contains(out, "ok       right /key/info, …, /key/delete (18): may be used\n") || strings.Contains(out, "right /user/info") {
		t.Errorf("rights take more than a line:\n%s", out)
	}
	if lines := strings.Count(out, "\n"); lines > 24 {
		t.Errorf("%d lines are more than a screen:\n%s", lines, out)
	}
	for _, r := range i.sent() {
		if r.writes() && r.system == "github" {
			t.Errorf("doctor wrote: %s %s %s", r.system, r.method, r.path)
		}
	}
}

// TestDoctorOfAFleet holds that the repositories that for_each finds are examined, and that a proxy that is down is said once.
func TestDoctorOfAFleet(t *testing.T) {
	t.Parallel()
	i := withTopic(t, "acme/site", "acme/shop")
	out, _ := i.run(exitOK, "doctor")
	for _, want := range []string{
		"ok       target secret LITELLM_API_KEY in acme/site: ", "ok       target secret LITELLM_API_KEY in acme/shop: ",
		"ok       token secrets-token: needs the repository permission Secrets: write, the repository permission Contents: write",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q:\n%s", want, out)
		}
	}
	i.proxy.SetDatabaseDown(true)
	i.settled(t, nil, "fault database")
}

// TestDoctorFindsTheConfiguration holds that the configuration is the one that OpenClaw itself reads.
func TestDoctorFindsTheConfiguration(t *testing.T) {
	t.Parallel()
	i := newInside(t)
	i.narrow()
	for _, spec := range pricedModels() {
		i.proxy.SetModel(spec)
	}
	i.openClaw(`{"ready":true}`, "nobody")
	text := i.files["openclaw.json"]
	delete(i.env, "OPENCLAW_LITELLM_OPENCLAW_CONFIG")
	place := func(name, dir string) {
		root := t.TempDir()
		file := filepath.Join(root, dir, "openclaw.json")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		i.files = map[string]string{file: text} // and no other is read
		i.env[name] = root
		if name == "OPENCLAW_CONFIG_PATH" {
			i.env[name] = file
		}
		i.settled(t, nil, "fault openclaw "+file+":6:32")
	}
	place("HOME", ".openclaw")
	place("OPENCLAW_HOME", ".openclaw")
	place("OPENCLAW_STATE_DIR", "")
	place("OPENCLAW_CONFIG_PATH", "")
}
