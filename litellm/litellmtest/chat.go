package litellmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// maxFallbacks is how many fallbacks one call may try.
const maxFallbacks = 5

// defaultPrompt and defaultCompletion are the tokens of a mock answer.
const (
	defaultPrompt     = 10
	defaultCompletion = 20
)

// chatTime is how long a call takes, by its log row.
const chatTime = 5 * time.Millisecond

// chatRequest is what is read of a chat call's body.
type chatRequest struct {
	Model               string          `json:"model"`
	Messages            json.RawMessage `json:"messages"`
	MaxTokens           int64           `json:"max_tokens"`
	MaxCompletionTokens int64           `json:"max_completion_tokens"`
	DisableFallbacks    bool            `json:"disable_fallbacks"`
	User                string          `json:"user"`
	Metadata            struct {
		Tags []string `json:"tags"`
	} `json:"metadata"`
	Cache struct {
		Use bool `json:"use-cache"`
	} `json:"cache"`
}

// question is what the cache knows an answer by.
func (q chatRequest) question() string {
	return fmt.Sprintf("%s\x00%d\x00%s", q.Model, q.MaxTokens, q.Messages)
}

// answered is an answer in the cache.
type answered struct {
	prompt, completion int
}

// chat parses the body leniently: the zero request if it is no chat call.
func (c *call) chat() chatRequest {
	var q chatRequest
	if json.Unmarshal(c.raw, &q) != nil {
		return chatRequest{}
	}
	return q
}

// askedModel is the model that the body names.
func (c *call) askedModel() string { return c.chat().Model }

// chatCompletion is POST /v1/chat/completions.
func chatCompletion(c *call) (any, error) {
	q := c.chat()
	if !c.mayUse(q.Model) {
		denied := c.modelDenied(q.Model)
		c.logRefusal(denied)
		return nil, denied
	}
	asked, known := c.proxy.models.find(q.Model)
	if !known {
		return nil, c.fail(q, ModelSpec{Deployment: q.Model}, c.noSuchModel(q.Model))
	}
	c.inFlight(q, asked)
	served := asked
	var tried []ModelSpec
	if asked.Failing {
		found := false
		if !q.DisableFallbacks {
			served, tried, found = c.fallBack(asked)
		}
		if !found {
			return nil, c.fail(q, c.family().failedRow(asked, tried), c.modelFailed(asked, tried))
		}
	}
	return c.complete(q, served, len(tried)), nil
}

// failedRow is the model that a failure row names: newer releases that which was asked for, older ones the last tried.
func (f family) failedRow(asked ModelSpec, tried []ModelSpec) ModelSpec {
	if f == family106 || len(tried) == 0 {
		return asked
	}
	return tried[len(tried)-1]
}

// fallBack finds who serves instead of a failing model, each model tried once, depth first. tried are the attempts.
func (c *call) fallBack(failing ModelSpec) (served ModelSpec, tried []ModelSpec, found bool) {
	seen := map[string]bool{failing.Name: true}
	var walk func(spec ModelSpec) (ModelSpec, bool)
	walk = func(spec ModelSpec) (ModelSpec, bool) {
		for _, name := range spec.Fallbacks {
			next, known := c.proxy.models.find(name)
			if seen[name] || !known || len(tried) >= maxFallbacks {
				continue
			}
			seen[name] = true
			tried = append(tried, next)
			if !next.Failing {
				return next, true
			}
			if deeper, ok := walk(next); ok {
				return deeper, true
			}
		}
		return ModelSpec{}, false
	}
	served, found = walk(failing)
	return served, tried, found
}

// bound reports whether any budget binds the caller.
func (c *call) bound() bool {
	return c.who.key != nil &&
		slices.ContainsFunc(c.limits(route{llm: true}), func(l limit) bool { return l.max.Valid })
}

