package litellmtest

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// The statuses of a log row.
const (
	statusSuccess = "success"
	statusFailure = "failure"
)

// logRow is one row of the spend log.
type logRow struct {
	requestID, callID, callType  string
	token, alias, userID, teamID string
	model, modelID, group        string
	provider                     string
	status                       string
	spend, inputCost, outputCost decimal.Decimal
	prompt, completion           int
	start, end                   time.Time
	endUser, ip                  string
	tags                         []string
	hit                          bool // answered by the proxy's own cache
	fallbacks                    int
	original                     string
	known                        bool     // a failure whose model was asked for, with fallbacks recorded
	refused                      *refusal // nil on success
}

// subjects are the budgets that the row's cost counts against.
func (r *logRow) subjects() []string {
	found := []string{keySubject(r.token), userSubject(r.userID)}
	if r.teamID != "" {
		found = append(found, teamSubject(r.teamID), memberSubject(r.teamID, r.userID))
	}
	return found
}

// book counts a call at once on this worker and writes its row when the next flush is due.
func (c *call) book(row *logRow) {
	for _, subject := range row.subjects() {
		l := c.proxy.live[subject]
		l.spent = l.spent.Add(row.spend)
		c.proxy.live[subject] = l
	}
	due := c.now
	if every := c.proxy.flush; every > 0 {
		due = c.now.Truncate(every).Add(every)
	}
	c.store.pending = append(c.store.pending, pendingCall{worker: c.proxy, row: row, due: due, lost: c.proxy.dbDown.Load()})
	c.store.flushUntil(c.now)
}

// addLog puts a row in its place by start time, and into the daily sums. A row already there stays.
func (s *store) addLog(row *logRow) {
	if s.seen[row.requestID] {
		return
	}
	s.seen[row.requestID] = true
	s.addDaily(row)
	if s.noLogs {
		return
	}
	at, _ := slices.BinarySearchFunc(s.logs, row, func(a, b *logRow) int {
		if a.start.After(b.start) {
			return 1
		}
		return -1
	})
	s.logs = slices.Insert(s.logs, at, row)
}

// asRefusal is err as a refusal.
func asRefusal(err error) *refusal {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused
	}
	return &refusal{status: http.StatusInternalServerError, class: "Exception", text: err.Error()}
}

// logRefusal leaves a failure row for a call that was refused before its handler ran. Unknown keys leave one too.
func (c *call) logRefusal(err error) {
	chat := strings.HasSuffix(c.r.URL.Path, "/chat/completions")
	models := strings.HasSuffix(c.r.URL.Path, "/models")
	if c.proxy.dbDown.Load() || !chat && !models && (c.family() == family81 || !slices.Contains(infoRoutes(), c.r.URL.Path)) {
		return
	}
	row := &logRow{
		callID: c.store.uuid(), status: statusFailure, start: c.now, end: c.now, ip: "127.0.0.1", refused: asRefusal(err),
		token: tokenOf(bearer(c.r)),
	}
	row.requestID = row.callID
	if chat {
		row.model = c.askedModel()
	}
	if c.family() != family81 {
		c.nameRefusal(row, chat)
	}
	c.book(row)
}

// nameRefusal fills in what newer releases know of a refused call: whose it was, and the model it would have gone to.
func (c *call) nameRefusal(row *logRow, chat bool) {
	if c.family() == family106 {
		row.callType = c.r.URL.Path
	}
	if c.who != nil && c.who.key != nil {
		row.alias, row.userID, row.teamID = c.who.key.alias, c.who.userID, c.who.key.teamID
	}
	if !chat || c.family() != family106 {
		return
	}
	row.callType = "acompletion"
	if spec, ok := c.proxy.models.find(row.model); ok {
		row.model, row.group, row.modelID, row.provider = spec.Deployment, spec.Name, spec.id(), spec.provider()
	}
}

