package report

import (
	"encoding/json"
	"io"
)

// JSON writes r as one indented JSON value that docs/report.schema.json describes, and returns the writer's error. Text
// from outside is in it as it came, in JSON strings; < > & are escaped, so that it can be put into a page.
func JSON(w io.Writer, r Report, o Options) error {
	r = o.view(r)
	if r.SchemaVersion == 0 {
		r.SchemaVersion = SchemaVersion
	}
	r.Keys, r.Findings, r.Failures, r.Notes = some(r.Keys), some(r.Findings), some(r.Failures), some(r.Notes)
	if r.History != nil {
		h := *r.History
		h.Keys, h.Episodes = some(h.Keys), some(h.Episodes)
		r.History = &h
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// some returns list, never nil: an empty list is [] in JSON.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
