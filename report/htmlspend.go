package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// spendFigure is the chart of spend by day and model, in three sizes, and the same as a table.
type spendFigure struct {
	Summary, Unit string
	Series        []series
	Charts        []chart
	Rows          []tableRow
}

// series is one model in the chart. The pattern tells it from the others without colour.
type series struct {
	Index                int
	Pattern, Name, Total string
}

// chart is one drawing. Coordinates are in its own units.
type chart struct {
	Class, Label         string
	Width, Height        int
	Bars                 []rect
	Lines                []polyline
	Ticks, Labels, Marks []mark
}

type rect struct {
	Title, Class, Pattern string
	Index                 int
	X, Y, Width, Height   float64
}

type mark struct {
	X, Y, Right, Bottom float64
	Anchor, Text, Class string
}

const (
	chartModels = 5  // that get a series of their own
	chartDays   = 92 // that are drawn at most, the latest
	othersName  = "other models"
	notByModel  = "not told by model"
)

// dayTable is spend, or requests where amounts are not shown, by day and model.
type dayTable struct {
	days   []string // without gaps
	models []string // greatest first, at most chartModels and one for the others
	values map[string]map[string]decimal.Decimal
	usd    bool
}

func (t dayTable) of(day, model string) decimal.Decimal { return t.values[day][model] }

func (t dayTable) day(day string) decimal.Decimal { return sum(maps.Values(t.values[day])) }

func (t dayTable) model(model string) decimal.Decimal {
	total := decimal.Zero
	for _, d := range t.days {
		total = total.Add(t.of(d, model))
	}
	return total
}

func (t dayTable) text(v decimal.Decimal) string {
	if !t.usd {
		return v.String()
	}
	return amount(v)
}

func sum(values func(func(decimal.Decimal) bool)) decimal.Decimal {
	total := decimal.Zero
	for v := range values {
		total = total.Add(v)
	}
	return total
}

// spendOf draws the days of all keys together; nil if no day is known.
func spendOf(r Report) *spendFigure {
	t, ok := dayTableOf(r)
	if !ok {
		return nil
	}
	f := &spendFigure{Unit: "Requests"}
	unit := "requests"
	if t.usd {
		f.Unit, unit = "USD", "USD"
	}
	total, most := decimal.Zero, t.days[0]
	for _, d := range t.days {
		v := t.day(d)
		total = total.Add(v)
		if v.GreaterThan(t.day(most)) {
			most = d
		}
		row := tableRow{Name: dayName(d)}
		for _, m := range t.models {
			row.Cells = append(row.Cells, t.text(t.of(d, m)))
		}
		f.Rows = append(f.Rows, tableRow{row.Name, append(row.Cells, t.text(v))})
	}
	f.Summary = fmt.Sprintf("%s %s from %s to %s, by UTC day; most on %s: %s %s.", t.text(total), unit,
		dayName(t.days[0]), dayName(t.days[len(t.days)-1]), dayName(most), t.text(t.day(most)), unit)
	for i, m := range t.models {
		f.Series = append(f.Series, series{i, patternOf(i), brief(m, nameLimit/3), t.text(t.model(m)) + " " + unit})
	}
	for _, c := range []chart{{Class: "full", Width: 1100, Height: 300}, {Class: "medium", Width: 680, Height: 270}, {Class: "narrow", Width: 340, Height: 230}} {
		c.Label = f.Unit + " by day and model, stacked bars. " + f.Summary
		f.Charts = append(f.Charts, t.draw(c))
	}
	return f
}

func patternOf(i int) string {
	if i == 0 {
		return ""
	}
	return fmt.Sprintf("p%d", min(i, 5))
}

