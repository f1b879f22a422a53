package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"
)

// CSV writes the figures of r as one table, a line each: of what kind (key, day, model, provider, tag, request, finding, …), its
// key, its name, and what is known of it. Amounts are exact and in USD; what is not known is empty. Names that a spreadsheet
// would take for a formula begin with an apostrophe.
func CSV(w io.Writer, r Report, o Options) error {
	r = o.view(r)
	t := table{csv.NewWriter(w)}
	t.line("kind", "key", "name", "spend_usd", "before_usd", "limit_usd", "requests", "failed", "tokens", "at", "text")
	for _, k := range r.Keys {
		t.line("key", k.Name, k.Name, exact(k.Spend), "", exact(k.MaxBudget), "", "", "", moment(k.ResetAt), "")
		for _, d := range k.Days {
			t.line("key-day", k.Name, d.Date, exact(d.Spend), "", "", fmt.Sprint(d.Requests), fmt.Sprint(d.Failed), "", d.Date, "")
		}
		for _, m := range k.Models {
			t.line("key-model", k.Name, m.Name, exact(m.Spend), "", "", fmt.Sprint(m.Requests), "", fmt.Sprint(m.Tokens), "", "")
		}
	}
	if v := r.Overview; v != nil {
		t.line("total", "", "", exact(v.Total.Spend), exact(v.Total.Before), "", fmt.Sprint(v.Total.Requests),
			fmt.Sprint(v.Total.Failed), fmt.Sprint(v.Total.Tokens), "", v.without())
		t.sums(keyPeriod, v.Keys)
		t.sums("day", v.Days)
		t.sums("model", v.Models)
		t.sums("provider", v.Providers)
		t.sums("tag", v.Tags)
		t.sums("end-user", v.EndUsers)
		if v.CachedPrompt > 0 {
			t.line("provider-cache-saving", "", "", exact(v.Saved), "", "", "", "", fmt.Sprint(v.CachedPrompt), "", v.Source)
		}
		if h := v.Hits; h != nil {
			t.line("cache-saving", "", "", exact(h.Saved), "", "", fmt.Sprint(h.Requests), "", "", "", h.Source)
		}
		t.requests(v.Dearest)
	}
	if l := r.Logs; l != nil {
		t.logs("total", []LogSums{l.Total})
		t.logs(keyPeriod, l.Keys)
		t.logs("day", l.Days)
		t.logs("model", l.Models)
		t.logs("provider", l.Providers)
		t.logs("tag", l.Tags)
		t.logs("end-user", l.EndUsers)
		t.requests(l.Dearest)
	}
	for _, f := range r.Findings {
		t.line("finding", f.Subject.Name, f.Rule, "", "", "", "", "", "", moment(f.Since), f.Severity.String()+": "+f.Summary)
	}
	for _, f := range r.Failures {
		t.line("failure", f.Key, f.Step, "", "", "", "", "", "", "", f.Message)
	}
	t.Flush()
	return t.Error()
}

// table writes lines.
type table struct{ *csv.Writer }

func (t table) line(fields ...string) {
	for i := range fields {
		fields[i] = csvName(visible(fields[i]))
	}
	_ = t.Write(fields) // Error tells
}

// keyPeriod is the kind of what a key took of the period or export, which is not what it spent in its window.
const keyPeriod = "key-period"

// keyed is the key that sums of a kind are of.
func keyed(kind, name string) string {
	if kind == keyPeriod {
		return name
	}
	return ""
}

func (t table) sums(kind string, list []PeriodSums) {
	for _, s := range list {
		t.line(kind, keyed(kind, s.Name), s.Name, exact(s.Spend), exact(s.Before), "", fmt.Sprint(s.Requests), fmt.Sprint(s.Failed), fmt.Sprint(s.Tokens), "", "")
	}
}

func (t table) logs(kind string, list []LogSums) {
	for _, s := range list {
		t.line(kind, keyed(kind, s.Name), s.Name, exact(s.Spend), "", "", fmt.Sprint(s.Requests), fmt.Sprint(s.Failed), fmt.Sprint(s.Tokens), "", "")
	}
}

func (t table) requests(list []LogRequest) {
	for _, q := range list {
		t.line("request", q.Key, q.ID, exact(q.Spend), "", "", "1", "", fmt.Sprint(q.Tokens), moment(q.Start), q.Model)
	}
}

func exact(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return d.Decimal.String()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
