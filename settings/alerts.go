package settings

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Alerts is what about a key's spend is worth a finding, besides the shares of its budget.
type Alerts struct {
	Spend       decimal.NullDecimal        // US dollars in the window
	DailySpend  decimal.NullDecimal        // US dollars in a UTC day
	ModelSpend  map[string]decimal.Decimal // :: model group → US dollars in the window
	RequestCost decimal.NullDecimal        // US dollars of a single request
	FailureRate decimal.NullDecimal        // percentage of requests; invalid: off
	Forecast    decimal.NullDecimal        // percentage of the budget at the reset; invalid: off
	BurnRate    bool

	// AsksDays tells that somebody asked for a rule that needs the spend by day: it is read even where that takes more
	// requests than a run with nothing due may make by itself.
	AsksDays bool
}

// off switches an alert off that has a default.
const off = "off"

func alertRows() []row {
	return []row{
		{name: "alert-spend", group: groupKey, kind: money, on: everywhere, file: "defaults.alerts.spend",
			checkout: allowed, help: "US dollars in the budget window that are worth a finding"},
		{name: "alert-daily-spend", group: groupKey, kind: money, on: everywhere, file: "defaults.alerts.daily_spend",
			checkout: allowed, help: "US dollars a day (UTC) that are worth a finding"},
		{name: "alert-model-spend", group: groupKey, kind: amounts, on: everywhere, file: "defaults.alerts.model_spend",
			checkout: allowed, help: "US dollars in the budget window by model, such as claude-opus-4-6=30"},
		{name: "alert-request-cost", group: groupKey, kind: money, on: everywhere, file: "defaults.alerts.request_cost",
			checkout: allowed, help: "US dollars of a single request that are worth a finding"},
		{name: "alert-failure-rate", group: groupKey, kind: percent, on: everywhere, file: "defaults.alerts.failure_rate", def: "20%",
			checkout: allowed, help: "share of at least ten recent requests failed that is worth a finding, or off"},
		{name: "alert-forecast", group: groupKey, kind: percent, on: everywhere, file: "defaults.alerts.forecast", def: "100%",
			checkout: allowed, help: "share of the budget that the window is going to end at, by its days so far, that is worth a finding, or off"},
		{name: "alert-burn-rate", group: groupKey, kind: boolean, on: everywhere, file: "defaults.alerts.burn_rate", def: "true",
			checkout: allowed, help: "whether a budget that burns so fast that it will not last is worth a finding"},
	}
}

// alerts reads the alerts of one key. of gives a value by its field.
func (l *loader) alerts(values map[string]value) Alerts {
	of := func(name string) value { return values["alerts."+name] }
	money := func(name string) decimal.NullDecimal {
		if of(name).text == "" {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(read(l, of(name), parseAmount))
	}
	a := Alerts{
		Spend: money("spend"), DailySpend: money("daily_spend"), RequestCost: money("request_cost"),
		FailureRate: read(l, of("failure_rate"), parseShare(100)), Forecast: read(l, of("forecast"), parseShare(1000)),
		BurnRate: read(l, of("burn_rate"), parseBool),
	}
	for _, m := range readItems(l, of("model_spend"), parseModelAmount) {
		if a.ModelSpend == nil {
			a.ModelSpend = map[string]decimal.Decimal{}
		}
		if _, twice := a.ModelSpend[m.model]; twice {
			l.add(of("model_spend").src, bad("write each once", "model %s is there twice", quote(m.model)))
		}
		a.ModelSpend[m.model] = m.amount
	}
	a.AsksDays = a.DailySpend.Valid || a.ModelSpend != nil || a.Forecast.Valid && of("forecast").src.Given()
	return a
}

// modelAmount is one entry of an amount by model.
type modelAmount struct {
	model  string
	amount decimal.Decimal
}

// parseModelAmount reads model=amount. Models have any name, so the last sign counts.
func parseModelAmount(text string) (modelAmount, *problem) {
	at := strings.LastIndex(text, "=")
	if at <= 0 || hasControl(text) {
		return modelAmount{}, bad("write a model and US dollars, such as claude-opus-4-6=30", "%s is not an amount by model", quote(text))
	}
	amount, p := parseAmount(strings.TrimSpace(text[at+1:]))
	return modelAmount{strings.TrimSpace(text[:at]), amount}, p
}

// parseAmount reads US dollars, more than 0, that limit nothing.
func parseAmount(text string) (decimal.Decimal, *problem) {
	if plainDecimal.MatchString(text) {
		if amount, err := decimal.NewFromString(text); err == nil && amount.IsPositive() {
			return amount, nil
		}
	}
	return decimal.Decimal{}, bad("write US dollars above 0 such as 5 or 0.25", "%s is not an amount", quote(text))
}

// parseShare reads a percentage above 0 and up to most, or off.
func parseShare(most int64) func(string) (decimal.NullDecimal, *problem) {
	return func(text string) (decimal.NullDecimal, *problem) {
		if text == off {
			return decimal.NullDecimal{}, nil
		}
		bare := strings.TrimSpace(strings.TrimSuffix(text, "%"))
		share, err := decimal.NewFromString(bare)
		if !plainDecimal.MatchString(bare) || err != nil || !share.IsPositive() || share.GreaterThan(decimal.NewFromInt(most)) {
			return decimal.NullDecimal{}, bad("write a percentage such as 20%, or off", "%s is not a percentage from 0%% to %d%%", quote(text), most)
		}
		return decimal.NewNullDecimal(share), nil
	}
}

// readAlerts reads the alerts of one key of the file into its values.
func (c *file) readAlerts(values map[string]value, e entry) {
	rows, known := map[string]row{}, []string{}
	for _, r := range alertRows() {
		name := strings.TrimPrefix(r.field(), "alerts.")
		rows[name] = r
		known = append(known, name)
	}
	for _, a := range c.doc.fields(e.value, "alerts") {
		r, ok := rows[a.name]
		if !ok {
			c.unknown(a, "alerts", known)
			continue
		}
		if v := c.leaf(r.kind, a); v.src.Given() {
			values[r.field()] = v
		}
	}
}

// readAmounts reads a mapping of names to amounts as the list that flags have.
func (c *file) readAmounts(e entry) value {
	v := value{items: []item{}, src: c.doc.at(e.value)}
	for _, f := range c.doc.fields(e.value, e.name) {
		if text, ok := c.doc.scalar(f.value, f.name); ok {
			v.items = append(v.items, item{f.name + "=" + strings.TrimSpace(text), f.at})
		}
	}
	return v
}

// policyFields returns the fields of a key that come from the table, those of alerts under one name.
func policyFields() (rows map[string]row, known []string) {
	rows = map[string]row{}
	for _, r := range table() {
		f := r.field()
		if f == "" {
			continue
		}
		name, _, inner := strings.Cut(f, ".")
		if !inner {
			rows[f] = r
		}
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	return rows, known
}
