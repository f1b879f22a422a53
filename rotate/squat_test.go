package rotate_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// attack is one logical key, in memory or on a real proxy, and mallory: an internal user who may create keys of any value
// and alias for itself, and nothing else.
type attack struct {
	*testing.T
	admin, mallory *litellm.Client
	user           string // mallory's id
	name           string // of the key
	a              *target
	run            func(change ...func(*rotate.Runner)) rotate.Outcome
}

func (s *site) attack() *attack {
	x := &attack{T: s.t, admin: s.client(), name: s.policy.Name, a: s.a}
	x.run = func(change ...func(*rotate.Runner)) rotate.Outcome { return s.runner(change...).Rotate(s.t.Context()) }
	return x.hire("mallory")
}

func (l *live) attack() *attack {
	x := &attack{T: l.T, admin: l.client, name: l.policy.Name, a: l.a}
	x.run = func(change ...func(*rotate.Runner)) rotate.Outcome {
		r := &rotate.Runner{LiteLLM: l.client, Policy: l.policy, Options: rotate.Options{CheckTargets: true}, Now: time.Now, Sleep: sleep}
		for _, c := range change {
			c(r)
		}
		return r.Rotate(l.Context())
	}
	x.hire("mallory-" + l.policy.Name)
	l.Cleanup(func() { l.client.DeleteUser(context.Background(), x.user) })
	return x
}

// hire makes the internal user, with a key to attack with.
func (x *attack) hire(user string) *attack {
	x.Helper()
	x.user = user
	if err := x.admin.CreateUser(x.Context(), user, litellm.Fields{"user_role": "internal_user"}); err != nil {
		x.Fatal(err)
	}
	key := secret.New("sk-test-key-of-" + user)
	if err := x.admin.GenerateKey(x.Context(), litellm.NewKey{Value: key, Fields: litellm.Fields{"user_id": user}}); err != nil {
		x.Fatal(err)
	}
	x.mallory = &litellm.Client{BaseURL: x.admin.BaseURL, Key: key, Now: x.admin.Now, Sleep: x.admin.Sleep}
	return x
}

// squat makes a key of mallory's own, which LiteLLM allows.
func (x *attack) squat(value secret.Value, alias string) string {
	x.Helper()
	fields := litellm.Fields{"user_id": x.user}
	if alias != "" {
		fields["key_alias"] = alias
	}
	if err := x.mallory.GenerateKey(x.Context(), litellm.NewKey{Value: value, Fields: fields}); err != nil {
		x.Fatal(err)
	}
	k, err := x.admin.FindKey(x.Context(), value.SHA256())
	if err != nil || k.UserID != x.user {
		x.Fatalf("mallory could not make the key: %+v, %v", k, err)
	}
	return value.SHA256()
}

func (x *attack) squatAlias(alias string) string {
	x.Helper()
	return x.squat(secret.New("sk-test-"+alias+"-of-"+x.user), alias)
}

// plainClaim is the value that claims had in earlier releases, which anybody can compute.
func (x *attack) plainClaim(n int) secret.Value {
	sum := sha256.Sum256(fmt.Appendf(nil, "claim\x00%s\x00%d", x.name, n))
	return secret.New("sk-ocl-" + hex.EncodeToString(sum[:]))
}

// stolenClaim is the value of a claim for who has both the holder's journal and the management key.
func (x *attack) stolenClaim(n int) secret.Value {
	x.Helper()
	u, err := x.admin.User(x.Context(), rotate.HolderID(x.name))
	if err != nil {
		x.Fatal(err)
	}
	var j struct{ Nonce string }
	if err := json.Unmarshal(u.Metadata["openclaw_litellm"], &j); err != nil {
		x.Fatal(err)
	}
	key, err := hex.DecodeString(j.Nonce)
	if err != nil || len(key) != 32 {
		x.Fatalf("the holder's nonce is %q, want 32 bytes in hex", j.Nonce)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "claim\x00%s\x00%d\x00%s", x.name, n, x.admin.Key.MAC("openclaw-litellm claim"))
	return secret.New("sk-ocl-" + hex.EncodeToString(mac.Sum(nil)))
}

