package litellm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// object is a JSON object read leniently: what is missing or null is a zero value.
type object map[string]json.RawMessage

// parseObject reads a JSON object; null gives an empty one.
func parseObject(raw []byte) (object, error) {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, errors.New("it is no JSON object")
	}
	return o, nil
}

// reader reads an object's fields and keeps the first fault, which names the field.
type reader struct {
	object
	err error
}

func (r *reader) fault(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("reading field %q: it is not %s", name, want)
	}
}

// has reports whether the field is there and not null.
func (o object) has(name string) bool {
	raw, ok := o[name]
	return ok && string(raw) != "null"
}

// text reads a text; a number or a boolean is taken as its text.
func (r *reader) text(name string) string {
	if !r.has(name) {
		return ""
	}
	var s string
	if json.Unmarshal(r.object[name], &s) == nil {
		return s
	}
	switch raw := string(r.object[name]); raw[0] {
	case '{', '[':
		r.fault(name, "a text")
		return ""
	default:
		return raw
	}
}

// flag reads a boolean, also one written as text ("True").
func (r *reader) flag(name string) bool {
	text := r.text(name)
	if text == "" {
		return false
	}
	v, err := strconv.ParseBool(text)
	if err != nil && !strings.EqualFold(text, "none") {
		r.fault(name, "true or false")
	}
	return v
}

// count reads a whole number, also one written as 12.0.
func (r *reader) count(name string) int64 {
	d := r.amount(name)
	if !d.Valid {
		return 0
	}
	n, err := figure.Count(d.Decimal)
	if err != nil {
		r.fault(name, "a whole number of sane size")
	}
	return n
}

// natural reads a count of things that happened.
func (r *reader) natural(name string) int64 {
	n := r.count(name)
	if n < 0 {
		r.fault(name, "a whole number from 0 on")
		return 0
	}
	return n
}

// amount reads a number from its text, never by way of a float.
func (r *reader) amount(name string) decimal.NullDecimal {
	text := r.text(name)
	if text == "" {
		return decimal.NullDecimal{}
	}
	d, err := figure.Parse(text)
	if err != nil {
		r.fault(name, "a number of sane size")
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(d)
}

// counted reads a sum that the proxy keeps as a float: what its adding and subtracting leaves behind the twelfth decimal
// (-5.55e-17 after a reset on 1.106) is no money.
func (r *reader) counted(name string) decimal.Decimal { return r.money(name).Round(12) }

// money reads an amount, zero where there is none.
func (r *reader) money(name string) decimal.Decimal { return r.amount(name).Decimal }

// timeLayouts are what releases send; one without a zone is UTC.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", time.DateOnly}

// time reads a point in time, in UTC.
func (r *reader) time(name string) time.Time {
	text := r.text(name)
	if text == "" {
		return time.Time{}
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	r.fault(name, "a time")
	return time.Time{}
}

// inner reads an object, also one written as a text that holds JSON.
func (r *reader) inner(name string) object {
	if !r.has(name) {
		return nil
	}
	raw := []byte(r.object[name])
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "" {
			return nil
		}
		raw = []byte(text)
	}
	o, err := parseObject(raw)
	if err != nil {
		r.fault(name, "an object")
	}
	return o
}

// list reads the elements of an array, also of one written as a text that holds JSON.
func (r *reader) list(name string) []json.RawMessage {
	if !r.has(name) {
		return nil
	}
	raw := []byte(r.object[name])
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "" {
			return nil
		}
		raw = []byte(text)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		r.fault(name, "a list")
	}
	return list
}

// texts reads a list of texts; of objects, the field id is taken.
func (r *reader) texts(name, id string) []string {
	var out []string
	for _, raw := range r.list(name) {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			out = append(out, s)
			continue
		}
		o, err := parseObject(raw)
		if err != nil {
			r.fault(name, "a list of texts")
			continue
		}
		inner := reader{object: o}
		out = append(out, inner.text(id))
	}
	return out
}

// encode makes a request body of v, which is made of Fields, maps, slices and plain values. nil gives nil.
func encode(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	plain, err := plainValue(v)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(plain)
	if err != nil {
		return nil, errors.New("a field cannot be written as JSON")
	}
	return body, nil
}

// plainValue replaces what encoding/json would write wrongly: decimals become numbers. Durations and secrets are refused.
func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case decimal.Decimal:
		return json.Number(v.String()), nil
	case decimal.NullDecimal:
		if !v.Valid {
			return nil, nil
		}
		return json.Number(v.Decimal.String()), nil
	case time.Duration:
		return nil, errors.New("a duration must be given as LiteLLM writes it, such as \"15m\"")
	case secret.Value:
		return nil, errors.New("a secret must not be among the fields")
	case Fields:
		return plainMap(v)
	case map[string]any:
		return plainMap(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			p, err := plainValue(e)
			if err != nil {
				return nil, err
			}
			out[i] = p
		}
		return out, nil
	default:
		return v, nil
	}
}

func plainMap(m map[string]any) (any, error) {
	out := make(map[string]any, len(m))
	for name, e := range m {
		p, err := plainValue(e)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", name, err)
		}
		out[name] = p
	}
	return out, nil
}

// quoted is text as raw JSON, so that a header's value is read like a field.
func quoted(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // a string always marshals
	return raw
}
