package report

import (
	"encoding/json"
	"fmt"

	"github.com/shopspring/decimal"
	"github.com/slack-go/slack"
)

// What Slack takes of a chart, as far as its sources agree.
const (
	slackPoints    = 14 // of 20: two weeks
	slackSeries    = 6
	slackLabel     = 20 // characters of a label or a series' name
	slackChartRoom = 5000
)

// slackChart draws the latest days by model in Slack's own chart block, and as a line of text for where it is not taken;
// false if there are fewer than two days.
func slackChart(r Report) (chart slack.Block, line string, ok bool) {
	t, ok := dayTableOf(r)
	if !ok || len(t.days) < 2 {
		return nil, "", false
	}
	t.days = t.days[max(0, len(t.days)-slackPoints):]
	unit := "requests"
	if t.usd {
		unit = "USD"
	}
	var names []string
	for _, d := range t.days {
		names = append(names, shortDay(d))
	}
	var all []slack.DataVisualizationDataSeries
	seen := map[string]bool{}
	for i, m := range t.models[:min(slackSeries, len(t.models))] {
		name := brief(m, slackLabel)
		if seen[name] || name == "" {
			name = brief(fmt.Sprintf("%d %s", i+1, m), slackLabel)
		}
		seen[name] = true
		one := slack.NewDataVisualizationDataSeries(name)
		for j, d := range t.days {
			one.Data = append(one.Data, slack.NewDataVisualizationDataPoint(names[j], drawn(t.of(d, m).Round(4))))
		}
		all = append(all, one)
	}
	axis := slack.NewDataVisualizationAxisConfig(names...).WithXLabel("day (UTC)").WithYLabel(unit)
	title := fmt.Sprintf("%s by day and model", map[bool]string{true: "Spend", false: "Requests"}[t.usd])
	return slack.NewDataVisualizationBlock(title, slack.NewDataVisualizationBarChart(axis, all...)), t.line(unit), true
}

// line is the days as one line of text.
func (t dayTable) line(unit string) string {
	values := make([]decimal.Decimal, 0, len(t.days))
	most := t.days[0]
	for _, d := range t.days {
		values = append(values, t.day(d))
		if t.day(d).GreaterThan(t.day(most)) {
			most = d
		}
	}
	return fmt.Sprintf("`%s` %s by day, %s to %s; most on %s: %s", Options{}.sparkline(values), unit, shortDay(t.days[0]),
		shortDay(t.days[len(t.days)-1]), shortDay(most), t.text(t.day(most)))
}

// size is how long the blocks are as JSON, which is what Slack counts at most.
func (m Message) size() int {
	text, err := json.Marshal(m.Blocks)
	if err != nil {
		return slackMessage
	}
	return len(text)
}
