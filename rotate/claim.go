package rotate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

const (
	claimFor   = 15 * time.Minute // how long a claim lasts, as LiteLLM's duration "15m"
	claimRenew = 10 * time.Minute // less left than this: renewed before the next write
	clockSkew  = 5 * time.Minute  // a claim of another run is respected this much longer
)

// claimPrefix starts the value of every claim. LiteLLM accepts chosen key values that start with "sk-".
const claimPrefix = "sk-ocl-"

// nonceBytes is the length of a holder's nonce before it is written in hex.
const nonceBytes = 32

// newNonce returns a random nonce for a holder's journal.
func newNonce() string { return randomHex(nonceBytes) }

// validNonce reports whether a journal's nonce can be used: anything else is replaced.
func validNonce(nonce string) bool {
	raw, err := hex.DecodeString(nonce)
	return err == nil && len(raw) == nonceBytes
}

// claimValue is the key value whose row is claim n on the key. LiteLLM keeps the first row made with a value, so the run
// that finds its own id in the row holds the claim. Every internal user of the proxy may create keys with values of their
// choice, so nobody else may be able to compute it: it is an HMAC under the holder's nonce and the management key. The
// nonce alone is not enough: on 1.81 every internal user can read it, with GET /spend/users.
func claimValue(nonce string, management secret.Value, name string, n int) secret.Value {
	key, err := hex.DecodeString(nonce)
	if err != nil {
		key = []byte(nonce) // never used: validNonce was asked first
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "claim\x00%s\x00%d\x00%s", name, n, management.MAC("openclaw-litellm claim"))
	return secret.New(claimPrefix + hex.EncodeToString(mac.Sum(nil)))
}

// randomClaim is a claim's value where somebody else has taken the derived one. It elects nobody. The reading after it
// shows every other claim all the same.
func randomClaim() secret.Value { return secret.New(claimPrefix + randomHex(sha256.Size)) }
