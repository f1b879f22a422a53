package budget

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

const (
	enoughRequests  = 10 // to speak of a rate
	criticalFailure = 90 // percent of requests failed that is critical

	overBudget = "BudgetExceededError" // LiteLLM's class of a refusal, whichever budget is spent
)

// requestCost judges the dearest of all requests that were read, where an amount is set: a pass that comes late misses none.
func requestCost(f Facts, p Policy, _ time.Time) []finding.Finding {
	limit := p.RequestCost
	if f.Recent == nil || !limit.Valid {
		return nil
	}
	dear := slices.DeleteFunc(slices.Collect(f.Recent.all), func(q Request) bool { return q.Spend.LessThan(limit.Decimal) })
	if len(dear) == 0 {
		return nil
	}
	dearest := slices.MaxFunc(dear, func(a, b Request) int { return cmp.Or(a.Spend.Cmp(b.Spend), b.At.Compare(a.At)) })
	return []finding.Finding{DearRequests(f, f.Recent.Source, dearest, int64(len(dear)), limit.Decimal)}
}

// DearRequests is the finding that n requests of a key cost the limit or more, dearest the most of them.
func DearRequests(f Facts, source string, dearest Request, n int64, limit decimal.Decimal) finding.Finding {
	out := about(f, RuleRequest, finding.Warning)
	out.Window, out.Source = "", source // a reset makes no new story of the same request
	out.Summary = fmt.Sprintf("a single request of %s cost what is set or more", f.Key)
	if n > 1 {
		out.Summary = fmt.Sprintf("%d requests of %s cost what is set or more each", n, f.Key)
	}
	out.Observed, out.Limit, out.Since = dollars(dearest.Spend), dollars(limit), dearest.At
	out.Cause = fmt.Sprintf("model %s, %d tokens", dearest.Model, dearest.Tokens)
	out.Who = asked(dearest)
	out.Advice = "Look the request up in LiteLLM's log by its id or time: a runaway context is the usual reason; else raise " +
		"alerts.request_cost."
	return out
}

// asked names a request and its user. Its id is a name as well: a caller may choose it.
func asked(q Request) string {
	text := "request " + q.ID
	if q.User != "" {
		text += " of user " + q.User
	}
	return text
}

// failures judges how many of the recent requests failed. A request that a fallback saved did not fail.
func failures(f Facts, p Policy, now time.Time) []finding.Finding {
	if f.Recent == nil || !p.FailureRate.Valid || len(f.Recent.Requests) < enoughRequests {
		return nil
	}
	var failed []Request
	for _, q := range f.Recent.Requests {
		if q.Failed {
			failed = append(failed, q)
		}
	}
	all := decimal.NewFromInt(int64(len(f.Recent.Requests)))
	scaled := decimal.NewFromInt(hundred * int64(len(failed)))
	if len(failed) == 0 || scaled.LessThan(p.FailureRate.Decimal.Mul(all)) {
		return nil
	}
	out := about(f, RuleFailures, finding.Warning)
	if scaled.GreaterThanOrEqual(all.Mul(decimal.NewFromInt(criticalFailure))) {
		out.Severity = finding.Critical
	}
	out.Window, out.Source = "", f.Recent.Source
	out.Summary = fmt.Sprintf("%d of the last %d requests of %s failed", len(failed), len(f.Recent.Requests), f.Key)
	out.Observed = &finding.Quantity{Value: scaled.DivRound(all, 1), Unit: "%"}
	out.Limit = &finding.Quantity{Value: p.FailureRate.Decimal, Unit: "%"}
	out.Since = slices.MinFunc(failed, func(a, b Request) int { return a.At.Compare(b.At) }).At
	f.sayWhatFailed(&out, failed)
	out.Advice = "Look at the error in LiteLLM's log: a blocked key, a model that is not there and a provider that refuses are the usual reasons."
	if why, advice := overspent(f, failed, now); why != "" {
		out.Cause, out.Advice = join(out.Cause, why), advice
	}
	return []finding.Finding{out}
}

// sayWhatFailed names the commonest error and model of failed requests. Both are texts that a caller or a provider may
// have made up, unless they are known.
func (f Facts) sayWhatFailed(out *finding.Finding, failed []Request) {
	class := commonest(failed, func(q Request) string { return q.Error })
	model := commonest(failed, func(q Request) string { return q.Model })
	switch {
	case class == "":
		out.Cause = "mostly errors without a class"
	case slices.Contains(errorClasses(), class):
		out.Cause = "mostly " + class
	default:
		out.Said = "mostly " + class
	}
	switch {
	case model == "":
		out.Cause = join(out.Cause, "mostly for no model that is there")
	case f.answered(model):
		out.Cause = join(out.Cause, "mostly for "+model)
	default:
		out.Said = join(out.Said, "mostly for "+model)
	}
}

