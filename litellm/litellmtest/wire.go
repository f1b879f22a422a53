package litellmtest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// object is a JSON object to be sent. encoding/json sorts its names, so answers are deterministic.
type object map[string]any

// with returns o with the entries of more added; o itself is changed.
func (o object) with(more object) object {
	for name, value := range more {
		o[name] = value
	}
	return o
}

// number is money as LiteLLM prints it: a JSON number that always has a fraction.
type number decimal.Decimal

// MarshalJSON prints 5 as 5.0 and 0.05 as 0.05.
func (n number) MarshalJSON() ([]byte, error) {
	text := decimal.Decimal(n).String()
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

// optional returns a number, or nil (JSON null) for an absent one.
func optional(d decimal.NullDecimal) any {
	if !d.Valid {
		return nil
	}
	return number(d.Decimal)
}

// orNull returns s, or nil (JSON null) for "".
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stamp is a time in one of the two zone notations that LiteLLM mixes.
type stamp struct {
	time time.Time
	zone string
}

// zulu and offset are times as LiteLLM prints them in listings and in /key/info; nil for the zero time.
func zulu(t time.Time) any   { return stampOrNull(t, "Z") }
func offset(t time.Time) any { return stampOrNull(t, "+00:00") }

func stampOrNull(t time.Time, zone string) any {
	if t.IsZero() {
		return nil
	}
	return stamp{t, zone}
}

// MarshalJSON prints microseconds only where there are any, as Python does.
func (s stamp) MarshalJSON() ([]byte, error) {
	layout := "2006-01-02T15:04:05"
	if s.time.Nanosecond()/1000 != 0 {
		layout += ".000000"
	}
	return json.Marshal(s.time.UTC().Format(layout) + s.zone)
}

// millis drops what a PostgreSQL timestamp(3) drops.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// strings returned as a JSON list are never null.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// orEmpty returns raw, or an empty object if there is none.
func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}