// tokens are what a call to a model counts: the mock's figures, but the newest releases count the prompt of a call that
// they reserve budget for.
func (c *call) tokens(q chatRequest, spec ModelSpec, fallbacks int) (prompt, completion int) {
	if c.family() == family106 && fallbacks == 0 && spec.PromptTokens == defaultPrompt && c.bound() {
		return promptTokens(q.Messages), spec.CompletionTokens
	}
	return spec.PromptTokens, spec.CompletionTokens
}

// promptTokens estimates the tokens of messages: seven, and one for each four letters of text begun.
func promptTokens(raw json.RawMessage) int {
	var messages []struct {
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &messages) != nil {
		return 7
	}
	tokens := 3
	for _, message := range messages {
		var text string
		if json.Unmarshal(message.Content, &text) != nil {
			text = string(message.Content)
		}
		words := len(strings.Fields(text))
		tokens += 4 + max(words, (len(text)+4)/6)
	}
	return tokens
}

// complete books a served call and answers it.
func (c *call) complete(q chatRequest, spec ModelSpec, fallbacks int) object {
	prompt, completion := c.tokens(q, spec, fallbacks)
	before, hit := c.proxy.answers[q.question()]
	if hit = hit && q.Cache.Use; hit {
		prompt, completion = before.prompt, before.completion
	} else if q.Cache.Use {
		c.proxy.answers[q.question()] = answered{prompt, completion}
	}
	input := spec.InputCost.Mul(decimal.NewFromInt(int64(prompt)))
	output := spec.OutputCost.Mul(decimal.NewFromInt(int64(completion)))
	cost := input.Add(output)
	row := c.newRow(q, spec)
	row.status, row.callType, row.spend, row.prompt, row.completion = statusSuccess, "acompletion", cost, prompt, completion
	row.requestID, row.provider = "chatcmpl-"+row.callID, spec.provider()
	row.fallbacks, row.original = fallbacks, q.Model
	row.inputCost, row.outputCost = input, output
	c.chatHeaders(row, spec)
	if row.hit = hit; hit { // the header goes on telling the cost
		row.spend, row.inputCost, row.outputCost = decimal.Zero, decimal.Zero, decimal.Zero
		c.header.Set("X-Litellm-Cache-Key", secret.New(q.question()).SHA256())
	}
	c.book(row)
	model := q.Model
	if fallbacks > 0 {
		model = spec.bare()
	}
	return object{
		"id": row.requestID, "created": c.now.Unix(), "model": model, "object": "chat.completion",
		"choices": []object{{"finish_reason": "stop", "index": 0,
			"message": object{"content": spec.Response, "role": "assistant"}}},
		"usage": object{"completion_tokens": completion, "prompt_tokens": prompt, "total_tokens": prompt + completion},
	}
}

// chatHeaders sets the x-litellm-* headers of a served call.
func (c *call) chatHeaders(row *logRow, spec ModelSpec) {
	zero := float(decimal.Zero)
	headers := map[string]string{
		"call-id": row.callID, "model-id": spec.id(), "model-api-base": "https://api.openai.com", "version": c.proxy.release,
		"response-cost": float(row.spend), "response-cost-original": float(row.spend),
		"response-cost-discount-amount": zero, "response-cost-margin-amount": zero, "response-cost-margin-percent": zero,
		"response-duration-ms": strconv.FormatInt(chatTime.Milliseconds(), 10), "model-group": spec.Name,
		"attempted-retries": "0", "attempted-fallbacks": strconv.Itoa(row.fallbacks),
	}
	headers["key-spend"] = float(row.spend)
	if c.who.key != nil {
		subject := keySubject(row.token)
		if stored := c.store.keys[row.token]; stored != nil {
			headers["key-spend"] = float(c.proxy.current(subject, stored.spend))
		}
		if c.who.key.maxBudget.Valid {
			headers["key-max-budget"] = float(c.who.key.maxBudget.Decimal)
		}
	}
	if c.family() != family81 {
		headers["callback-duration-ms"] = zero
	}
	if c.family() == family106 {
		headers["model-name"] = spec.Deployment
		headers["response-cost-input"], headers["response-cost-output"] = float(row.inputCost), float(row.outputCost)
		headers["response-cost-tool-usage"] = zero
	}
	for name, value := range headers {
		c.header.Set("X-Litellm-"+name, value)
	}
}

