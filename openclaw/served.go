package openclaw

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Model is one model group as the proxy serves it. What the proxy does not tell is zero.
type Model struct {
	ID        string
	Mode      string // "chat", "image_generation", …; "": not told
	Reasoning bool
	Vision    bool
	Window    int64 // tokens in
	MaxTokens int64 // tokens out
	// Prices in US dollars a million tokens.
	Input, Output, CacheRead, CacheWrite decimal.NullDecimal
	Above                                string   // the tokens of a prompt, such as 200k, above which it has other prices; "": none
	Fallbacks                            []string // other groups, in order
	Source                               string   // where the numbers come from, such as "GET /model/info"
	Differ                               []string // what the deployments behind the group disagree on
	Wildcard                             bool     // it is one of many behind a wildcard, which nobody named on the proxy
}

// Image reports whether the model makes pictures.
func (m Model) Image() bool { return m.Mode == "image_generation" || m.Mode == "image_edit" }

// Chat reports whether the model answers chats, or the proxy does not say what it does.
func (m Model) Chat() bool { return m.Mode == "" || m.Mode == "chat" || m.Mode == "responses" }

// Served is what the proxy serves, in the order of names. A nil *Served is a proxy that was not asked.
type Served struct {
	Models    []Model
	Wildcards []string // such as openai/*: the proxy takes every name that fits, listed or not
}

// Find returns the model of that id.
func (s *Served) Find(id string) (Model, bool) {
	if s == nil {
		return Model{}, false
	}
	i := slices.IndexFunc(s.Models, func(m Model) bool { return m.ID == id })
	if i < 0 {
		return Model{}, false
	}
	return s.Models[i], true
}

// Serves reports whether the proxy takes the name: it lists it, or has a wildcard for it.
func (s *Served) Serves(id string) bool {
	if _, ok := s.Find(id); ok || s == nil {
		return ok
	}
	return slices.ContainsFunc(s.Wildcards, func(w string) bool {
		before, after, _ := strings.Cut(w, "*")
		return len(id) >= len(before)+len(after) && strings.HasPrefix(id, before) && strings.HasSuffix(id, after)
	})
}

// shared is the range of addresses of carriers, and of Tailscale, which OpenClaw takes for private, too.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// privateHost reports whether an address is on a private network but not this machine: OpenClaw then wants leave. Of a name
// only its ending tells.
func privateHost(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" || host == "localhost" || host == "host.docker.internal" {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsPrivate() || ip.IsLinkLocalUnicast() || shared.Contains(ip)
	}
	return !strings.Contains(host, ".") || slices.ContainsFunc([]string{".local", ".internal", ".lan", ".home.arpa", ".svc", ".ts.net"},
		func(ending string) bool { return strings.HasSuffix(host, ending) })
}

// defaultGatewayPort is where a gateway listens that is not told otherwise.
const defaultGatewayPort = "18789"

// GatewayPort is the port of the gateway that a configuration describes: OPENCLAW_GATEWAY_PORT beats it, as it does for
// OpenClaw.
func GatewayPort(root *Node, getenv func(string) string) string {
	port := root.Get("gateway", "port")
	switch set := getenv("OPENCLAW_GATEWAY_PORT"); {
	case set != "":
		return set
	case port.Is(Number) && port.Number > 0:
		return strconv.Itoa(int(port.Number))
	}
	return defaultGatewayPort
}