// answered reports whether a model has answered a request of the key, and so is one.
func (f Facts) answered(model string) bool {
	return slices.ContainsFunc(f.Recent.Requests, func(q Request) bool { return q.Model == model && !q.Failed }) ||
		slices.ContainsFunc(f.byModel(), func(s ModelSpend) bool { return s.Model == model && s.Requests > s.Failed })
}

// errorClasses are LiteLLM's own names of what went wrong with a request.
func errorClasses() []string {
	return []string{
		"APIConnectionError", "APIError", "APIResponseValidationError", "AuthenticationError", "BadGatewayError",
		"BadRequestError", overBudget, "ContentPolicyViolationError", "ContextWindowExceededError", "HTTPException",
		"ImageFetchError", "InternalServerError", "InvalidRequestError", "JSONSchemaValidationError",
		"MidStreamFallbackError", "MockException", "NotFoundError", "OpenAIError", "PermissionDeniedError",
		"ProxyException", "ProxyModelNotFoundError", "RateLimitError", "RejectedRequestError", "RouterRateLimitError",
		"RouterRateLimitErrorBasic", "ServiceUnavailableError", "Timeout", "UnprocessableEntityError",
		"UnsupportedParamsError",
	}
}

// overspent says what stands behind failures that are mostly refusals for a spent budget, and what to do; "" of others. Not
// every release's rows tell whose budget it was. What is left of this one tells whether it can be this one.
func overspent(f Facts, failed []Request, now time.Time) (why, advice string) {
	refused := slices.DeleteFunc(slices.Clone(failed), func(q Request) bool { return q.Error != overBudget })
	if 2*len(refused) <= len(failed) {
		return "", ""
	}
	last := slices.MaxFunc(refused, func(a, b Request) int { return a.At.Compare(b.At) }).At
	since := ""
	if slices.ContainsFunc(f.Recent.Requests, func(q Request) bool { return !q.Failed && q.At.After(last) }) {
		since = "a request was answered since"
	}
	const another = "Raise or reset the budget that LiteLLM's log names with the error (a team's, tag's, model's, end user's or the virtual key's own)"
	switch {
	case !f.Limit.Valid:
		return join("this key has no budget: another one is spent", since), another + "."
	case spent(f):
		return "its budget is spent", "Raise max_budget" + orWait(f, now) + "."
	case last.Before(f.WindowStart):
		return "its budget was spent until the reset on " + day(f.WindowStart), "Raise max_budget if it should last longer."
	}
	return join(show(f.left())+" of its own budget is left", since), another + "; if it is this one, calls at the same time hold the rest back, " +
		"or the proxy has not seen a reset or a raised limit: wait ten minutes, then restart its workers."
}

// commonest returns the word that most requests have, the first by name of several; "" if more requests have none.
func commonest(all []Request, word func(Request) string) string {
	counts := map[string]int{}
	for _, q := range all {
		counts[word(q)]++
	}
	best, most := "", 0
	for _, w := range slices.Sorted(maps.Keys(counts)) {
		if w != "" && counts[w] > most {
			best, most = w, counts[w]
		}
	}
	if counts[""] > most {
		return ""
	}
	return best
}

// unpriced judges models whose every answer was free although it took tokens. What LiteLLM's own cache answered is left
// out, where requests are known; sums by day do not tell.
func unpriced(f Facts, _ Policy, _ time.Time) []finding.Finding {
	models := free(f.byModel())
	source := f.DaysSource
	if len(models) == 0 && f.Recent != nil {
		models, source = freeRecently(f.Recent.Requests), f.Recent.Source
	}
	if len(models) == 0 {
		return nil
	}
	out := about(f, RuleUnpriced, finding.Info)
	out.Window, out.Source, out.Level = "", source, strings.Join(models, ", ")
	out.Summary = fmt.Sprintf("%s uses %s, which LiteLLM counts as free", f.Key, strings.Join(models, ", "))
	out.Cause = "its answers took tokens and cost nothing: LiteLLM knows no price for it, or it is free"
	out.Advice = "Set input_cost_per_token and output_cost_per_token for it in LiteLLM's model_list, unless it is free: until then no budget holds it."
	return []finding.Finding{out}
}

// free returns the models that answered, took tokens and cost nothing.
func free(models []ModelSpend) []string {
	var names []string
	for _, m := range models {
		if m.Spend.IsZero() && m.Tokens > 0 && m.Requests > m.Failed+m.Hits {
			names = append(names, m.Model)
		}
	}
	return names
}

func freeRecently(all []Request) []string {
	free := map[string]bool{}
	for _, q := range all {
		if q.Failed || q.CacheHit || q.Model == "" || q.Tokens == 0 {
			continue
		}
		before, seen := free[q.Model]
		free[q.Model] = q.Spend.IsZero() && (before || !seen)
	}
	var models []string
	for m, is := range free {
		if is {
			models = append(models, m)
		}
	}
	slices.Sort(models)
	return models
}
