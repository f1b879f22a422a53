package litellmtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// maxBody bounds what is read of a request.
const maxBody = 16 << 20

// call is one request while it is handled. The store is locked from the handler's start to its end.
type call struct {
	proxy  *Proxy
	store  *store
	r      *http.Request
	now    time.Time
	query  url.Values
	raw    []byte
	body   fields
	who    *identity // nil on open routes
	header http.Header
}

// handler answers a call: a value to be marshalled (a string is a JSON string), or an error.
type handler func(*call) (any, error)

func (c *call) family() family { return c.proxy.fam }

// fields is a JSON object as it came, so that null, absent and empty can be told apart.
type fields map[string]json.RawMessage

// has reports whether the field is there, null or not.
func (f fields) has(name string) bool { _, ok := f[name]; return ok }

// null reports whether the field is there and null.
func (f fields) null(name string) bool { return f.has(name) && string(f[name]) == "null" }

// set reports whether the field is there and not null.
func (f fields) set(name string) bool { return f.has(name) && !f.null(name) }

// readBody parses the request's body; a request without one has no fields.
func (c *call) readBody() *refusal {
	if c.r.Method == http.MethodGet || len(bytes.TrimSpace(c.raw)) == 0 {
		c.body = fields{}
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(c.raw))
	var body fields
	if err := d.Decode(&body); err != nil || body == nil {
		return c.invalid("json_invalid", "JSON decode error", object{},
			object{"error": "Expecting property name enclosed in double quotes"}, "body", 1)
	}
	c.body = body
	return nil
}

// text reads a text field; absent and null are "".
func (c *call) text(name string) (string, *refusal) {
	if !c.body.set(name) {
		return "", nil
	}
	var s string
	if json.Unmarshal(c.body[name], &s) != nil {
		return "", c.invalid("string_type", "Input should be a valid string", c.body[name], nil, "body", name)
	}
	return s, nil
}

// texts reads a list of texts; absent and null are nil.
func (c *call) texts(name string) ([]string, *refusal) {
	if !c.body.set(name) {
		return nil, nil
	}
	var l []string
	if json.Unmarshal(c.body[name], &l) != nil {
		return nil, c.invalid("list_type", "Input should be a valid list", c.body[name], nil, "body", name)
	}
	return list(l), nil
}

// money reads a number, also from a text as pydantic does; absent and null are invalid.
func (c *call) money(name string) (decimal.NullDecimal, *refusal) {
	if !c.body.set(name) {
		return decimal.NullDecimal{}, nil
	}
	text := string(c.body[name])
	var quoted string
	if json.Unmarshal(c.body[name], &quoted) == nil {
		text = quoted
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.NullDecimal{}, c.invalid("float_parsing",
			"Input should be a valid number, unable to parse string as a number", c.body[name], nil, "body", name)
	}
	return decimal.NewNullDecimal(d), nil
}

// boolean reads a flag; nil where absent or null.
func (c *call) boolean(name string) (*bool, *refusal) {
	if !c.body.set(name) {
		return nil, nil
	}
	var b bool
	if json.Unmarshal(c.body[name], &b) != nil {
		return nil, c.invalid("bool_parsing", "Input should be a valid boolean, unable to interpret input",
			c.body[name], nil, "body", name)
	}
	return &b, nil
}

// mapping reads an object as it is; absent and null are nil.
func (c *call) mapping(name string) (json.RawMessage, *refusal) {
	if !c.body.set(name) {
		return nil, nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(c.body[name], &m) != nil {
		return nil, c.invalid("dict_type", "Input should be a valid dictionary", c.body[name], nil, "body", name)
	}
	return c.body[name], nil
}

// integer reads a query parameter between low and high (0: no upper bound).
func (c *call) integer(name string, standard, low, high int) (int, *refusal) {
	text := c.query.Get(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, c.invalid("int_parsing", "Input should be a valid integer, unable to parse string as an integer",
			text, nil, "query", name)
	case n < low:
		return 0, c.invalid("greater_than_equal", "Input should be greater than or equal to "+strconv.Itoa(low),
			text, object{"ge": low}, "query", name)
	case high > 0 && n > high:
		return 0, c.invalid("less_than_equal", "Input should be less than or equal to "+strconv.Itoa(high),
			text, object{"le": high}, "query", name)
	}
	return n, nil
}

// flag reads a boolean query parameter.
func (c *call) flag(name string) bool {
	b, err := strconv.ParseBool(c.query.Get(name))
	return err == nil && b
}

// gap gives way between a look-up and the write that rests on it, if anyone asked for that.
func (c *call) gap(route string) {
	hook := c.proxy.race.Load()
	if hook == nil {
		return
	}
	c.store.mu.Unlock()
	defer c.store.mu.Lock()
	(*hook)(route)
}

// readAll reads a bounded body.
func readAll(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil
	}
	return raw
}