// status is what a call with the key gets: 200 if it works.
func (x *attack) status(v secret.Value) int {
	if err := x.admin.VerifyKey(x.Context(), v); err != nil {
		if e := litellm.KindOf(err); e == litellm.KeyBlocked || e == litellm.UnknownKey {
			return http.StatusUnauthorized
		}
		x.Fatal(err)
	}
	return http.StatusOK
}

// names asserts that the outcome has a finding of the rule that names mallory.
func (x *attack) names(o rotate.Outcome, rule string, severity finding.Severity) {
	x.Helper()
	for _, f := range o.Findings {
		if f.Rule == rule && f.Severity == severity && strings.Contains(f.Who, x.user) {
			return
		}
	}
	x.Errorf("no %s finding %s names %s: %+v", severity, rule, x.user, o.Findings)
}

func compromised(r *rotate.Runner) { r.Options.Compromised = true }

// everySquat is what an internal user can do about a rotation. None of it stops one.
func everySquat(x *attack) {
	// Before there is a key: its first secret is written all the same.
	for n := range 4 {
		x.squat(x.plainClaim(n), "")
	}
	plain := x.squatAlias(x.name)
	x.squatAlias(x.name + ".g1")
	o := x.run()
	if o.Err != nil || !o.Rotated || x.status(x.a.value) != http.StatusOK {
		x.Fatalf("the first rotation: rotated %v, %v", o.Rotated, o.Err)
	}
	x.names(o, rotate.RuleAliasTaken, finding.Warning)
	if o = x.run(); o.Err != nil || len(o.Steps) > 0 {
		x.Errorf("with the plain alias taken, a run with nothing due did %s, %v", kinds(o), o.Err)
	}
	x.names(o, rotate.RuleAliasTaken, finding.Warning)
	if err := x.admin.DeleteKey(x.Context(), plain); err != nil {
		x.Fatal(err)
	}
	if o = x.run(); o.Err != nil || kinds(o) != "alias" {
		x.Errorf("with the alias free again: %s, %v", kinds(o), o.Err)
	}

	// The values that earlier releases would use next, and the next alias.
	first := x.a.value
	for n := 4; n < 9; n++ {
		x.squat(x.plainClaim(n), "")
	}
	x.squatAlias(x.name + ".g2")
	if o = x.run(forced); o.Err != nil || !o.Rotated || x.status(x.a.value) != http.StatusOK {
		x.Fatalf("with the next alias taken: rotated %v, %v", o.Rotated, o.Err)
	}
	x.names(o, rotate.RuleAliasTaken, finding.Warning)

	// Who has the management key can take a claim. That is an error with a name, and stops nothing.
	leaked := x.a.value
	token := x.squat(x.stolenClaim(3), "")
	x.squatAlias(x.name + ".g3")
	o = x.run(compromised)
	if o.Err == nil || !strings.Contains(o.Err.Error(), token[:12]) || !strings.Contains(o.Err.Error(), x.user) || !o.Rotated {
		x.Errorf("with the claim taken: rotated %v, error %v; want a rotation, and an error that names %s and %s", o.Rotated, o.Err, token[:12], x.user)
	}
	if strings.Contains(finding.Public(o.Err), x.user) {
		x.Errorf("in public it names somebody: %s", finding.Public(o.Err))
	}
	x.names(o, rotate.RuleClaimTaken, finding.Critical)
	x.names(o, rotate.RuleAliasTaken, finding.Warning)
	for _, v := range []secret.Value{first, leaked} {
		if x.status(v) != http.StatusUnauthorized {
			x.Errorf("a leaked key works after --compromised (steps %s)", kinds(o))
		}
	}
	if x.status(x.a.value) != http.StatusOK {
		x.Error("the target holds a key that does not work")
	}
	if k, err := x.admin.FindKey(x.Context(), token); err != nil || k.UserID != x.user || k.Blocked {
		x.Errorf("mallory's key was touched: %+v, %v", k, err)
	}
}

