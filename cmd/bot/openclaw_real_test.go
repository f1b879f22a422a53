package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/rotate"
)

// TestRealOpenClaw is what users of OpenClaw do, with the real CLI and gateway before real LiteLLM: the newest of
// LITELLM_LIVE, and of the others what differs there. With OPENCLAW_LIVE_PATIENT it also waits out the three minutes that
// OpenClaw goes on trying after a 429.
func TestRealOpenClaw(t *testing.T) {
	if os.Getenv("OPENCLAW_LIVE") == "" {
		t.Skip("OPENCLAW_LIVE is not set: no real OpenClaw to run")
	}
	plain := live(t)
	newest := len(plain) - 1
	bin, stand := buildBot(t), newStandIn(t)
	codes := []int{402} // after which OpenClaw rests the key, so that it comes last
	if os.Getenv("OPENCLAW_LIVE_PATIENT") != "" {
		codes = []int{429, 402}
	}
	proxies, saying := make([]liveProxy, len(plain)), make([]liveProxy, len(codes)) // saying: by what they say of a spent budget
	var starting sync.WaitGroup
	for i, p := range plain {
		starting.Go(func() { proxies[i] = p.withModels(t, stand, "") })
	}
	for i, code := range codes {
		more := fmt.Sprintf("litellm_settings: {budget_exceeded_status_code: %d}\n", code)
		starting.Go(func() { saying[i] = plain[newest].withModels(t, stand, more) })
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	t.Run("document", func(t *testing.T) { document(newClaw(t, bin, proxies[newest]), stand) })
	for i, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			c := newClaw(t, bin, p)
			c.mint()
			c.configure()
			c.step("valid", valid)
			c.gateway()
			c.step("cost", costAgrees)
			if i == newest {
				c.step("rotation", rotationUnderLoad)
				c.step("warnings", warnings)
			}
			c.reconfigure("--models", "text")                     // no fallback
			if minor(p.version) < 93 || minor(p.version) >= 105 { // between them it is 429, as below
				c.step("budget", func(c *claw) { budgetSpent(c, "rejected the request schema or tool payload", 1) })
			}
			for j, other := range saying {
				if i == newest {
					c.proxy = other
					c.reconfigure("--models", "text")
					words, requests := "has run out of credits", 1
					if codes[j] == 429 {
						words, requests = "API rate limit reached", 10
					}
					c.step(fmt.Sprint("budget ", codes[j]), func(c *claw) { budgetSpent(c, words, requests) })
				}
			}
		})
	}
}

// minor is the second number of a release.
func minor(version string) (n int) {
	fmt.Sscanf(version, "1.%d.", &n)
	return n
}

// step is one thing that happens in a home, after those before it.
func (c *claw) step(name string, do func(*claw)) {
	c.Run(name, func(t *testing.T) {
		inside := *c
		inside.T = t
		do(&inside)
	})
}

// valid holds that OpenClaw takes the configuration, which has models of every kind, without a warning.
func valid(c *claw) {
	var v struct {
		Valid    bool
		Warnings []any
	}
	if out := c.do("openclaw", "config", "validate", "--json"); json.Unmarshal([]byte(out), &v) != nil || !v.Valid || len(v.Warnings) > 0 {
		c.Errorf("the configuration is not valid: %s", out)
	}
	if out := c.do("bot", "openclaw", "config"); strings.Contains(out, "*") {
		c.Errorf("a wildcard is written as a model:\n%s", out)
	}
	if out := c.do("bot", "openclaw", "config", "--models", "any/new"); !strings.Contains(out, `primary: "litellm/any/new"`) {
		c.Errorf("what a wildcard takes is not served:\n%s", out)
	}
}

// agentAnswer is what "openclaw agent --json" says, through a gateway or not.
type agentAnswer struct {
	agentRun
	Result agentRun // through a gateway
	Error  struct{ Message string }
}

