package litellm

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

// fault is what an error body says, whichever of LiteLLM's and FastAPI's envelopes it came in.
type fault struct {
	kind    string // error.type
	message string
	known   bool // the body had one of the envelopes
}

// classify makes the error of an answer that is not good.
func (c *Client) classify(q *call, a *answer) *Error {
	f := parseFault(a.body)
	e := &Error{Op: q.op, Route: q.route(), Status: a.status, Type: clean(f.kind, c.Key, q.key, q.secret)}
	e.RetryAfter, _ = netx.RetryAfter(a.header, a.date)
	e.Message = clean(f.message, c.Key, q.key, q.secret)
	switch {
	case a.status/100 == 3:
		e.Kind, e.Own = NotLiteLLM, "the address answers with a redirect, which is not followed"
		e.Message = e.Own + redirectAdvice(a.header.Get("Location"))
	case a.status/100 == 2:
		e.Kind, e.Message = NotLiteLLM, "the answer is no JSON: is the address that of a LiteLLM proxy?"
		e.Own = e.Message
	default:
		e.Kind = kindOf(q, a, f, cmp.Or(q.key, c.Key).SHA256())
	}
	if e.Message == "" {
		e.Message = strings.ToLower(http.StatusText(a.status))
		e.Own = e.Message
	}
	return e
}

// kindOf judges an error answer. asker is the token of the key that asked. Texts and types: docs/facts.md.
func kindOf(q *call, a *answer, f fault, asker string) Kind {
	if kind := kindOfType(q, f, asker); kind != "" {
		return kind
	}
	if kind := kindOfText(a.status, f.message); kind != "" {
		return kind
	}
	switch status := a.status; {
	case status == http.StatusTooManyRequests:
		return RateLimited
	case !f.known && (status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout):
		return ProxyDown
	case !f.known && !plainText(a):
		return NotLiteLLM
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusConflict:
		return AlreadyExists
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return Forbidden
	case netx.ClassifyStatus(status) == netx.Passing:
		return ServerFault
	default:
		return BadRequest
	}
}

// kindOfType judges by error.type, the one thing that releases do not change; "" if it tells too little.
func kindOfType(q *call, f fault, asker string) Kind {
	switch f.kind {
	case "budget_exceeded":
		return BudgetExceeded
	case "expired_key":
		return KeyExpired
	case "no_db_connection":
		return DatabaseDown
	case "not_found_error":
		return NotFound
	case "team_member_already_in_team":
		return AlreadyExists
	case "token_not_found_in_db":
		// 1.81 says the same of a key row that a call is about and of the key that asks.
		if q.row != "" && q.row != asker && strings.Contains(f.message, q.row) {
			return NotFound
		}
		return UnknownKey
	}
	return ""
}

// kindOfText judges by the words with which LiteLLM's releases tell what their status and type do not; "" if none fits.
func kindOfText(status int, message string) Kind {
	m := strings.ToLower(message)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(m, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("can't reach database server", "no db connected", "db not connected", "database not connected"):
		return DatabaseDown
	case has("accepting connections", "the database system is", "terminating connection due to administrator command"):
		return DatabaseDown // PostgreSQL's own words while it starts, stops or is closed to others
	case has("enterprise feature", "enterprise user", "premium user"):
		return EnterpriseOnly
	case has("key is blocked") && status == http.StatusUnauthorized:
		return KeyBlocked
	case has("virtual key expected") && status == http.StatusUnauthorized: // it does not begin with sk-
		return UnknownKey
	case has("key with alias") && has("already exists"):
		return AliasTaken
	case has("user key does not exist in db", "does not exist in db", "doesn't exist in db", "llm model list not loaded"):
		return NotFound
	case has("already exists"):
		return AlreadyExists
	}
	return ""
}

// parseFault reads an error body of any envelope: {"error": {…}}, {"error": "…"}, {"detail": …} or bare text.
func parseFault(body []byte) fault {
	var envelope struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return fault{message: bareText(body)}
	}
	switch {
	case len(envelope.Error) > 0:
		var inner struct {
			Message json.RawMessage `json:"message"`
			Type    string          `json:"type"`
		}
		if json.Unmarshal(envelope.Error, &inner) == nil {
			return fault{kind: strings.TrimPrefix(inner.Type, "None"), message: flatten(inner.Message), known: true}
		}
		return fault{message: flatten(envelope.Error), known: true}
	case len(envelope.Detail) > 0:
		return fault{message: flatten(envelope.Detail), known: true}
	}
	return fault{}
}

// flatten makes one line of a message: a text (out of Python's repr of a dict, if it is one), an object with a message or
// an error, or FastAPI's list of faults.
func flatten(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return unrepr(text)
	}
	var list []struct {
		Loc []any  `json:"loc"`
		Msg string `json:"msg"`
	}
	if json.Unmarshal(raw, &list) == nil {
		var parts []string
		for _, l := range list { // input is left out: it is what we sent
			parts = append(parts, strings.TrimPrefix(joinLoc(l.Loc)+": ", ": ")+l.Msg)
		}
		return strings.Join(parts, "; ")
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(raw, &inner) == nil {
		for _, name := range []string{"error", "message", "msg"} {
			if len(inner[name]) > 0 {
				return flatten(inner[name])
			}
		}
	}
	return ""
}

// joinLoc is FastAPI's place of a fault, as in "body.models".
func joinLoc(loc []any) string {
	var parts []string
	for _, l := range loc {
		switch l := l.(type) {
		case string:
			parts = append(parts, l)
		case float64:
			parts = append(parts, strconv.Itoa(int(l)))
		}
	}
	return strings.Join(parts, ".")
}

// unrepr takes the text out of "{'error': '…'}", as LiteLLM renders the details of its own exceptions.
func unrepr(text string) string {
	for _, name := range []string{"error", "message"} {
		for _, quote := range []string{"'", `"`} {
			start, end := "{'"+name+"': "+quote, quote+"}"
			if strings.HasPrefix(text, start) && strings.HasSuffix(text, end) {
				return text[len(start) : len(text)-len(end)]
			}
		}
	}
	return text
}

// bareText returns a body that is a short plain text, such as "Internal Server Error"; "" for pages.
func bareText(body []byte) string {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "<") {
		return "an HTML page"
	}
	return text
}

// plainText reports whether the answer is the bare text with which LiteLLM's web server reports an uncaught exception.
func plainText(a *answer) bool {
	return a.status >= 500 && strings.HasPrefix(strings.TrimSpace(string(a.body)), "Internal Server Error")
}

// redirectAdvice names the host a redirect leads to, and nothing else of the location.
func redirectAdvice(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return ": set the base URL to the proxy itself"
	}
	return ": " + clean("it leads to "+u.Scheme+"://"+u.Host+"; if that is the proxy, set the base URL to it")
}
