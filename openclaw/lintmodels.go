package openclaw

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/figure"
)

// models judges the provider's rows.
func (c *check) models(provider Member) {
	m := provider.Value.Member("models")
	if len(m.Value.items()) == 0 {
		if c.paintsOnly() {
			return
		}
		at := provider.At
		if m.Value != nil {
			at = m.At
		}
		c.add(at, "no-models", finding.Warning, "no model is listed: OpenClaw takes discovered ones for free and guesses their windows",
			"list them; bot openclaw config --part provider prints the rows")
		return
	}
	seen := map[string]bool{}
	for _, row := range m.Value.Items {
		if !row.Is(Object) {
			c.add(row.At, "model-row", finding.Critical, "a model's row is no object", "give it id and name")
			continue
		}
		id := row.Get("id").String()
		if id == "" || row.Get("name").String() == "" {
			c.add(row.At, "model-row", finding.Critical, "the row lacks id or name, and OpenClaw wants both", "give both")
			continue
		}
		if seen[id] {
			c.add(row.Get("id").At, "duplicate-model", finding.Warning, fmt.Sprintf("the model %q is listed twice", id), "remove one")
			continue
		}
		seen[id] = true
		c.row(row, id)
	}
}

func (n *Node) items() []*Node {
	if n.Is(Array) {
		return n.Items
	}
	return nil
}

// row judges one model's row.
func (c *check) row(row *Node, id string) {
	at := row.Get("id").At
	if rest, ok := strings.CutPrefix(id, c.Provider+"/"); ok {
		if _, served := c.Served.Find(id); !served {
			c.add(at, "model-id", finding.Critical, fmt.Sprintf("the id %q repeats the provider, and the proxy is sent all of it", id), "write "+rest)
			return
		}
	}
	for _, in := range row.Get("input").items() {
		if !slices.Contains([]string{"text", "image", "video", "audio"}, in.String()) {
			c.add(in.At, "model-row", finding.Critical, "there is no such input", "use text, image, video or audio")
		}
	}
	if m := row.Get("compat").Member("appendOnlyRuntimeContext"); m.Value != nil {
		c.add(m.At, "obsolete-key", finding.Critical, "OpenClaw 2026.9.6 does not know appendOnlyRuntimeContext and refuses to start", "remove it")
	}
	served, ok := c.Served.Find(id)
	if c.Served != nil && !c.Served.Serves(id) {
		c.add(at, "not-served", finding.Critical, fmt.Sprintf("the proxy serves no model %q to this key", id), "use a name of GET /v1/models"+c.like(id))
		return
	}
	if served.Image() {
		return
	}
	c.count(row, at, "contextWindow", served.Window)
	c.count(row, at, "maxTokens", served.MaxTokens)
	c.cost(row, at, served)
	c.abilities(row, served, ok)
}

func (c *check) like(id string) string {
	for _, m := range c.Served.Models {
		if strings.EqualFold(m.ID, id) || strings.HasSuffix(m.ID, "/"+id) || strings.HasSuffix(id, "/"+m.ID) {
			return ", such as " + m.ID
		}
	}
	return ""
}

// count judges a number of tokens.
func (c *check) count(row *Node, at Position, name string, served int64) {
	n := row.Get(name)
	switch {
	case n == nil:
		mend := "give it"
		if served > 0 {
			mend = fmt.Sprintf("write %s: %d", name, served)
		}
		c.add(at, "missing-limit", finding.Warning, "without "+name+" OpenClaw guesses", mend)
	case !n.Is(Number) || n.Number <= 0 || n.Number != float64(int64(n.Number)):
		c.add(n.At, "model-row", finding.Critical, name+" is no whole number above zero", "write the number of tokens")
	case served > 0 && int64(n.Number) > served:
		c.add(n.At, "wrong-limit", finding.Warning, fmt.Sprintf("%s is %d, but the proxy says %d: requests may be refused", name, int64(n.Number), served),
			fmt.Sprintf("write %d", served))
	case served > 0 && int64(n.Number) < served:
		c.add(n.At, "wrong-limit", finding.Info, fmt.Sprintf("%s is %d, and the proxy offers %d", name, int64(n.Number), served),
			fmt.Sprintf("write %d to use all of it", served))
	}
}

// cost judges the prices of a row, in US dollars a million tokens.
func (c *check) cost(row *Node, at Position, served Model) {
	cost := row.Get("cost")
	if cost == nil {
		mend := "give cost in USD per million tokens"
		if served.Input.Valid && served.Output.Valid {
			mend = fmt.Sprintf("write cost: {input: %s, output: %s%s%s}", served.Input.Decimal, served.Output.Decimal,
				optional(", cacheRead: ", served.CacheRead), optional(", cacheWrite: ", served.CacheWrite))
		}
		c.add(at, "missing-cost", finding.Warning, "without cost OpenClaw takes the model for free", mend)
		return
	}
	for _, p := range []struct {
		name string
		want decimal.NullDecimal
	}{{"input", served.Input}, {"output", served.Output}, {"cacheRead", served.CacheRead}, {"cacheWrite", served.CacheWrite}} {
		n := cost.Get(p.name)
		if !p.want.Valid {
			continue
		}
		if n == nil {
			c.add(cost.At, "missing-cost", finding.Warning, "without cost."+p.name+" OpenClaw takes such tokens for free, and the proxy charges for them",
				fmt.Sprintf("write %s: %s", p.name, p.want.Decimal))
			continue
		}
		got, err := figure.Parse(n.Text)
		if err != nil {
			got = decimal.NewFromFloat(finite(n.Number))
		}
		if got.Equal(p.want.Decimal) {
			continue
		}
		mend := "write " + p.want.Decimal.String()
		if got.Shift(6).Equal(p.want.Decimal) {
			mend += ": the unit is a million tokens, not one"
		}
		c.add(n.At, "wrong-cost", finding.Warning, fmt.Sprintf("cost.%s is %s, and the proxy charges %s USD a million tokens", p.name, got, p.want.Decimal), mend)
	}
}

func finite(f float64) float64 {
	if f != f || f > 1e300 || f < -1e300 {
		return -1
	}
	return f
}

// abilities judges what the row says the model can do.
func (c *check) abilities(row *Node, served Model, known bool) {
	if !known {
		return
	}
	for _, in := range row.Get("input").items() {
		if in.String() == "image" && !served.Vision && served.Mode != "" && served.Window > 0 {
			c.add(in.At, "wrong-input", finding.Warning, "the proxy does not say that this model sees pictures", `leave "image" out`)
		}
	}
}
