package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestLiveDrill is the drill of docs/runbook.md on real proxies: a key leaks while a run has just died, the proxy is slow,
// one target is gone, and an internal user has taken the next aliases and what the next claims of an earlier release would
// be. One command says what is true, and ends the leaked key within a minute.
func TestLiveDrill(t *testing.T) {
	proxies := live(t)
	bin := buildBot(t)
	for _, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			t.Parallel()
			s := liveSite(t, bin, p, "drill")
			run := filepath.Join(s.dir, "run")
			s.twoPlaces(run)
			s.must("run")
			leaked := s.key()
			s.refuses(leaked, false)

			if dead := s.struck(point{nth: 0, blow: killAfter}, "rotate", "--now"); dead.code != -1 || !s.claimed() {
				t.Fatalf("the run did not die after its claim: %s", dead)
			}
			if err := os.RemoveAll(run); err != nil {
				t.Fatal(err)
			}
			s.squatted()
			s.slow(300 * time.Millisecond)

			upkeep := s.bot("run", "--only", "rotate")
			if strings.Contains(upkeep.out, "all is well") || !strings.Contains(upkeep.out, "waits for another run") {
				t.Errorf("upkeep does not say that it waits: %s", upkeep)
			}
			ended := s.watch(leaked)
			r := s.bot("rotate", s.name, "--compromised")
			s.slow(0)
			if r.code != exitFailed || strings.Contains(r.out, "all is well") || strings.Contains(r.out, "not done") ||
				!strings.Contains(r.errors, "run/litellm.key: opening directory") || !strings.Contains(r.out, "belongs to another key") {
				t.Errorf("what it says is not what is so: %s", r)
			}
			if took := <-ended; took > time.Minute {
				t.Errorf("the leaked key worked for %s", took)
			} else {
				t.Logf("the leaked key was dead after %s", took.Round(time.Second))
			}
			s.refuses(leaked, true)
			s.answers(s.key())

			if err := os.Mkdir(run, 0o700); err != nil {
				t.Fatal(err)
			}
			s.pass(21 * time.Minute)
			s.recovered()
			s.settled()
			s.refuses(leaked, true)
		})
	}
}

// twoPlaces configures a secret, and a key file in a directory of its own.
func (s *site) twoPlaces(dir string) {
	s.fourPlaces()
	if err := os.Mkdir(dir, 0o700); err != nil {
		s.Fatal(err)
	}
	file := filepath.Join(dir, "litellm.key")
	config := fmt.Sprintf(`keys:
  - name: %s
    max_budget: 50
    budget_duration: monthly
    targets:
      - {repository: acme/agents, secret: LITELLM_API_KEY}
      - {file: %s}
`, s.name, file)
	if err := os.WriteFile(filepath.Join(s.dir, "openclaw-litellm.yml"), []byte(config), 0o600); err != nil {
		s.Fatal(err)
	}
	s.places = []place{s.places[0], {"file", func() secret.Value {
		content, _ := os.ReadFile(file)
		return secret.New(strings.TrimSpace(string(content)))
	}}}
}

// squatted lets an internal user take what it can, with a key of its own.
func (s *site) squatted() {
	s.Helper()
	user, key := "mallory-"+s.name, secret.New("sk-drill-mallory-"+s.name)
	ctx := context.Background()
	if err := s.look.CreateUser(ctx, user, litellm.Fields{"user_role": "internal_user"}); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = s.look.DeleteUser(ctx, user) })
	if err := s.look.GenerateKey(ctx, litellm.NewKey{Value: key, Fields: litellm.Fields{"user_id": user}}); err != nil {
		s.Fatal(err)
	}
	mallory := &litellm.Client{BaseURL: s.look.BaseURL, Key: key, HTTP: s.look.HTTP}
	for n := 2; n < 6; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "claim\x00%s\x00%d", s.name, n))
		for value, alias := range map[string]string{
			"sk-ocl-" + hex.EncodeToString(sum[:]):         "",
			fmt.Sprintf("sk-drill-alias-%d-%s", n, s.name): fmt.Sprintf("%s.g%d", s.name, n),
		} {
			fields := litellm.Fields{"user_id": user}
			if alias != "" {
				fields["key_alias"] = alias
			}
			if err := mallory.GenerateKey(ctx, litellm.NewKey{Value: secret.New(value), Fields: fields}); err != nil {
				s.Fatal(err)
			}
		}
	}
}

// watch tells, once a key is refused, how long that took.
func (s *site) watch(v secret.Value) <-chan time.Duration {
	began, ended := time.Now(), make(chan time.Duration, 1)
	go func() {
		for time.Since(began) < 3*time.Minute && s.look.VerifyKey(context.Background(), v) == nil {
			time.Sleep(time.Second)
		}
		ended <- time.Since(began)
	}()
	return ended
}

// refuses asserts whether the proxy refuses a key.
func (s *site) refuses(v secret.Value, want bool) {
	s.Helper()
	if _, err := s.call(v); (err != nil) != want {
		s.Errorf("a call with the key that leaked: %v", err)
	}
}
