package litellm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// Models returns the model groups that the management key may use, with their configured fallbacks (GET /v1/models). Those
// with a wildcard, such as openai/*, are among them, beside the models known to be behind it.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	const op = "listing models"
	query := url.Values{"include_metadata": {"true"}, "fallback_type": {"general"}, "return_wildcard_routes": {"true"}}
	o, _, err := c.get(ctx, call{op: op, path: "/v1/models", query: query}, "data")
	if err != nil {
		return nil, err
	}
	r := reader{object: o}
	models, seen := []Model{}, map[string]bool{} // before 1.106 a wildcard is listed twice
	for _, raw := range r.list("data") {
		m := reader{}
		m.object, m.err = parseObject(raw)
		meta := reader{object: m.inner("metadata")}
		if name := m.text("id"); !seen[name] {
			seen[name] = true
			models = append(models, Model{Name: name, Fallbacks: meta.texts("fallbacks", "model")})
		}
		r.err = errors.Join(r.err, m.err, meta.err)
	}
	if r.err != nil {
		return nil, unreadable(op, r.err)
	}
	return models, nil
}

// Deployments returns what stands behind the model groups (GET /model/info): none where the proxy has no models loaded.
func (c *Client) Deployments(ctx context.Context) ([]Deployment, error) {
	const op = "listing deployments"
	o, _, err := c.get(ctx, call{op: op, path: "/model/info"}, "data")
	var e *Error
	if errors.As(err, &e) && e.Kind == NotFound && e.Status == http.StatusInternalServerError {
		return []Deployment{}, nil // "LLM Model List not loaded in"
	}
	if err != nil {
		return nil, err
	}
	r := reader{object: o}
	deployments := []Deployment{}
	for _, raw := range r.list("data") {
		row, err := parseObject(raw)
		if err != nil {
			return nil, unreadable(op, err)
		}
		d, err := readDeployment(row)
		if err != nil {
			return nil, unreadable(op, err)
		}
		deployments = append(deployments, d)
	}
	if r.err != nil {
		return nil, unreadable(op, r.err)
	}
	return deployments, nil
}

func readDeployment(row object) (Deployment, error) {
	r := reader{object: row}
	params, info := reader{object: r.inner("litellm_params")}, reader{object: r.inner("model_info")}
	// cost is a price that model_info tells or, on releases that leave it out there (1.81: those of caches), the
	// configuration that it comes from.
	cost := func(name string) decimal.NullDecimal {
		if told := info.amount(name); told.Valid && !told.Decimal.IsZero() {
			return told
		}
		if set := params.amount(name); set.Valid {
			return set
		}
		return info.amount(name)
	}
	d := Deployment{
		Group: r.text("model_name"), ID: info.text("id"), Model: params.text("model"),
		InputCost: cost("input_cost_per_token"), OutputCost: cost("output_cost_per_token"),
		CacheReadCost: cost("cache_read_input_token_cost"), CacheWriteCost: cost("cache_creation_input_token_cost"),
		MaxInputTokens: max(info.count("max_input_tokens"), 0), MaxOutputTokens: max(info.count("max_output_tokens"), 0),
		Mode: info.text("mode"), Raw: info.object,
	}
	return d, errors.Join(r.err, params.err, info.err)
}

// Chat sends one small chat completion with key ("Reply with ok.", at most maxTokens tokens) and tells who served it, past
// the proxy's own cache, which would hide who does. It costs what the model costs and is never repeated. A model that fails behind a proxy that works is an error of whatever
// kind the proxy gives it, mostly ServerFault or RateLimited.
func (c *Client) Chat(ctx context.Context, key secret.Value, model string, maxTokens int) (*ChatResult, error) {
	op := fmt.Sprintf("calling model %q", model)
	if key.IsZero() {
		return nil, ours(&Error{Op: op, Kind: BadRequest, Message: "the key is empty"})
	}
	a, err := c.do(ctx, call{op: op, method: http.MethodPost, path: "/v1/chat/completions", key: key, once: true, body: Fields{
		"model": model, "max_tokens": maxTokens,
		"messages": []any{Fields{"role": "user", "content": "Reply with ok."}},
		"cache":    Fields{"no-cache": true, "no-store": true},
	}})
	if err != nil {
		return nil, err
	}
	header := func(name string) reader {
		return reader{object: object{name: quoted(a.header.Get("X-Litellm-" + name))}}
	}
	group, fallbacks, cost, id := header("Model-Group"), header("Attempted-Fallbacks"), header("Response-Cost"), header("Call-Id")
	result := &ChatResult{
		ServedBy: group.text("Model-Group"), AttemptedFallbacks: int(fallbacks.count("Attempted-Fallbacks")),
		Cost: decimal.Max(cost.money("Response-Cost"), decimal.Zero), CallID: id.text("Call-Id"),
	}
	return result, nil
}