type agentRun struct {
	Payloads []struct{ Text string }
	Meta     struct {
		AgentMeta struct {
			Model   string
			CostUSD json.Number `json:"costUsd"`
		}
		ExecutionTrace struct {
			Attempts []struct {
				Provider, Result, Reason string
				Status                   int
			}
		}
	}
}

// ask lets the agent answer. Whether it does so through the gateway is for the arguments to say.
func (c *claw) ask(args ...string) (run agentRun, message, log string) {
	c.Helper()
	out, log, err := c.try("openclaw", append([]string{"agent", "--agent", "main", "--message", "hi", "--json"}, args...)...)
	var answer agentAnswer
	if json.Unmarshal([]byte(out), &answer) != nil {
		c.Fatalf("the agent's answer is unreadable: %v\n%s%s", err, out, tail(log))
	}
	if len(answer.Result.Payloads) > 0 {
		answer.agentRun = answer.Result
	}
	return answer.agentRun, answer.Error.Message, log
}

// costAgrees holds that what OpenClaw says a call cost is what LiteLLM booked, through a gateway.
func costAgrees(c *claw) {
	began := time.Now()
	run, message, log := c.ask()
	if len(run.Payloads) == 0 || run.Payloads[0].Text != "pong of stand-in-reasoning" {
		c.Fatalf("no answer: %+v %s\n%s", run, message, tail(log))
	}
	said, err := decimal.NewFromString(run.Meta.AgentMeta.CostUSD.String())
	if err != nil {
		c.Fatalf("OpenClaw tells no cost: %v", err)
	}
	booked := spent(c.rows(c.value().SHA256(), began, 1))
	if !booked.IsPositive() || booked.Sub(said).Abs().GreaterThan(decimal.New(1, -9)) {
		c.Errorf("OpenClaw says the call cost %s USD, LiteLLM booked %s", said, booked)
	}
	c.Logf("LiteLLM %s: OpenClaw says %s USD, LiteLLM booked %s", c.proxy.version, said, booked)
}

// rotationUnderLoad rotates while the gateway is asked all the time: no call fails, and the first one after the reload is
// made with the new key.
func rotationUnderLoad(c *claw) {
	old := c.value().SHA256()
	began := time.Now()
	const askers, each = 2, 3 // calls at least
	stop := make(chan struct{})
	var mu sync.Mutex
	var failures []string
	var calls []interval
	var asking sync.WaitGroup
	for range askers {
		asking.Go(func() {
			for n := 1; ; n++ {
				asked := time.Now()
				out, log, err := c.try("openclaw", "infer", "model", "run", "--gateway", "--model", "litellm/text", "--prompt", "hi", "--json")
				mu.Lock()
				calls = append(calls, interval{asked, time.Now()})
				if err != nil {
					failures = append(failures, fmt.Sprintf("%v\n%s%s", err, out, tail(log)))
				}
				mu.Unlock()
				select {
				case <-stop:
					if n >= each {
						return
					}
				default:
				}
			}
		})
	}
	c.rows(old, began, 1)
	c.do("bot", "rotate", "--now")
	reloaded := time.Now()
	fresh := c.value().SHA256()
	if fresh == old {
		c.Error("the key file holds the old key")
	}
	run, message, log := c.ask()
	if len(run.Payloads) == 0 {
		c.Errorf("no answer after the rotation: %s\n%s", message, tail(log))
	}
	close(stop)
	asking.Wait()
	if len(failures) > 0 {
		c.Errorf("%d of %d calls failed: %s", len(failures), len(calls), failures[0])
	}
	used := c.rows(fresh, reloaded, 2)
	inFlight, last := atThatMoment(calls, reloaded) // their turns may have taken their key before
	for _, r := range c.rows(old, began, 1) {
		late := r.StartTime.After(reloaded)
		if late {
			inFlight--
		}
		if r.Status != "success" || late && (inFlight < 0 || r.StartTime.After(last)) {
			c.Errorf("a call asked after the reload used the old key, or one was refused: %s at %s, reloaded at %s", r.Status, r.StartTime, reloaded)
		}
	}
	c.Logf("%d calls beside the rotation, none failed; %d with the new key since the reload", len(calls), len(used))
}

