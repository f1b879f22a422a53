package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/internal/files"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/spendlog"
)

// mostLogKeys is the most keys of an export that are reported one by one; the others are summed up.
const mostLogKeys = 1000

// spendLogs reports on an export of spend logs. It asks nobody and uses no credential.
func (b *bot) spendLogs() int {
	p := &pass{bot: b}
	p.in = report.Input{Now: b.now(), Command: b.set.Command, Version: version, Redact: b.known.Redact}
	var s *spendlog.Summary
	var o spendlog.Options
	err := p.catch("reading spend logs", func() (err error) {
		s, o, err = p.readLogs()
		return err
	})
	if err != nil {
		p.errs = append(p.errs, err)
		p.in.Failures = append(p.in.Failures, report.FailureOf("spend logs", "", "", err))
	}
	r := p.logReport(s, o, keyName)
	p.surface(&r, "writing the report", func() error { return p.print(p.shownTo(p.printView(), r, s, o)) })
	p.tellRunnerOf(r, s, o)
	p.complain()
	return p.exitCode(r)
}

// readLogs reads the export. With an error it returns what is known all the same, nil if that is nothing.
func (p *pass) readLogs() (*spendlog.Summary, spendlog.Options, error) {
	name := p.set.SpendLogs
	in, size := io.Reader(os.Stdin), int64(0)
	if name != "-" {
		f, err := p.openStream(name)
		if err != nil {
			return nil, spendlog.Options{}, fmt.Errorf("reading spend logs %q, %s: %w",
				name, p.set.From("spend-logs"), files.Reason(err))
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	o := spendlog.Options{Strict: p.set.Strict, Dear: p.set.Keys[0].Alerts.RequestCost}
	if p.set.From("period").Given() {
		s := spanOf(p.set.Period, p.in.Now)
		o.From, o.To = s.from, s.to
	}
	progress := &readProgress{Reader: in, bot: p.bot, size: size}
	s, err := p.readExport(progress, o)
	damage := (*spendlog.Damage)(nil)
	whole := err == nil || errors.As(err, &damage)
	switch {
	case whole && s.Bytes == 0:
		return nil, o, fmt.Errorf("reading spend logs, %s: it is empty; an export without rows is []",
			p.set.From("spend-logs"))
	case whole && s.Rows+s.Outside == 0 && s.Lost > 0:
		return nil, o, fmt.Errorf("reading spend logs, %s: it holds no row as /spend/logs gives them, summarize=false; "+
			"first, %w", p.set.From("spend-logs"), &s.Faults[0])
	case err == nil:
		return s, o, nil
	case s == nil || p.set.Strict || s.Rows+s.Outside == 0:
		s = nil
	default:
		p.damage = err.Error()
	}
	return s, o, fmt.Errorf("reading spend logs, %s: %w", p.set.From("spend-logs"), err)
}

// takeLogs puts the export into the report, and judges it.
func (p *pass) takeLogs(s *spendlog.Summary, o spendlog.Options, name namer) {
	p.in.Logs = logsOf(s, p.set.SpendLogs, name)
	if p.set.SpendLogs != "-" {
		p.in.Logs.Source = filepath.Base(p.set.SpendLogs)
	}
	if !o.From.IsZero() {
		p.in.Period = &report.Period{Name: p.set.Period.Name, From: o.From, To: o.To}
	} else if s.Rows > 0 {
		p.in.Period = &report.Period{Name: "spend logs", From: s.First, To: s.Last}
	}
	p.in.Logs.Damage = p.known.Redact(p.damage)
	p.in.Findings = append(p.in.Findings, p.in.Logs.Findings()...)
	alerts := p.set.Keys[0].Alerts
	policy := spendPolicy(p.set.Keys[0])
	policy.DailySpend = decimal.NullDecimal{} // every day is judged, not the last one alone
	for _, k := range logKeys(s, name) {
		p.in.Logs.Keys = append(p.in.Logs.Keys, logSums(k.facts.Key, k.sums))
		k.facts.Limit = p.set.Keys[0].MaxBudget
		k.facts.WindowStart = s.First
		p.in.Spend = append(p.in.Spend, k.facts)
		p.in.Findings = append(p.in.Findings, budget.Check(k.facts, policy, s.Last)...)
		p.in.Findings = append(p.in.Findings, logDays(k, alerts.DailySpend)...)
		p.in.Findings = append(p.in.Findings, logFailures(k, alerts.FailureRate)...)
		if k.dear > 0 {
			p.in.Findings = append(p.in.Findings, budget.DearRequests(k.facts, logSource, requestOf(k.dearest), k.dear, alerts.RequestCost.Decimal))
		}
	}
	crowded := func(f budget.Facts) bool {
		return slices.ContainsFunc(f.Days, func(d budget.Day) bool { return d.Date == spendlog.Others })
	}
	if alerts.DailySpend.Valid && slices.ContainsFunc(p.in.Spend, crowded) {
		p.note("daily spend is not judged for every day: the export has more days and keys than are kept apart")
	}
	facts := failover.Facts{Proxy: failover.Proxy{Ready: true}, Window: s.Last.Sub(s.First), Requests: s.FallbackTold, Source: logSource}
	for _, v := range s.Served {
		facts.Served = append(facts.Served, failover.Served{Primary: v.Primary, By: v.By, Requests: v.Requests, Of: v.Of, First: v.First,
			Last: v.Last, Evidence: finding.Recorded})
	}
	p.in.Findings = append(p.in.Findings, failover.Check(facts, failover.Policy{FallbackRate: p.set.Failover.FallbackRate}, s.Last)...)
}

// logDays judges the day of a key on which most was spent, the first of several.
func logDays(k logKey, limit decimal.NullDecimal) []finding.Finding {
	days := slices.DeleteFunc(slices.Clone(k.facts.Days), func(d budget.Day) bool { return d.Date == spendlog.Others })
	if len(days) == 0 {
		return nil
	}
	most := slices.MaxFunc(days, func(a, b budget.Day) int { return cmp.Or(a.Spend.Cmp(b.Spend), cmp.Compare(b.Date, a.Date)) })
	return budget.OneDay(k.facts, most, limit)
}

// logFailures judges how many of a key's requests failed.
func logFailures(k logKey, most decimal.NullDecimal) []finding.Finding {
	const enough, critical = 10, 90
	if !most.Valid || k.sums.Requests < enough || k.sums.Failed == 0 {
		return nil
	}
	share := decimal.NewFromInt(100*k.sums.Failed).DivRound(decimal.NewFromInt(k.sums.Requests), 9)
	if share.LessThan(most.Decimal) {
		return nil
	}
	f := finding.Finding{
		Rule: budget.RuleFailures, Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: k.facts.Key},
		Summary:  fmt.Sprintf("%d of %d requests of %s failed", k.sums.Failed, k.sums.Requests, k.facts.Key),
		Observed: &finding.Quantity{Value: share.Round(1), Unit: "%"}, Limit: &finding.Quantity{Value: most.Decimal, Unit: "%"},
		Advice: "Look at the error_information of its failed rows.", Source: logSource,
	}
	if share.GreaterThanOrEqual(decimal.NewFromInt(critical)) {
		f.Severity = finding.Critical
	}
	return []finding.Finding{f}
}

// logSource is what figures of an export name as their source.
const logSource = "the export of /spend/logs"

// logKey is one key of an export.
type logKey struct {
	facts   budget.Facts
	sums    spendlog.Sums
	dear    int64 // requests that cost what is set or more
	dearest spendlog.Request
}

// logKeys are the keys of an export by the names that people know: generations of one key, and tokens of one alias, are
// one. Dearest first.
func logKeys(s *spendlog.Summary, shown namer) []logKey {
	byName := map[string]*logKey{}
	for _, k := range s.Keys {
		name := keyName(k.Token, k.Alias)
		if byName[name] == nil && len(byName) >= mostLogKeys {
			name = spendlog.Others
		}
		to := byName[name]
		if to == nil {
			to = &logKey{facts: budget.Facts{Key: name, Source: logSource, DaysSource: logSource}}
			if name != spendlog.Others {
				to.facts.Key = shown(k.Token, k.Alias)
			}
			byName[name] = to
		}
		to.sums.Add(k.Sums)
		to.facts.Spend = to.sums.Spend
		if k.Dear > 0 && (to.dear == 0 || k.Dearest.Spend.GreaterThan(to.dearest.Spend)) {
			to.dearest = k.Dearest
		}
		to.dear += k.Dear
		for _, g := range k.Days {
			to.facts.Days = append(to.facts.Days, budget.Day{Date: g.Name, Spend: g.Spend, Requests: g.Requests, Failed: g.Failed})
		}
		for _, g := range k.Models {
			to.facts.Models = append(to.facts.Models, budget.ModelSpend{Model: g.Name, Spend: g.Spend, Requests: g.Requests, Failed: g.Failed,
				Hits: g.CacheHits, Tokens: g.Tokens})
		}
	}
	keys := make([]logKey, 0, len(byName))
	for _, k := range byName {
		k.facts.Days, k.facts.Models = joinDays(k.facts.Days), joinModels(k.facts.Models)
		if n := len(k.facts.Days); n > 0 {
			k.facts.DaysFrom, k.facts.DaysTo = k.facts.Days[0].Date, k.facts.Days[n-1].Date
		}
		k.facts.Unjudged = append(k.facts.Unjudged, budget.RuleBurn, budget.RuleForecast, budget.RuleUnusable, budget.RuleUnrotated)
		keys = append(keys, *k)
	}
	slices.SortFunc(keys, func(a, b logKey) int {
		return cmp.Or(b.facts.Spend.Cmp(a.facts.Spend), cmp.Compare(a.facts.Key, b.facts.Key))
	})
	return keys
}

func requestOf(q spendlog.Request) budget.Request {
	return budget.Request{ID: q.ID, At: q.Start, Model: q.Model, Spend: q.Spend, Tokens: q.Tokens, Failed: q.Failed, User: q.EndUser}
}

// joinDays sums up days of the same date, in order.
func joinDays(days []budget.Day) []budget.Day {
	slices.SortFunc(days, func(a, b budget.Day) int { return cmp.Compare(a.Date, b.Date) })
	var out []budget.Day
	for _, d := range days {
		if n := len(out); n > 0 && out[n-1].Date == d.Date {
			to := &out[n-1]
			to.Spend = to.Spend.Add(d.Spend)
			to.Requests = figure.Add(to.Requests, d.Requests)
			to.Failed = figure.Add(to.Failed, d.Failed)
			continue
		}
		out = append(out, d)
	}
	return out
}

// joinModels sums up models of the same name.
func joinModels(models []budget.ModelSpend) []budget.ModelSpend {
	slices.SortFunc(models, func(a, b budget.ModelSpend) int { return cmp.Compare(a.Model, b.Model) })
	var out []budget.ModelSpend
	for _, m := range models {
		if n := len(out); n > 0 && out[n-1].Model == m.Model {
			to := &out[n-1]
			to.Spend, to.Requests = to.Spend.Add(m.Spend), figure.Add(to.Requests, m.Requests)
			to.Failed = figure.Add(to.Failed, m.Failed)
			to.Hits = figure.Add(to.Hits, m.Hits)
			to.Tokens = figure.Add(to.Tokens, m.Tokens)
			continue
		}
		out = append(out, m)
	}
	return out
}

var (
	tokenHash = regexp.MustCompile(`^[0-9a-f]{64}$`)
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_() -]{1,40}$`)
)

// namer says how a key is named, by its hash and its alias.
type namer func(token, alias string) string

// hashNames names each key but ours by the beginning of a hash, that of its most expensive generation.
func hashNames(s *spendlog.Summary, ours string) namer {
	names := map[string]string{ours: ours}
	for _, k := range s.Keys {
		if name := keyName(k.Token, k.Alias); names[name] == "" {
			names[name] = hashName(k.Token)
		}
	}
	return func(token, alias string) string { return cmp.Or(names[keyName(token, alias)], hashName(token)) }
}

// hashName is the beginning of a key's hash.
func hashName(token string) string {
	if token == spendlog.Others {
		return token
	}
	if !tokenHash.MatchString(token) {
		sum := sha256.Sum256([]byte(token))
		token = hex.EncodeToString(sum[:])
	}
	return "key " + token[:12]
}

// keyName is how people know a key: by its alias without the generation, or by the beginning of its hash. What may be a
// key's plaintext, which LiteLLM logs of some refused requests, is hashed first.
func keyName(token, alias string) string {
	switch {
	case alias != "":
		return rotate.WithoutGeneration(alias)
	case tokenHash.MatchString(token):
	case plainWord.MatchString(token) && !strings.HasPrefix(token, "sk-"):
		return token
	default:
		sum := sha256.Sum256([]byte(token))
		token = hex.EncodeToString(sum[:])
	}
	return "key " + token[:12]
}

// logsOf is what the export says as a whole.
func logsOf(s *spendlog.Summary, source string, name namer) *report.Logs {
	l := &report.Logs{
		Source: source, Bytes: s.Bytes, Rows: s.Rows, Outside: s.Outside, Lost: s.Lost, More: s.LostMore,
		First: s.First, Last: s.Last,
		Total: logSums("", s.Total), Models: logGroups(s.Models), Days: logGroups(s.Days), Providers: logGroups(s.Providers),
		Tags: logGroups(s.Tags), EndUsers: logGroups(s.EndUsers),
		Repeats: s.Repeats.Rows, RepeatsOf: s.Repeats.Of, FallbackFor: s.FallbackTold, Unread: s.Unread,
		Saved: decimal.NullDecimal{Decimal: s.Saved.Amount, Valid: s.Total.CacheHits > s.Saved.Unpriced},
	}
	for _, f := range s.Faults {
		l.Faults = append(l.Faults, report.LogFault{Offset: f.Offset, At: f.At, What: f.What})
	}
	for _, q := range s.Dearest {
		l.Dearest = append(l.Dearest, report.LogRequest{
			ID: q.ID, Key: name(q.Token, q.Alias), Model: q.Model, Start: q.Start, Spend: decimal.NewNullDecimal(q.Spend),
			Tokens: q.Tokens, EndUser: q.EndUser,
		})
	}
	return l
}

func logGroups(list []spendlog.Group) []report.LogSums {
	out := make([]report.LogSums, 0, len(list))
	for _, g := range list {
		out = append(out, logSums(g.Name, g.Sums))
	}
	return out
}

func logSums(name string, s spendlog.Sums) report.LogSums {
	return report.LogSums{Name: name, Spend: decimal.NewNullDecimal(s.Spend), Requests: s.Requests, Failed: s.Failed, Fallbacks: s.Fallbacks,
		Tokens: s.Tokens, CacheHits: s.CacheHits, CachedPrompt: s.CachedPrompt}
}
