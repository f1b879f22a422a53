package litellmtest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/shopspring/decimal"
)

// ModelSpec is one model group with one deployment. A name with a * is a wildcard.
type ModelSpec struct {
	Name       string          // what callers ask for
	Wildcard   string          // the wildcard that it is one of; "": it has a name of its own
	Deployment string          // what the provider calls it; "": "openai/" + Name
	InputCost  decimal.Decimal // USD a token; both costs zero: the model has no price
	OutputCost decimal.Decimal
	Fallbacks  []string // model groups that serve when this one fails, in order
	Failing    bool     // every call fails with the provider's internal error
	Response   string   // what it answers; "": "hi"

	PromptTokens     int // a call's; 0: 10
	CompletionTokens int // a call's; 0: 20
	MaxInputTokens   int // 0: unknown
	MaxOutputTokens  int // 0: unknown

	Mode              string // "chat", "image_generation", …; "": not told
	Vision, Reasoning bool   // what it says that it supports
}

// DefaultModels are primary, which always fails and falls back to backup, and backup, whose calls cost 0.05 USD.
func DefaultModels() []ModelSpec {
	return []ModelSpec{
		{Name: "primary", Deployment: "openai/fake", Failing: true, Fallbacks: []string{"backup"}},
		{Name: "backup", Deployment: "openai/fake2", InputCost: decimal.New(1, -3), OutputCost: decimal.New(2, -3)},
	}
}

// models are the model groups of all workers of a store.
type models struct {
	mu    sync.Mutex
	specs []ModelSpec
	check map[string]check // :: model group → latest background check
}

func newModels(specs []ModelSpec) *models {
	m := &models{check: map[string]check{}}
	for _, spec := range specs {
		m.specs = append(m.specs, spec.complete())
	}
	return m
}

// complete is the spec with its defaults filled in.
func (s ModelSpec) complete() ModelSpec {
	if s.Deployment == "" {
		s.Deployment = "openai/" + s.Name
	}
	if s.Response == "" {
		s.Response = "hi"
	}
	if s.PromptTokens == 0 {
		s.PromptTokens = defaultPrompt
	}
	if s.CompletionTokens == 0 {
		s.CompletionTokens = defaultCompletion
	}
	s.Fallbacks = slices.Clone(s.Fallbacks)
	return s
}

// id is the deployment's id.
func (s ModelSpec) id() string {
	text := s.Name + "\x00" + s.Deployment
	if s.Wildcard != "" {
		text = s.Wildcard // all of them have that deployment
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// provider is the part of the deployment's name before the slash.
func (s ModelSpec) provider() string {
	provider, _, _ := strings.Cut(s.Deployment, "/")
	return provider
}

// bare is the deployment's name without the provider.
func (s ModelSpec) bare() string {
	_, bare, _ := strings.Cut(s.Deployment, "/")
	return bare
}

// priced reports whether the model costs anything.
func (s ModelSpec) priced() bool { return !s.InputCost.IsZero() || !s.OutputCost.IsZero() }

// all returns every model.
func (m *models) all() []ModelSpec {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.specs)
}

// find returns the model of a name.
func (m *models) find(name string) (ModelSpec, bool) {
	for _, spec := range m.all() {
		if spec.Name == name {
			return spec, true
		}
	}
	return ModelSpec{}, false
}

// unpriced reports whether name is a model that costs nothing as far as is known.
func (m *models) unpriced(name string) bool {
	spec, ok := m.find(name)
	return ok && !spec.priced()
}

// put replaces the model of the same name, or adds one.
func (m *models) put(spec ModelSpec) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.specs {
		if m.specs[i].Name == spec.Name {
			m.specs[i] = spec.complete()
			return
		}
	}
	m.specs = append(m.specs, spec.complete())
}

// mayUse reports whether a key may use a model.
func (c *call) mayUse(model string) bool {
	if c.who.key == nil || len(c.who.key.models) == 0 {
		return true
	}
	return slices.ContainsFunc(c.who.key.models, func(allowed string) bool {
		prefix, star := strings.CutSuffix(allowed, "*")
		return allowed == model || star && strings.HasPrefix(model, prefix) ||
			allowed == "all-proxy-models" || allowed == "all-team-models"
	})
}

// modelList is GET /v1/models.
func modelList(c *call) (any, error) {
	data := []object{}
	for _, spec := range c.proxy.models.all() {
		if !c.mayUse(spec.Name) {
			continue
		}
		star, told := strings.Contains(spec.Name, "*"), c.flag("return_wildcard_routes")
		if star && !told && c.family() == family106 {
			continue
		}
		o := object{"id": spec.Name, "object": "model", "created": 1677610602, "owned_by": "openai"}
		if c.flag("include_metadata") {
			fallbacks := []string{}
			if kind := c.query.Get("fallback_type"); kind == "" || kind == "general" {
				fallbacks = list(spec.Fallbacks)
			}
			o["metadata"] = object{"fallbacks": fallbacks}
		}
		data = append(data, o)
		if star && told && c.family() != family106 {
			data = append(data, o)
		}
	}
	return object{"data": data, "object": "list"}, nil
}

