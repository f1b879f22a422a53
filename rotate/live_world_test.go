package rotate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// sql runs a statement in the database of the proxy that the test is on. LITELLM_LIVE_DATABASE names the databases as
// VERSION=postgres URL with commas between; psql must be there.
func (l *live) sql(format string, args ...any) string {
	l.Helper()
	version := l.Name()[strings.Index(l.Name(), "/")+1:]
	version, _, _ = strings.Cut(version, "/")
	for entry := range strings.SplitSeq(os.Getenv("LITELLM_LIVE_DATABASE"), ",") {
		if name, url, _ := strings.Cut(entry, "="); name == version {
			for {
				cmd := exec.CommandContext(l.Context(), "psql", url, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", fmt.Sprintf(format, args...))
				out, err := cmd.CombinedOutput()
				switch {
				case err == nil:
					return strings.TrimSpace(string(out))
				case !strings.Contains(string(out), "deadlock detected"): // with LiteLLM's own writes: nothing of it was done
					l.Fatalf("psql: %v: %s", err, out)
				}
			}
		}
	}
	l.Skip("LITELLM_LIVE_DATABASE names no database of this proxy")
	return ""
}

// moveWindows moves the ends of the windows of the holder and its keys so much nearer, as if time had passed.
func (l *live) moveWindows(d time.Duration) {
	l.Helper()
	id := rotate.HolderID(l.policy.Name)
	for _, table := range []string{"LiteLLM_UserTable", "LiteLLM_VerificationToken"} {
		l.sql(`UPDATE "%s" SET budget_reset_at = budget_reset_at - interval '%d seconds' WHERE user_id = '%s'`, table, int(d.Seconds()), id)
	}
}

// moveJournals makes every generation so much older.
func (l *live) moveJournals(d time.Duration) {
	l.Helper()
	u := l.holder()
	for _, k := range u.Keys {
		var j map[string]any
		if json.Unmarshal(k.Metadata["openclaw_litellm"], &j) != nil {
			continue
		}
		for _, field := range []string{"minted_at", "done_at"} {
			if text, ok := j[field].(string); ok {
				at, err := time.Parse(time.RFC3339, text)
				if err != nil {
					l.Fatal(err)
				}
				j[field] = at.Add(-d).Format(time.RFC3339Nano)
			}
		}
		raw, err := json.Marshal(j)
		if err != nil {
			l.Fatal(err)
		}
		k.Metadata["openclaw_litellm"] = raw
		if err := l.client.UpdateKey(l.Context(), k.Token, litellm.Fields{"metadata": k.Metadata}); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *live) holder() *litellm.User {
	l.Helper()
	u, err := l.client.User(l.Context(), rotate.HolderID(l.policy.Name))
	if err != nil {
		l.Fatal(err)
	}
	return u
}

// eventually waits for what LiteLLM writes and resets in the background.
func (l *live) eventually(what string, f func() bool) {
	l.Helper()
	for range 60 {
		if f() {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	l.Fatalf("after 30 s still not: %s", what)
}

// newLive is another key on the same proxy.
func (l *live) newLive(t *testing.T, suffix string) *live {
	n := &live{T: t, client: l.client, policy: l.policy, a: &target{name: "A"}, b: &target{name: "B"}}
	n.policy.Name = l.policy.Name + suffix
	n.policy.Targets = []rotate.Target{n.a, n.b}
	t.Cleanup(func() { n.client.DeleteUser(context.Background(), rotate.HolderID(n.policy.Name)) })
	return n
}

// makeTeam makes a team for the test.
func (l *live) makeTeam() string {
	l.Helper()
	team := l.policy.Name + "-team"
	post(l, "/team/new", fmt.Sprintf(`{"team_id":%q}`, team))
	l.Cleanup(func() { post(l, "/team/delete", fmt.Sprintf(`{"team_ids":[%q]}`, team)) })
	return team
}

// cables gives a runner a life of its own on a real proxy.
func (l *live) cables(life *life) func(*rotate.Runner) {
	return func(r *rotate.Runner) {
		r.LiteLLM = &litellm.Client{
			BaseURL: l.client.BaseURL, Key: l.client.Key, HTTP: &http.Client{Transport: cable{life, http.DefaultTransport}},
			Sleep: func(context.Context, time.Duration) error {
				if life.dead {
					return errDied
				}
				return nil
			},
		}
	}
}

// expireClaims does what 20 minutes would: a run that died leaves its claim, and the next one would wait for its end.
func (l *live) expireClaims() {
	l.Helper()
	for _, k := range l.holder().Keys {
		if strings.Contains(string(k.Metadata["openclaw_litellm"]), `"claim"`) {
			if err := l.client.DeleteKey(l.Context(), k.Token); err != nil {
				l.Fatal(err)
			}
		}
	}
}

// purse counts what calls cost, from many goroutines.
type purse struct {
	mu              sync.Mutex
	spent           decimal.Decimal
	passed, refused int
	errs            []error
}

// call makes one call and reports whether it passed.
func (p *purse) call(ctx context.Context, c *litellm.Client, v secret.Value) bool {
	r, err := c.Chat(ctx, v, "backup", 20)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.spent = p.spent.Add(r.Cost)
		p.passed++
	case litellm.IsKind(err, litellm.BudgetExceeded):
		p.refused++
	default:
		p.errs = append(p.errs, err)
	}
	return err == nil
}

func (p *purse) total() decimal.Decimal {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent
}