// dayTableOf sums the days of all keys; false if none is known.
func dayTableOf(r Report) (dayTable, bool) {
	t := dayTable{values: map[string]map[string]decimal.Decimal{}, usd: !r.AmountsHidden}
	add := func(day, model string, v decimal.Decimal) {
		if t.values[day] == nil {
			t.values[day] = map[string]decimal.Decimal{}
		}
		t.values[day][model] = t.values[day][model].Add(v)
	}
	var first, last time.Time
	for _, k := range r.Keys {
		for _, d := range k.Days {
			at, err := time.Parse(time.DateOnly, d.Date)
			if err != nil {
				continue
			}
			if first.IsZero() || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
			rest := dayValue(d)
			for _, m := range d.Models {
				v := dayValue(Day{Spend: m.Spend, Requests: m.Requests})
				rest = rest.Sub(v)
				add(d.Date, cmp.Or(shown(m.Name, nameLimit), "–"), v)
			}
			if len(d.Models) == 0 && rest.IsPositive() || rest.GreaterThan(decimal.New(1, -2)) {
				add(d.Date, notByModel, rest)
			}
		}
	}
	if first.IsZero() {
		return t, false
	}
	if p := r.Period; p != nil && p.From.Before(first) && last.Sub(p.From) < chartDays*24*time.Hour {
		first = p.From.UTC().Truncate(24 * time.Hour)
	}
	for at := last; !at.Before(first) && len(t.days) < chartDays; at = at.AddDate(0, 0, -1) {
		t.days = append(t.days, at.Format(time.DateOnly))
	}
	slices.Reverse(t.days)
	t.rank()
	return t, true
}

// rank orders the models, the greatest first, and makes one of those beyond the fifth.
func (t *dayTable) rank() {
	totals := map[string]decimal.Decimal{}
	for _, d := range t.days {
		for m, v := range t.values[d] {
			totals[m] = totals[m].Add(v)
		}
	}
	maps.DeleteFunc(totals, func(_ string, v decimal.Decimal) bool { return v.IsZero() && len(totals) > 1 })
	t.models = slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		return cmp.Or(totals[b].Cmp(totals[a]), cmp.Compare(a, b))
	})
	if len(t.models) <= chartModels+1 {
		return
	}
	others := t.models[chartModels:]
	t.models = append(slices.Clone(t.models[:chartModels]), othersName)
	for _, day := range t.values {
		rest := decimal.Zero
		for _, m := range others {
			rest = rest.Add(day[m])
			delete(day, m)
		}
		day[othersName] = rest
	}
}

// draw lays the bars out in c.
func (t dayTable) draw(c chart) chart {
	const left, right, top, bottom = 52.0, 6.0, 12.0, 24.0
	width, height := float64(c.Width)-left-right, float64(c.Height)-top-bottom
	most := 0.0
	for _, d := range t.days {
		bar := 0.0 // of what is drawn: a credit takes nothing off it
		for _, m := range t.models {
			bar += drawn(t.of(d, m))
		}
		most = max(most, bar)
	}
	step := niceStep(most, 4)
	full := step * math.Ceil(most/step)
	if full <= 0 {
		full, step = 1, 1
	}
	for v := 0.0; v <= full+step/2; v += step {
		c.Ticks = append(c.Ticks, mark{X: left, Right: round(left + width), Y: round(top + height*(1-v/full)), Text: tickText(v)})
	}
	slot := width / float64(len(t.days))
	gap := max(min(slot*0.25, 8), slot-56)
	for i, d := range t.days {
		x, y := left+slot*float64(i)+gap/2, top+height
		for j, m := range t.models {
			v := t.of(d, m)
			h := height * drawn(v) / full
			if h <= 0 {
				continue
			}
			y -= h
			c.Bars = append(c.Bars, rect{
				Title: fmt.Sprintf("%s, %s: %s %s", dayName(d), m, t.text(v), map[bool]string{true: "USD", false: "requests"}[t.usd]),
				Index: j, Pattern: patternOf(j), X: round(x), Y: round(y), Width: round(slot - gap), Height: round(max(h, 0.4)),
			})
		}
	}
	every := int(math.Ceil(62 / slot))
	for i := 0; i < len(t.days); i += every {
		x := round(left + slot*(float64(i)+0.5))
		if i > 0 && anchor(x, c.Width) == "end" {
			break // it would run into the one before
		}
		c.Labels = append(c.Labels, mark{X: x, Y: float64(c.Height) - 6, Anchor: anchor(x, c.Width), Text: shortDay(t.days[i])})
	}
	return c
}

// niceStep is the least of 1, 2, 5 times a power of ten of which at most n make most.
func niceStep(most float64, n int) float64 {
	if most <= 0 || math.IsInf(most, 0) || math.IsNaN(most) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if power*m*float64(n) >= most*0.999 {
			return power * m
		}
	}
	return power * 10
}

func tickText(v float64) string {
	return decimal.NewFromFloat(v).Round(6).String()
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

func dayName(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return shown(day, nameLimit)
	}
	return at.Format("2 Jan 2006")
}

func shortDay(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return at.Format("2 Jan")
}