// interval is from when to when something went on.
type interval struct{ began, ended time.Time }

// atThatMoment returns how many went on at a moment, and when the last of them ended.
func atThatMoment(all []interval, at time.Time) (n int, last time.Time) {
	for _, s := range all {
		if s.began.Before(at) && s.ended.After(at) {
			n++
			if s.ended.After(last) {
				last = s.ended
			}
		}
	}
	return n, last
}

// warnings holds that a reload that leaves the key unresolved is a failure, though OpenClaw exits with 0 and tells it by
// warningCount alone.
func warnings(c *claw) {
	k := &openclaw.KeyFile{Path: c.file("litellm.key"), ReloadCommand: []string{filepath.Join(c.path, "openclaw"), "secrets", "reload", "--json"},
		Redact: func(text string) string { return text }}
	ctx, value := context.Background(), c.value()
	if err := k.Reload(ctx); err != nil {
		c.Errorf("a good key file: %v", err)
	}
	for what, spoil := range map[string]func() error{
		"others may read it": func() error { return os.Chmod(k.Path, 0o644) },
		"it is missing":      func() error { return os.Remove(k.Path) },
	} {
		if err := spoil(); err != nil {
			c.Fatal(err)
		}
		raw := exec.Command(k.ReloadCommand[0], k.ReloadCommand[1:]...)
		raw.Env = c.env()
		out, err := raw.Output()
		if err != nil || !strings.Contains(string(out), `"warningCount": 1`) && !strings.Contains(string(out), `"warningCount":1`) {
			c.Errorf("%s: openclaw secrets reload no longer succeeds with one warning: %v %s", what, err, out)
		}
		if err := k.Reload(ctx); err == nil || !strings.Contains(err.Error(), "1 secrets could not be resolved") {
			c.Errorf("%s: %v", what, err)
		}
		if _, _, err := k.Write(ctx, value); err != nil {
			c.Fatal(err)
		}
		if err := os.Chmod(k.Path, 0o600); err != nil {
			c.Fatal(err)
		}
	}
}

// budgetSpent holds what OpenClaw says and does when LiteLLM refuses a call because the budget is spent: docs/facts.md, and
// what findings tell about it.
func budgetSpent(c *claw, words string, requests int) {
	if err := c.look.UpdateUser(c.Context(), rotate.HolderID(c.key), litellm.Fields{"spend": decimal.NewFromInt(51)}); err != nil {
		c.Fatal(err)
	}
	c.refused()
	began := time.Now()
	run, message, log := c.ask()
	took := time.Since(began)
	if len(run.Payloads) == 1 { // a gateway answers with what it would tell a person
		message = run.Payloads[0].Text
	}
	if !strings.Contains(message, words) {
		c.Errorf("OpenClaw says %q, not %q\n%s", message, words, tail(log))
	}
	rows := c.rows(c.value().SHA256(), began, requests)
	for _, r := range rows {
		if r.Status != "failure" {
			c.Errorf("a call was not refused: %+v", r)
		}
	}
	if len(rows) != requests {
		c.Errorf("%d requests, want %d", len(rows), requests)
	}
	c.Logf("LiteLLM %s: %d requests in %s, %q", c.proxy.version, len(rows), took.Round(time.Second), message)
}

// refused waits until the proxy refuses the key, and then until that is no longer just now.
func (c *claw) refused() {
	c.Helper()
	proxy := &litellm.Client{BaseURL: c.proxy.url, Key: c.proxy.master}
	for began := time.Now(); ; time.Sleep(time.Second) {
		_, err := proxy.Chat(c.Context(), c.value(), "text", 5)
		if litellm.IsKind(err, litellm.BudgetExceeded) {
			time.Sleep(2 * time.Second)
			return
		}
		if time.Since(began) > time.Minute {
			c.Fatalf("the budget is spent, and the proxy does not refuse: %v", err)
		}
	}
}