// json is the row as /spend/logs/v2 shows it.
func (r *logRow) json(f family) object {
	start, end := logTime(r.start), logTime(r.end)
	hit := "None"
	switch {
	case r.status == statusFailure:
		hit = "False"
	case r.hit:
		hit = "True"
	}
	o := object{
		"request_id": r.requestID, "call_type": r.callType, "api_key": r.token, "spend": rawDecimal(r.spend),
		"total_tokens": r.prompt + r.completion, "prompt_tokens": r.prompt, "completion_tokens": r.completion,
		"startTime": start, "endTime": end, "completionStartTime": end, "model": r.model, "model_id": r.modelID,
		"model_group": r.group, "custom_llm_provider": r.provider, "api_base": "", "user": r.userID,
		"metadata": r.metadata(f), "cache_hit": hit, "cache_key": "Cache OFF", "request_tags": list(r.tags),
		"team_id": r.teamID, "organization_id": "", "end_user": r.endUser, "requester_ip_address": r.ip,
		"session_id": r.callID, "status": r.status, "mcp_namespaced_tool_name": nil, "agent_id": nil,
	}
	if f != family81 {
		o["request_duration_ms"] = r.end.Sub(r.start).Milliseconds()
	}
	if f == family106 {
		o["litellm_call_id"] = r.callID
	}
	return o
}

// metadata is the row's metadata. Only the newest releases tell of fallbacks.
func (r *logRow) metadata(f family) object {
	o := object{
		"user_api_key": r.token, "user_api_key_alias": orNull(r.alias), "user_api_key_user_id": orNull(r.userID),
		"user_api_key_team_id": orNull(r.teamID), "user_api_key_org_id": nil, "user_api_key_team_alias": nil,
		"requester_ip_address": r.ip, "usage_object": nil, "cost_breakdown": nil, "batch_models": nil,
	}
	if f == family106 {
		o.with(object{"litellm_call_id": r.callID, "attempted_fallbacks": nil, "original_model_group": nil, "status": nil})
	}
	if r.refused != nil {
		if r.known && f == family106 {
			o.with(object{"attempted_fallbacks": 0, "original_model_group": r.original})
		}
		return o.with(object{"status": statusFailure, "error_information": r.errorInformation(f)})
	}
	o.with(object{
		"usage_object": object{"total_tokens": r.prompt + r.completion, "prompt_tokens": r.prompt, "completion_tokens": r.completion},
		"cost_breakdown": object{
			"input_cost": rawDecimal(r.inputCost), "output_cost": rawDecimal(r.outputCost),
			"total_cost": rawDecimal(r.spend), "original_cost": rawDecimal(r.spend),
		},
	})
	if f == family106 {
		o.with(object{"attempted_fallbacks": r.fallbacks, "original_model_group": r.original, "attempted_retries": 0})
	}
	return o
}

// errorInformation says why a call failed.
func (r *logRow) errorInformation(f family) object {
	o := object{
		"traceback": "", "error_code": strconv.Itoa(r.refused.status), "error_class": r.refused.class,
		"llm_provider": r.provider, "error_message": r.refused.text,
	}
	if f == family81 && r.refused.kind == typeBudget {
		o["error_code"] = ""
	} else if f == family81 && r.refused.class == "ProxyException" {
		o["error_message"] = ""
	}
	if f == family106 {
		o["normalized_error"] = normalized(r.refused)
	}
	return o
}

// normalized is the word new releases sort errors by.
func normalized(r *refusal) string {
	switch {
	case r.kind == typeBudget:
		return "429_BUDGET_EXCEEDED"
	case r.kind == typeModel:
		return "403_MODEL_ACCESS_DENIED"
	case r.class == "InternalServerError":
		return "500_PROVIDER_INTERNAL_ERROR"
	case r.status == http.StatusUnauthorized:
		return "401_AUTHENTICATION_FAILED"
	case r.status == http.StatusForbidden:
		return "403_PERMISSION_DENIED"
	default:
		return strconv.Itoa(r.status) + "_" + strings.ToUpper(strings.ReplaceAll(http.StatusText(r.status), " ", "_"))
	}
}

// rawDecimal is money as a plain JSON number.
type rawDecimal decimal.Decimal

// MarshalJSON prints 0 as 0 and 0.05 as 0.05.
func (d rawDecimal) MarshalJSON() ([]byte, error) { return []byte(decimal.Decimal(d).String()), nil }

// logTime is a time as log rows have it.
func logTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000") + "+00:00" }
