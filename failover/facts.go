package failover

import (
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// Facts are what is known of the proxy and its models.
type Facts struct {
	Proxy     Proxy
	Unhealthy []Unhealthy
	Served    []Served      // requests that another model group than the one asked for served
	Window    time.Duration // how far back Served looks
	Requests  int64         // requests seen in Window
	Source    string        // where Served came from
	Gaps      []string      // what could not be learned on this proxy, one sentence each

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
	Trouble  string // why it is not ready, for people; "" while Ready
	Cause    string // "network", "tls", "auth", "database", "not-litellm" or ""
}

// Unhealthy is a deployment whose latest health check failed.
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
}

// Policy is how failover is judged.
type Policy struct {
	FallbackRate float64 // fraction of requests served by fallbacks that is a warning, e.g. 0.05
}
