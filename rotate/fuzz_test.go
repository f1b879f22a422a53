package rotate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// FuzzJournal lets anybody write anything into the metadata and the alias of a key's row, which agents and people can: what
// is not read without a fault is not obeyed, and what is obeyed reads back as it was written.
func FuzzJournal(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"v":1,"kind":"generation","name":"openclaw","gen":2,"run":"r","minted_at":"2026-11-23T18:33:07Z","placed":{"f":"s"},"done_at":"2026-11-23T18:33:08Z"}`, "openclaw.g2"},
		{`{"v":1,"kind":"holder","name":"openclaw","owner":"acme/agents","repository":7}`, "openclaw.g1.blocked-20261122T120000Z"},
		{`{"v":2}`, "openclaw.g1.reopened-20261122T120000Z"}, {`null`, "x.blocked-"}, {`[]`, ""}, {`{"v":1,"gen":1e99}`, "a.blocked-99999999T999999Z"},
		{`{"v":1,"placed":{"f":1}}`, ".g1"}, {"{", "openclaw"}, {`"text"`, "a.blocked-20261122T120000Z.blocked-20261122T120001Z"},
	} {
		f.Add([]byte(seed[0]), seed[1])
	}
	f.Fuzz(func(t *testing.T, raw []byte, alias string) {
		if !json.Valid(raw) {
			return // the client takes rows apart first
		}
		j, err := readJournal(map[string]json.RawMessage{journalKey: raw})
		if err == nil && j != nil {
			again, err := readJournal(withJournal(nil, *j))
			if err != nil || again.Name != j.Name || again.Gen != j.Gen || !again.DoneAt.Equal(j.DoneAt) {
				t.Errorf("%s reads back as %+v, %v", raw, again, err)
			}
		}
		if at, ok := marked(alias, markBlocked); ok && (at.IsZero() || at.Location() != time.UTC) {
			t.Errorf("%q was blocked at %s", alias, at)
		}
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		row := litellm.Key{Token: "t", Alias: alias, UserID: HolderID("openclaw"), CreatedBy: "me", Metadata: map[string]json.RawMessage{journalKey: raw}}
		u := &litellm.User{ID: HolderID("openclaw"), Metadata: map[string]json.RawMessage{journalKey: raw}, Keys: []litellm.Key{row}, AsOf: now}
		p := Policy{Name: "openclaw", Owner: "acme/agents", Interval: 30 * 24 * time.Hour, Grace: time.Hour, MaxGrace: 2 * time.Hour}
		plan := NewPlan(p, Reading{Now: now, Self: "me", Holder: u}, Options{})
		foreign := row
		foreign.CreatedBy = "somebody"
		u.Keys = []litellm.Key{foreign}
		for _, s := range NewPlan(p, Reading{Now: now, Self: "me", Holder: u}, Options{}).Steps {
			if s.Token == "t" {
				t.Errorf("a row of somebody else's is to be changed: %+v", s)
			}
		}
		_ = plan
	})
}