// modelInfo is GET /model/info.
func modelInfo(c *call) (any, error) {
	data := []object{}
	for _, spec := range c.proxy.models.all() {
		if !c.mayUse(spec.Name) || strings.Contains(spec.Name, "*") && c.family() != family81 {
			continue
		}
		input, output := c.prices(spec)
		params := object{"model": spec.Deployment, "mock_response": spec.mock()}
		if spec.priced() {
			params.with(c.paramCosts(spec))
		}
		data = append(data, object{"model_name": spec.Name, "litellm_params": params, "model_info": object{
			"id": spec.id(), "db_model": false, "key": spec.Deployment, "max_tokens": nil,
			"max_input_tokens": orUnknown(spec.MaxInputTokens), "max_output_tokens": orUnknown(spec.MaxOutputTokens),
			"input_cost_per_token": input, "output_cost_per_token": output, "litellm_provider": spec.provider(), "mode": orNull(spec.Mode),
			"supports_vision": trueOrNull(spec.Vision), "supports_reasoning": trueOrNull(spec.Reasoning),
			"tpm": nil, "rpm": nil, "supported_openai_params": []string{"max_tokens", "max_completion_tokens", "stream", "user"},
		}})
	}
	return object{"data": data}, nil
}

// trueOrNull is true, or null for what is not said.
func trueOrNull(said bool) any {
	if said {
		return true
	}
	return nil
}

// mock is what the deployment is configured to answer.
func (s ModelSpec) mock() string {
	if s.Failing {
		return "litellm.InternalServerError"
	}
	return s.Response
}

// paramCosts are the costs in litellm_params: texts on old releases.
func (c *call) paramCosts(spec ModelSpec) object {
	if c.family() == family81 {
		return object{"input_cost_per_token": spec.InputCost.String(), "output_cost_per_token": spec.OutputCost.String()}
	}
	return object{"input_cost_per_token": number(spec.InputCost), "output_cost_per_token": number(spec.OutputCost)}
}

// prices are a model's costs a token as the release prints them: 0 or null where unknown.
func (c *call) prices(spec ModelSpec) (input, output any) {
	switch {
	case spec.priced():
		return number(spec.InputCost), number(spec.OutputCost)
	case c.family() == family106:
		return nil, nil
	default:
		return 0, 0
	}
}

// orUnknown is n, or null for 0.
func orUnknown(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// modelGroupInfo is GET /model_group/info.
func modelGroupInfo(c *call) (any, error) {
	data := []object{}
	for _, spec := range c.proxy.models.all() {
		if group := c.query.Get("model_group"); !c.mayUse(spec.Name) || group != "" && group != spec.Name {
			continue
		}
		input, output := c.prices(spec)
		data = append(data, object{
			"model_group": spec.Name, "providers": []string{spec.provider()}, "mode": orNull(spec.Mode), "tpm": nil, "rpm": nil,
			"max_input_tokens": orUnknown(spec.MaxInputTokens), "max_output_tokens": orUnknown(spec.MaxOutputTokens),
			"input_cost_per_token": input, "output_cost_per_token": output,
			"supports_vision": spec.Vision, "supports_function_calling": false, "supports_reasoning": spec.Reasoning,
			"supports_web_search": false, "supported_openai_params": []string{"max_tokens", "stream", "user"},
			"health_status": nil, "health_response_time": nil, "health_checked_at": nil,
		})
	}
	return object{"data": data}, nil
}

// routerSettings is GET /router/settings.
func routerSettings(c *call) (any, error) {
	fallbacks := []object{}
	for _, spec := range c.proxy.models.all() {
		if len(spec.Fallbacks) > 0 {
			fallbacks = append(fallbacks, object{spec.Name: spec.Fallbacks})
		}
	}
	return object{"fields": []string{}, "current_values": object{
		"routing_strategy": "simple-shuffle", "num_retries": 0, "timeout": number(decimal.NewFromInt(6000)),
		"max_fallbacks": maxFallbacks, "fallbacks": fallbacks, "context_window_fallbacks": nil,
		"content_policy_fallbacks": nil, "allowed_fails": 3, "cooldown_time": 5,
	}, "routing_strategy_descriptions": object{}}, nil
}

// fallbackOf is GET /fallback/{model}.
func fallbackOf(c *call) (any, error) {
	name := strings.TrimPrefix(c.r.URL.Path, "/fallback/")
	kind := c.query.Get("fallback_type")
	if kind == "" {
		kind = "general"
	}
	if !slices.Contains([]string{"general", "context_window", "content_policy"}, kind) {
		const known = "'general', 'context_window' or 'content_policy'"
		return nil, c.invalid("literal_error", "Input should be "+known, kind, object{"expected": known}, "query", "fallback_type")
	}
	spec, _ := c.proxy.models.find(name)
	if len(spec.Fallbacks) == 0 || kind != "general" {
		return nil, detail(http.StatusNotFound, object{"error": "No " + kind + " fallbacks configured for model '" + name + "'"})
	}
	return object{"model": name, "fallback_models": spec.Fallbacks, "fallback_type": kind}, nil
}
