package litellmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// KeyState is a key's row, for assertions.
type KeyState struct {
	Token, Alias, UserID, TeamID string
	Models                       []string
	Spend                        decimal.Decimal // in the row; not what a flush has still to bring
	MaxBudget                    decimal.NullDecimal
	BudgetDuration               string
	BudgetResetAt, Expires       time.Time
	Blocked                      bool
	Deleted                      bool
	Metadata                     map[string]json.RawMessage
	CreatedBy                    string
	CreatedAt                    time.Time
}

// state is the row as a KeyState.
func (k *keyRow) state() KeyState {
	metadata := map[string]json.RawMessage{}
	if json.Unmarshal(orEmpty(k.metadata), &metadata) != nil {
		metadata = nil
	}
	return KeyState{
		Token: k.token, Alias: k.alias, UserID: k.userID, TeamID: k.teamID, Models: slices.Clone(k.models),
		Spend: k.spend, MaxBudget: k.maxBudget, BudgetDuration: k.window.duration, BudgetResetAt: k.window.resetAt,
		Expires: k.expires, Blocked: k.blocked != nil && *k.blocked, Deleted: k.deletion != nil,
		Metadata: maps.Clone(metadata), CreatedBy: k.createdBy, CreatedAt: k.createdAt,
	}
}

// UserState is a user's row, for assertions.
type UserState struct {
	ID, Role       string
	Spend          decimal.Decimal // in the row
	MaxBudget      decimal.NullDecimal
	BudgetDuration string
	BudgetResetAt  time.Time
}

// Key returns the row of a live or deleted key by its token.
func (p *Proxy) Key(token string) (state KeyState, ok bool) {
	p.locked(func(time.Time) {
		row := p.store.keys[token]
		if row == nil {
			row = p.store.lastDeleted(token)
		}
		if ok = row != nil; ok {
			state = row.state()
		}
	})
	return state, ok
}

// Keys returns every live key, oldest first.
func (p *Proxy) Keys() []KeyState { return p.keys(func(*keyRow) bool { return true }) }

// KeysOf returns every live key of a user, oldest first.
func (p *Proxy) KeysOf(userID string) []KeyState {
	return p.keys(func(k *keyRow) bool { return k.userID == userID })
}

func (p *Proxy) keys(which func(*keyRow) bool) (found []KeyState) {
	p.locked(func(time.Time) {
		for _, token := range p.store.order {
			if row := p.store.keys[token]; which(row) {
				found = append(found, row.state())
			}
		}
	})
	return found
}

// User returns a user's row.
func (p *Proxy) User(id string) (state UserState, ok bool) {
	p.locked(func(time.Time) {
		var u *userRow
		if u, ok = p.store.users[id], p.store.users[id] != nil; ok {
			state = UserState{u.id, u.role, u.spend, u.maxBudget, u.window.duration, u.window.resetAt}
		}
	})
	return state, ok
}

// Works reports what a model call with this key would get now: the status, and the error's type ("" for 200). It spends
// nothing and leaves no trace, so that an invariant can be checked at any moment.
func (p *Proxy) Works(key secret.Value, model string) (status int, kind string) {
	p.locked(func(now time.Time) { status, kind = p.admits(key, model, now) })
	return status, kind
}

// admits runs the checks of a chat call on the rows as they are, caches left out.
func (p *Proxy) admits(key secret.Value, model string, now time.Time) (status int, kind string) {
	row := p.store.keys[key.SHA256()]
	if row == nil {
		return http.StatusUnauthorized, typeUnknown
	}
	body, err := json.Marshal(object{"model": model})
	if err != nil {
		return http.StatusBadRequest, typeBad
	}
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/v1/chat/completions"}}
	c := &call{proxy: p, store: p.store, r: r, now: now, raw: body, who: &identity{key: row, userID: row.userID, token: row.token}}
	refused := c.admit(route{llm: true}, key.Reveal())
	if refused == nil && !c.mayUse(model) {
		refused = c.modelDenied(model)
	}
	if refused == nil {
		return http.StatusOK, ""
	}
	told := asRefusal(refused)
	return told.status, told.kind
}

// AddKeys makes n keys that are nobody's business: no user, no metadata, aliases "foreign-…".
func (p *Proxy) AddKeys(n int) {
	p.locked(func(now time.Time) {
		for range n {
			p.store.serial++
			value := fmt.Sprintf("sk-sandbox-foreign-%08d", p.store.serial)
			row := &keyRow{
				token: tokenOf(value), name: shortKey(value), alias: fmt.Sprintf("foreign-%08d", p.store.serial),
				createdAt: millis(now), updatedAt: millis(now), createdBy: masterID, updatedBy: masterID,
			}
			p.store.keys[row.token] = row
			p.store.order = append(p.store.order, row.token)
		}
	})
}

