package failover

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// Facts are what is known of the proxy and its models.
type Facts struct {
	Proxy     Proxy
	Unhealthy []Unhealthy
	Cooled    []Cooled      // requests that no deployment took, by model group
	Served    []Served      // requests that another model group than the one asked for served
	Unserved  []Unserved    // requests that neither the model group asked for nor its fallbacks served
	Window    time.Duration // how far back Served looks
	Requests  int64         // requests seen in Window
	Source    string        // where Served came from
	Gaps      []Gap         // what could not be learned on this proxy

	Groups []Group // model groups that the proxy serves; nil: not known
	Asked  []Asked // what our keys may ask for
	Probes []Probe // what calls of ours showed; nil: none were made

	// Checked counts the deployments of each model group whose latest health check is known, the healthy ones included.
	Checked map[string]int
	// Unjudged names the rules for which the facts could not be had.
	Unjudged []string
}

// Proxy is the state of the proxy itself.
type Proxy struct {
	URL      string // without credentials
	Release  string // "" unknown
	Ready    bool
	Database string
	Latency  time.Duration
	Trouble  string // why it is not ready, for everybody; "" while Ready
	Said     string // what the proxy, or the network, said of it; "" if nothing
	Cause    string // "network", "tls", "auth", "database", "not-litellm" or ""
}

// Gap is something that could not be learned.
type Gap struct {
	Text string // what, and why, in one sentence for everybody
	Said string // what the proxy, or the network, said of it; "" if nothing
}

// Unhealthy is a deployment whose latest health check failed. Error is in the provider's words.
type Unhealthy struct {
	Model, ModelID, Error string
	CheckedAt             time.Time
}

// Served counts the requests for Primary that By served instead.
type Served struct {
	Primary, By string
	Requests    int64
	Of          int64 // requests for Primary seen, Requests included; 0: not known
	First, Last time.Time
	Evidence    finding.Evidence
	Keys        []string // logical keys among those who asked; empty: none is known

	Spend     decimal.Decimal // what By took for Requests, in USD
	Tokens    int64           // of Requests
	OwnSpend  decimal.Decimal // what Primary took for the requests that it served itself in the same time
	OwnTokens int64           // of those
}

// Extra is what the fallback cost more than the primary would have, at the price a token that the primary's own requests
// had; negative if it cost less. false: the primary served nothing by which to tell.
func (s Served) Extra() (decimal.Decimal, bool) {
	if s.OwnTokens <= 0 || !s.OwnSpend.IsPositive() {
		return decimal.Zero, false
	}
	own := s.OwnSpend.Mul(decimal.NewFromInt(s.Tokens)).Div(decimal.NewFromInt(s.OwnTokens))
	return s.Spend.Sub(own), true
}

// Unserved counts the requests for Primary that failed altogether: its fallbacks were tried, and failed too.
type Unserved struct {
	Primary     string
	By          []string // the fallbacks that failed, as far as the proxy says
	Requests    int64
	Of          int64 // requests for Primary seen, Requests included; 0: not known
	First, Last time.Time
	Error       string // the latest one, in the words of the proxy
	Keys        []string
}

// Group is one model group that the proxy serves.
type Group struct {
	Name      string
	Fallbacks []string // groups that serve when this one fails, in order
}

// Asked is one logical key and the model groups that it may ask for.
type Asked struct {
	Key    string
	Models []string // empty: every one
}

// Probe is what one small call to a model group showed.
type Probe struct {
	Model    string
	Through  string // the key that made the call: "key openclaw" or "the management key"
	ServedBy string // "" if the call failed
	Fell     int    // how many groups failed before the one that served
	Cost     decimal.Decimal
	At       time.Time
	Error    string // why the call failed, for everybody; "" if it did not
	Said     string // what the proxy said of that
}

// Policy is how failover is judged.
type Policy struct {
	FallbackRate float64 // fraction of requests served by fallbacks that is a warning, e.g. 0.05
}