func TestSquattersStopNothing(t *testing.T) {
	releases(t, func(t *testing.T, s *site) { everySquat(s.attack()) })
}

func TestLiveSquattersStopNothing(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) { everySquat(l.attack()) })
}

// A mark in an alias can be taken beforehand by who makes a key for each second. The mark then ends in something else, and
// says the same.
func TestATakenMarkIsReadAllTheSame(t *testing.T) {
	s := newSite(t, "1.106.10")
	x := s.attack()
	s.rotate()
	s.rotate(forced)
	s.clock.advance(7*24*time.Hour - time.Second)
	for i := range 5 {
		at := s.clock.Now().Add(time.Duration(i) * time.Second).UTC()
		x.squatAlias("openclaw.g1.blocked-" + at.Format("20060102T150405Z"))
	}
	o := s.rotate()
	if kinds(o) != "block alias" || !strings.Contains(states(o), "g1=blocked(openclaw.g1.blocked-2026") {
		t.Fatalf("steps %s, generations %s", kinds(o), states(o))
	}
	s.clock.advance(24*time.Hour - 2*time.Second)
	if o = s.rotate(); len(o.Steps) > 0 {
		t.Errorf("a second before a day is over: %s", kinds(o))
	}
	s.clock.advance(time.Second)
	if o = s.rotate(); kinds(o) != "delete" {
		t.Errorf("a day after it was blocked: %q", kinds(o))
	}
}

// The holder of an earlier release has no nonce, and a run of that release may be at work.
func TestAClaimOfTheReleaseBeforeIsHonoured(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		s.rotate()
		x := s.attack()
		id := rotate.HolderID("openclaw")
		u, err := s.client().User(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		u.Metadata["openclaw_litellm"] = json.RawMessage(`{"v":1,"kind":"holder","name":"openclaw","owner":"acme/agents","gen":0}`)
		u.Metadata["theirs"] = json.RawMessage(`"kept"`)
		if err := s.client().UpdateUser(t.Context(), id, litellm.Fields{"metadata": u.Metadata}); err != nil {
			t.Fatal(err)
		}
		claim := litellm.NewKey{Value: x.plainClaim(2), Fields: litellm.Fields{
			"user_id": id, "blocked": true, "max_budget": 0, "duration": "15m",
			"metadata": json.RawMessage(`{"openclaw_litellm":{"v":1,"kind":"claim","name":"openclaw","gen":2,"run":"earlier"}}`),
		}}
		if err := s.client().GenerateKey(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		writes := s.proxy.Writes()
		o := s.runner(forced).Rotate(t.Context())
		if !strings.Contains(o.Waiting, "earlier") || o.NotDone == nil || s.proxy.Writes() != writes {
			t.Fatalf("waiting %q, %d writes, %v", o.Waiting, s.proxy.Writes()-writes, o.Err)
		}
		s.clock.advance(21 * time.Minute)
		if o = s.rotate(forced); !o.Rotated || !strings.HasPrefix(kinds(o), "update mint ") || !strings.Contains(kinds(o), "cleanup") {
			t.Errorf("after its claim expired: %s", kinds(o))
		}
		if u, err = s.client().User(t.Context(), id); err != nil || string(u.Metadata["theirs"]) != `"kept"` {
			t.Errorf("the holder's other metadata: %s, %v", u.Metadata["theirs"], err)
		}
		x.stolenClaim(3) // fails the test without a nonce
		s.rotate(forced)
		if again, _ := s.client().User(t.Context(), id); string(again.Metadata["openclaw_litellm"]) != string(u.Metadata["openclaw_litellm"]) {
			t.Errorf("the nonce changed: %s", again.Metadata["openclaw_litellm"])
		}
	})
}
