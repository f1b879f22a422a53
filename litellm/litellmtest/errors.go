package litellmtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Error types of LiteLLM's envelope.
const (
	typeAuth     = "auth_error"
	typeInternal = "internal_server_error"
	typeBad      = "bad_request_error"
	typeNotFound = "not_found_error"
	typeUnknown  = "token_not_found_in_db"
	typeExpired  = "expired_key"
	typeBudget   = "budget_exceeded"
	typeModel    = "key_model_access_denied"
	typeNoDB     = "no_db_connection"
)

// refusal is an answer that is not 200.
type refusal struct {
	status int
	body   any // marshalled; a string is sent as plain text
	class  string
	text   string // what a failure row says
	kind   string // the envelope's type, "" if it has none
}

// Error makes a refusal an error; it is what the failure row of the spend log says.
func (r *refusal) Error() string { return strconv.Itoa(r.status) + ": " + r.text }

// envelope is {"error": {message, type, param, code}}. param is nil for JSON null; LiteLLM often sends the text "None".
func envelope(status int, kind string, param any, format string, args ...any) *refusal {
	text := fmt.Sprintf(format, args...)
	var typ any = kind
	if kind == "" {
		typ = nil
	}
	return &refusal{status, object{"error": object{
		"message": text, "type": typ, "param": param, "code": strconv.Itoa(status),
	}}, "ProxyException", text, kind}
}

// detail is FastAPI's own {"detail": …}.
func detail(status int, body any) *refusal {
	text := fmt.Sprint(body)
	if o, ok := body.(object); ok {
		text = fmt.Sprint(o["error"])
	}
	return &refusal{status, object{"detail": body}, "HTTPException", text, ""}
}

// wrapped is an HTTPException that a handler of LiteLLM turned into an envelope: the detail as Python prints it.
func (c *call) wrapped(status int, format string, args ...any) *refusal {
	r := envelope(status, typeInternal, c.none(), "%s", pythonError(fmt.Sprintf(format, args...)))
	r.class = "HTTPException"
	return r
}

// pythonError is {'error': text} as Python prints it.
func pythonError(text string) string {
	quote := "'"
	if strings.Contains(text, "'") {
		quote = `"`
	}
	return "{'error': " + quote + strings.ReplaceAll(text, "\n", `\n`) + quote + "}"
}

// internal is an exception nobody expected.
func (c *call) internal(format string, args ...any) *refusal {
	text := fmt.Sprintf(format, args...)
	if c.family() == family81 {
		text = "Internal Server Error, " + text
	}
	return envelope(http.StatusInternalServerError, typeInternal, c.none(), "%s", text)
}

// none is the param of an error without one: null on new releases, the text "None" on old ones.
func (c *call) none() any {
	if c.family() == family106 {
		return nil
	}
	return "None"
}

// invalid is pydantic's 422. where is the path to the field, such as "body", "key"; input is told by old releases only.
func (c *call) invalid(kind, message string, input any, ctx object, where ...any) *refusal {
	fault := object{"type": kind, "loc": where, "msg": message}
	if c.family() != family106 {
		fault["input"] = input
		if ctx != nil {
			fault["ctx"] = ctx
		}
	}
	r := detail(http.StatusUnprocessableEntity, []object{fault})
	r.text = message
	return r
}

// authRefused is LiteLLM's usual 401.
func authRefused(format string, args ...any) *refusal {
	r := envelope(http.StatusUnauthorized, typeAuth, "None", "Authentication Error, "+format, args...)
	r.class = "Exception"
	return r
}