// modelDenied refuses a model that the key's list does not name.
func (c *call) modelDenied(model string) *refusal {
	if c.family() == family106 {
		r := envelope(http.StatusForbidden, typeModel, "model", "The requested model '%s' is not available for this API "+
			"key, or the model name is invalid. Check the models available to you and try again.", model)
		r.class = "ModelAccessDeniedProxyException"
		return r
	}
	status := http.StatusForbidden
	if c.family() == family81 {
		status = http.StatusUnauthorized
	}
	return envelope(status, typeModel, "model", "key not allowed to access model. This key can only "+
		"access models=%s. Tried to access %s", pythonList(c.who.key.models), model)
}

// noSuchModel refuses a model that nobody configured.
func (c *call) noSuchModel(model string) *refusal {
	text := "/chat/completions: Invalid model name passed in model=" + orNone(model) +
		". Call `/v1/models` to view available models for your key."
	if c.family() == family106 {
		return envelope(http.StatusBadRequest, "invalid_request_error", nil, "%s", text)
	}
	if c.family() == family81 {
		text = pythonError(text)
	}
	return envelope(http.StatusBadRequest, "None", "None", "%s", text)
}

// modelFailed is the provider's error, after every fallback failed.
func (c *call) modelFailed(asked ModelSpec, tried []ModelSpec) *refusal {
	kind := ""
	if c.family() == family106 {
		kind = typeInternal
	}
	r := envelope(http.StatusInternalServerError, kind, nil, "%s", c.family().failedText(asked.Name, tried))
	r.class = "InternalServerError"
	return r
}

// failedText is what a failed call says: of the fallbacks that were tried, too.
func (f family) failedText(asked string, tried []ModelSpec) string {
	const provider = "litellm.InternalServerError: this is a mock internal server error"
	switch {
	case len(tried) == 0:
		return provider
	case f == family106:
		return fmt.Sprintf("%s\n\nLiteLLM: model group '%s' failed with the error above. Fallback to %s also failed: %s",
			provider, asked, tried[len(tried)-1].Name, provider)
	}
	var names []string
	for _, spec := range tried {
		names = append(names, "'"+spec.Name+"'")
	}
	return fmt.Sprintf("%s. Received Model Group=%s\nAvailable Model Group Fallbacks=[%s]\nError doing the fallback: %s",
		provider, asked, strings.Join(names, ", "), provider)
}

// fail writes a failure row and returns the refusal.
func (c *call) fail(q chatRequest, spec ModelSpec, err error) error {
	row := c.newRow(q, spec)
	row.requestID, row.status = row.callID, statusFailure
	if c.family() != family106 {
		row.tags = nil // of what failed, older releases log none
	}
	if c.family() == family106 {
		row.callType = "acompletion"
		if row.provider = ""; spec.Name != "" {
			row.provider = spec.provider()
			row.original, row.known = q.Model, true
		}
		if c.bound() && spec.Name != "" {
			row.prompt = promptTokens(q.Messages)
		}
	}
	row.refused = asRefusal(err)
	c.book(row)
	return err
}

// newRow is a log row of this call.
func (c *call) newRow(q chatRequest, spec ModelSpec) *logRow {
	row := &logRow{
		callID: c.store.uuid(),
		token:  c.who.token, userID: c.who.userID, start: c.now, end: c.now.Add(chatTime),
		model: spec.Deployment, group: spec.Name, endUser: q.User, ip: "127.0.0.1", tags: q.Metadata.Tags,
	}
	if spec.Name != "" {
		row.modelID = spec.id()
	}
	if c.who.key != nil {
		row.alias, row.teamID = c.who.key.alias, c.who.key.teamID
	}
	return row
}
