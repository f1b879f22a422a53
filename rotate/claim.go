package rotate

import (
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

// claimValue is the key value whose row is claim n on name. LiteLLM keeps the first row made with a value, so the run
// that finds its own id in the row has the claim. The row is blocked and without budget: the value opens nothing, and
// that it can be derived by anyone costs at most a delay.
func claimValue(name string, n int) secret.Value {
	sum := sha256.Sum256(fmt.Appendf(nil, "claim\x00%s\x00%d", name, n))
	return secret.New("sk-ocl-" + hex.EncodeToString(sum[:]))
}
