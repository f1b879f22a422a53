package rotate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// Policy is what one logical key should be, from the configuration. It is valid: settings checked it.
type Policy struct {
	Name  string // the logical key's stable name and the current generation's alias
	Owner string // the repository or the configuration's own name; another owner's holder is never touched
	Adopt bool   // take over an existing key that has the alias Name

	MaxBudget      decimal.NullDecimal // USD a window; invalid: no limit of our own
	BudgetDuration string              // in LiteLLM's words ("1mo", never "monthly"); "" with no limit: no window
	Models         []string            // nil: the configuration does not name them
	Options        litellm.Fields      // key_options, in LiteLLM's names; only those the configuration names
	TeamID         string              // from key_options; "" for none

	// Where one configured key stands for many, a key for each repository: which of the configuration's, and GitHub's
	// number of the repository. The holder's journal keeps both, so that a renamed repository keeps its key.
	Template   string
	Repository int64

	Interval   time.Duration // age at which a generation is replaced
	Grace      time.Duration // how long a replaced generation goes on working
	Early      time.Duration // how much earlier the first generation is replaced; see Spread
	MaxGrace   time.Duration // how long it may go on while it is still used
	BlockInUse bool          // block it after MaxGrace even so

	Targets []Target
}

// Target is one place the plaintext is written to. Implementations belong to the systems they write to; none of them
// prints the value.
type Target interface {
	// String names the target for people: "secret LITELLM_API_KEY in acme/agents".
	String() string
	// Fingerprint names the target in the journal without telling what it is: it is stable and reveals nothing.
	Fingerprint() string
	// Preflight reports why a write would fail, without writing.
	Preflight(ctx context.Context) error
	// Stamp reads what the target tells of its content: a GitHub secret its updated_at, a key file its SHA-256. It is ""
	// if the target holds nothing yet.
	Stamp(ctx context.Context) (string, error)
	// Write puts the value there and reads the stamp back. own is false when the stamp may be somebody else's write; the
	// caller writes again. Writing twice is harmless.
	Write(ctx context.Context, value secret.Value) (stamp string, own bool, err error)
}

// Reader is a Target whose content can be read back: a key file. An unfinished generation that it holds can be finished
// instead of replaced.
type Reader interface {
	Target
	// Read returns the plaintext that the target holds, zero if none.
	Read(ctx context.Context) (secret.Value, error)
}