// Usage is one call that Record books as if it had been served, or refused, at some time.
type Usage struct {
	Token            string    // of the key
	At               time.Time // zero: now
	Model            string    // model group asked for
	Served           string    // model group that served, or with Failed the fallback that failed as well; "": Model
	Fallbacks        int       // how many groups failed before; 0 with Served set: 1
	Spend            decimal.Decimal
	PromptTokens     int
	CompletionTokens int
	Failed           bool
	EndUser          string
	Tags             []string
	CacheHit         bool // answered by the proxy's own cache
	Cooled           bool // refused because every deployment was left alone after failures
}

// Record books calls at once: rows in the log, daily sums, and spend of the key, its user and its team as far as the call
// falls into their window. It takes calls of any time, so that a history can be laid out before a test or a demonstration.
func (p *Proxy) Record(calls ...Usage) {
	p.locked(func(now time.Time) {
		for _, u := range calls {
			p.record(u, now)
		}
	})
}

// record books one call and writes its row.
func (p *Proxy) record(u Usage, now time.Time) {
	if u.At.IsZero() {
		u.At = now
	}
	if u.Served == "" {
		u.Served = u.Model
	} else if u.Served != u.Model && u.Fallbacks == 0 {
		u.Fallbacks = 1
	}
	p.store.serial++
	spec, known := p.models.find(u.Served)
	if !known {
		spec = ModelSpec{Name: u.Served}.complete()
	}
	row := &logRow{
		callID: fmt.Sprintf("00000000-0000-4000-9000-%012d", p.store.serial), callType: "acompletion",
		token: u.Token, model: spec.Deployment, modelID: spec.id(), group: spec.Name, provider: spec.provider(),
		status: statusSuccess, spend: u.Spend, outputCost: u.Spend, prompt: u.PromptTokens, completion: u.CompletionTokens,
		start: u.At.UTC(), end: u.At.UTC().Add(chatTime), endUser: u.EndUser, tags: u.Tags, hit: u.CacheHit, ip: "127.0.0.1",
		fallbacks: u.Fallbacks, original: u.Model,
	}
	row.requestID = "chatcmpl-" + row.callID
	if u.Failed {
		row.status, row.known, row.fallbacks = statusFailure, true, 0
		row.refused = &refusal{status: 500, class: "InternalServerError", text: "litellm.InternalServerError: recorded failure"}
		if u.Served != u.Model {
			row.refused.text = p.fam.failedText(u.Model, []ModelSpec{spec})
			if p.fam == family106 {
				row.group = u.Model
			}
		}
	}
	if u.Cooled {
		row.status, row.model = statusFailure, spec.Name
		row.refused = &refusal{status: 429, class: "RouterRateLimitError", text: "No deployments available for selected model, Try again in 60 seconds. " +
			"Passed model=" + spec.Name + ". pre-call-checks=False, cooldown_list=['" + spec.id() + "']"}
	}
	if key := p.store.keys[u.Token]; key != nil {
		row.alias, row.userID, row.teamID = key.alias, key.userID, key.teamID
	}
	for _, subject := range row.subjects() {
		l := p.live[subject]
		l.spent = l.spent.Add(row.spend)
		p.live[subject] = l
	}
	p.store.write(pendingCall{worker: p, row: row, past: true})
}

// Flush writes every call into the rows now, whatever FlushEvery says.
func (p *Proxy) Flush() {
	p.locked(func(time.Time) {
		for _, call := range p.store.pending {
			p.store.write(call)
		}
		p.store.pending = nil
	})
}

// SetSpendLogs says whether calls leave log rows from now on, as disable_spend_logs of a real proxy does. They count by day
// all the same.
func (p *Proxy) SetSpendLogs(on bool) { p.locked(func(time.Time) { p.store.noLogs = !on }) }

// PurgeLogs removes the log rows of calls before a time, as maximum_spend_logs_retention_period of a real proxy does.
func (p *Proxy) PurgeLogs(before time.Time) {
	p.locked(func(time.Time) {
		p.store.logs = slices.DeleteFunc(p.store.logs, func(r *logRow) bool { return r.start.Before(before) })
	})
}

// SetModel replaces the model of the same name, or adds one, on all workers of the database.
func (p *Proxy) SetModel(spec ModelSpec) { p.models.put(spec) }

// SetFailing makes a model fail, or work again, on all workers. Unknown names are ignored.
func (p *Proxy) SetFailing(name string, failing bool) {
	if spec, ok := p.models.find(name); ok {
		spec.Failing = failing
		p.models.put(spec)
	}
}

// SetHealth sets what the latest background check found of a model, as /health/latest tells it; message says what is
// wrong and is "" for a healthy one.
func (p *Proxy) SetHealth(model string, healthy bool, message string) {
	p.models.mu.Lock()
	defer p.models.mu.Unlock()
	p.models.check[model] = check{healthy, message, p.clock()}
}
