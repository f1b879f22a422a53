package settings

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// longest is the longest duration taken: ten years, far from what overflows.
const longest = 10 * 365 * 24 * time.Hour

var (
	plainDecimal = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$`)
	daysAndWeeks = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)([dw])`)
	litellmTime  = regexp.MustCompile(`^([0-9]{1,9})(s|m|h|d|w|mo)$`)
)

// parseMoney reads US dollars, more than 0.
func parseMoney(text string) (decimal.Decimal, *problem) {
	const remedy = "write US dollars such as 50 or 0.25"
	if !plainDecimal.MatchString(text) {
		return decimal.Decimal{}, bad(remedy, "%s is not an amount", quote(text))
	}
	amount, err := decimal.NewFromString(text)
	if err != nil || !amount.IsPositive() {
		return decimal.Decimal{}, bad("write an amount above 0, or leave it out for no limit", "a budget of %s lets nothing through", text)
	}
	return amount, nil
}

// parseDuration reads Go's durations, and d (24 hours) and w (7 days) in the same way: 30d, 1d12h, 2w.
func parseDuration(text string) (time.Duration, *problem) {
	const remedy = "write a duration such as 30d, 2w or 12h"
	for _, unit := range []string{"mo", "month", "year", "hourly", "daily", "weekly"} {
		if strings.Contains(text, unit) {
			return 0, bad("write days, such as 30d", "%s is no fixed length of time", quote(text))
		}
	}
	goText := daysAndWeeks.ReplaceAllStringFunc(text, func(part string) string {
		hours := 24.0
		if strings.HasSuffix(part, "w") {
			hours *= 7
		}
		number, _ := strconv.ParseFloat(part[:len(part)-1], 64)
		return strconv.FormatFloat(number*hours, 'f', -1, 64) + "h"
	})
	length, err := time.ParseDuration(goText)
	switch {
	case err != nil:
		return 0, bad(remedy, "%s is not a duration", quote(text))
	case length < 0:
		return 0, bad(remedy, "%s is negative", quote(text))
	case length > longest:
		return 0, bad("write at most 3650d", "%s is too long", quote(text))
	}
	return length, nil
}

// parseBudgetDuration turns a budget window into the spelling that every release of LiteLLM resets as it says.
//
// LiteLLM's own words "monthly" and "daily" mean a day on some releases, as does every spelling those do not know;
// weeks are no unit of their reset. So words become 1h, 1d, 7d and 1mo, weeks become days, and the rest is refused.
func parseBudgetDuration(text string) (string, *problem) {
	words := map[string]string{"hourly": "1h", "daily": "1d", "weekly": "7d", "monthly": "1mo"}
	if same, ok := words[text]; ok {
		return same, nil
	}
	const remedy = "write hourly, daily, weekly, monthly, or one number and unit such as 12h or 30d"
	parts := litellmTime.FindStringSubmatch(text)
	if parts == nil {
		return "", bad(remedy, "%s would be reset daily, or refused, by some releases of LiteLLM", quote(text))
	}
	number, err := strconv.Atoi(parts[1])
	switch unit := parts[2]; {
	case err != nil || number == 0:
		return "", bad(remedy, "%s is no length of time", quote(text))
	case unit == "mo" && number != 1:
		return "", bad("write monthly, or days such as "+strconv.Itoa(30*min(number, 100))+"d", "LiteLLM resets by 1 month only, not %s", quote(text))
	case unit == "w":
		return strconv.Itoa(7*number) + "d", nil
	default:
		return inItsUnit(text, number, unit)
	}
}

// inItsUnit writes a window in a unit that LiteLLM resets it by: more than 24h it resets every day, more than 60m or 60s
// every hour or minute, so that the budget would be granted more often than it says.
func inItsUnit(text string, number int, unit string) (string, *problem) {
	for _, larger := range []struct {
		unit, next string
		most       int
	}{{"s", "m", 60}, {"m", "h", 60}, {"h", "d", 24}} {
		if unit != larger.unit || number <= larger.most {
			continue
		}
		if number%larger.most != 0 {
			return "", bad("write a whole number of "+larger.next+", such as "+strconv.Itoa(number/larger.most+1)+larger.next,
				"LiteLLM would reset a window of %s more often than that", text)
		}
		number, unit = number/larger.most, larger.next
	}
	return strconv.Itoa(number) + unit, nil
}

// parseThreshold reads a percentage of a budget: 80% or 80, from 1 to 1000.
func parseThreshold(text string) (decimal.Decimal, *problem) {
	const remedy = "write a percentage from 1% to 1000%, such as 80%"
	bare := strings.TrimSpace(strings.TrimSuffix(text, "%"))
	if !plainDecimal.MatchString(bare) {
		return decimal.Decimal{}, bad(remedy, "%s is not a percentage", quote(text))
	}
	share, err := decimal.NewFromString(bare)
	if err != nil || share.LessThan(decimal.NewFromInt(1)) || share.GreaterThan(decimal.NewFromInt(1000)) {
		return decimal.Decimal{}, bad(remedy, "%s is out of range", quote(text))
	}
	return share, nil
}

// parseRate reads a share of requests with its percent sign and returns the fraction.
func parseRate(text string) (float64, *problem) {
	const remedy = "write a percentage above 0% and up to 100%, such as 5%"
	bare, ok := strings.CutSuffix(text, "%")
	bare = strings.TrimSpace(bare)
	if !ok || !plainDecimal.MatchString(bare) {
		return 0, bad(remedy, "%s is not a percentage", quote(text))
	}
	rate, err := strconv.ParseFloat(bare, 64)
	if err != nil || rate <= 0 || rate > 100 {
		return 0, bad(remedy, "%s is out of range", quote(text))
	}
	return rate / 100, nil
}

// parseBool reads true or false in any case.
func parseBool(text string) (bool, *problem) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, bad("write true or false", "%s is neither true nor false", quote(text))
}

// parseText takes any text without control characters, which no setting needs and logs do not survive.
func parseText(text string) (string, *problem) {
	if hasControl(text) {
		return "", bad("write one line", "the value holds a line break or another control character")
	}
	return text, nil
}

// parseChoice takes one of the choices.
func parseChoice(choices []string) func(string) (string, *problem) {
	return func(text string) (string, *problem) {
		for _, c := range choices {
			if text == c {
				return text, nil
			}
		}
		return "", bad("write one of "+strings.Join(choices, ", "), "%s is not known", quote(text))
	}
}

// splitList splits by comma or line and drops what is empty.
func splitList(text string) []string {
	var items []string
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// showDuration writes whole days as days, for faults.
func showDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}
