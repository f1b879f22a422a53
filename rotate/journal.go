package rotate

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// journalKey is the metadata entry that is ours; every other entry belongs to others and is kept.
const journalKey = "openclaw_litellm"

// journalVersion is the version written, and the only one obeyed.
const journalVersion = 1

// The kinds of journal entries.
const (
	kindHolder     = "holder"
	kindGeneration = "generation"
	kindClaim      = "claim"
)

// journal is what one row says about itself. Times are UTC by the proxy's clock.
type journal struct {
	Version int    `json:"v"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`

	Owner string `json:"owner,omitempty"` // holder
	// Nonce is what the values of claims are derived from, in hex (holder). It opens nothing: who knows it can make a run
	// report them, and take a random claim.
	Nonce   string `json:"nonce,omitempty"`
	Adopted string `json:"adopted,omitempty"` // holder: token of the key taken over as generation 0

	Template   string `json:"template,omitempty"`   // holder: the configured key it came from
	Repository int64  `json:"repository,omitempty"` // holder: GitHub's number of the repository it is for

	Gen         int       `json:"gen"` // generation, claim
	Run         string    `json:"run,omitempty"`
	MintedAt    time.Time `json:"minted_at,omitzero"`
	Compromised bool      `json:"compromised,omitempty"`
	// Placed maps target fingerprints to the stamps read back. It is nil until every target was tried.
	Placed map[string]string `json:"placed,omitzero"`
	DoneAt time.Time         `json:"done_at,omitzero"` // every target confirmed: the commit point
}

// readJournal returns the journal in metadata, or nil if there is none. A journal that does not parse or has another
// version is an error: such a row is never obeyed.
func readJournal(metadata map[string]json.RawMessage) (*journal, error) {
	raw, ok := metadata[journalKey]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return nil, fmt.Errorf("reading its journal: %w", err)
	}
	if version.V != journalVersion {
		return nil, fmt.Errorf("its journal has version %d, this release knows version %d", version.V, journalVersion)
	}
	var j journal
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, fmt.Errorf("reading its journal: %w", err)
	}
	return &j, nil
}

// withJournal returns a copy of metadata with j as our entry and everything else as it was.
func withJournal(metadata map[string]json.RawMessage, j journal) map[string]json.RawMessage {
	out := maps.Clone(metadata)
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	raw, err := json.Marshal(j)
	if err != nil {
		panic(fmt.Sprintf("marshalling a journal: %v", err)) // plain fields only: cannot fail
	}
	out[journalKey] = raw
	return out
}

// HolderID is the id of the internal user that holds a logical key's budget.
func HolderID(name string) string { return "openclaw-litellm/" + name }

// generationAlias is the alias of generation n while it does not carry the plain name.
func generationAlias(name string, n int) string { return fmt.Sprintf("%s.g%d", name, n) }

// The marks that an alias of a retired generation carries. LiteLLM keeps no time of blocking, and updated_at moves when a
// window resets (seen on 1.106.10), so the alias says when we blocked a generation or reopened it.
const (
	markBlocked  = "blocked"
	markReopened = "reopened"
)

// markTime is how a mark writes its time, UTC.
const markTime = "20060102T150405Z"

// markedAlias is the alias of a retired generation with a mark.
func markedAlias(name string, n int, mark string, at time.Time) string {
	return fmt.Sprintf("%s.%s-%s", generationAlias(name, n), mark, at.UTC().Format(markTime))
}

// marked returns when the alias says that the mark was set; ok is false if it does not say so. What follows the time tells
// the alias from another one that was taken.
func marked(alias, mark string) (at time.Time, ok bool) {
	_, text, ok := strings.Cut(alias, "."+mark+"-")
	if !ok {
		return time.Time{}, false
	}
	text, _, _ = strings.Cut(text, "-")
	at, err := time.Parse(markTime, text)
	return at, err == nil
}

// row is one key row of the holder that is ours, with its journal.
type row struct {
	litellm.Key
	journal
}
