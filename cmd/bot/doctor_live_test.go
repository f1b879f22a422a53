package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestLiveDoctor makes one thing wrong at a time with a real proxy, as far as that can be done without taking it from
// others, and wants doctor to name that beside what it says of the proxy anyway.
func TestLiveDoctor(t *testing.T) {
	proxies := live(t)
	bin := buildBot(t)
	for _, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			s := liveSite(t, bin, p, "doctor")
			whole := s.manager("whole")
			anyway := s.unwell(whole)
			for _, name := range anyway { // of the proxy's models and of what others do with it
				if !slices.Contains([]string{"warning price", "warning fallback", "warning retention"}, name) {
					t.Errorf("with nothing wrong: %s", name)
				}
			}
			for name, c := range map[string]struct {
				key  secret.Value
				url  string
				want string
			}{
				"master key":        {p.master, "", "warning management key"},
				"unknown key":       {secret.New("sk-" + "nobody-has-" + s.name), "", "fault management key"},
				"blocked key":       {s.blockedManager(), "", "fault management key"},
				"a right is absent": {s.manager("less", "/key/block"), "", "fault right /key/block"},
				"none by tag":       {s.manager("untagged", "/tag/daily/activity"), "", "fault right /tag/daily/activity"},
				"two are absent":    {s.manager("lesser", "/user/update", "/user/list"), "", "fault right /user/list; fault right /user/update"},
				"reading alone": {s.manager("reader", "/user/new", "/user/update", "/key/generate", "/key/update", "/key/block", "/key/unblock", "/key/delete"), "",
					"fault right /user/new; fault right /user/update; fault right /key/generate; fault right /key/update; fault right /key/block; fault right /key/unblock; fault right /key/delete"},
				"nobody listens": {whole, "http://127.0.0.1:1", "fault network"},
				"no TLS":         {whole, strings.Replace(p.url, "http:", "https:", 1), "fault tls"},
			} {
				proxy := s.env["LITELLM_BASE_URL"]
				if c.url != "" {
					s.env["LITELLM_BASE_URL"] = c.url
				}
				got := slices.DeleteFunc(s.unwell(c.key), func(found string) bool { return slices.Contains(anyway, found) })
				s.env["LITELLM_BASE_URL"] = proxy
				if strings.Join(got, "; ") != c.want {
					t.Errorf("%s: %q, want %q", name, got, c.want)
				}
			}
			s.env["LITELLM_MASTER_KEY"] = whole.Reveal()
			if run := s.bot("doctor", "--probe"); !strings.Contains(run.out, "ok       batch lag: a call is in the spend logs after ") {
				t.Errorf("the lag is not measured:\n%s%s", run.out, run.errors)
			}
		})
	}
}

// manager makes a management key of the README's recipe, less some routes.
func (s *site) manager(what string, without ...string) secret.Value {
	s.Helper()
	ctx := context.Background()
	user, value := s.name+"-"+what, secret.New("sk-"+what+"-"+s.name)
	s.Cleanup(func() { _ = s.look.DeleteUser(ctx, user) })
	routes := slices.DeleteFunc(manageRoutes(), func(r string) bool { return slices.Contains(without, r) })
	err := s.look.CreateUser(ctx, user, litellm.Fields{"user_role": "proxy_admin"})
	if err == nil {
		err = s.look.GenerateKey(ctx, litellm.NewKey{Value: value, Fields: litellm.Fields{"user_id": user, "allowed_routes": routes}})
	}
	if err != nil {
		s.Fatal(err)
	}
	return value
}

func (s *site) blockedManager() secret.Value {
	s.Helper()
	value := s.manager("blocked")
	if err := s.look.BlockKey(context.Background(), value.SHA256()); err != nil {
		s.Fatal(err)
	}
	return value
}

// unwell runs doctor with a management key, and returns what is not well.
func (s *site) unwell(key secret.Value) []string {
	s.Helper()
	s.env["LITELLM_MASTER_KEY"] = key.Reveal()
	var out []string
	for _, a := range unwell(s.T, s.bot("doctor", "--format", "json").out) {
		out = append(out, strings.TrimSpace(a.State+" "+a.Check+" "+a.Name))
	}
	return out
}
