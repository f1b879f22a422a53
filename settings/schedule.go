package settings

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// shortestEvery is the least time between passes that "@every" may ask for.
const shortestEvery = time.Minute

// parseCron takes five fields of cron syntax, or @hourly and its like, and returns them as they are. What cron itself
// takes badly is refused first: its own time zones, which it reads with a panic, and passes without a pause.
func parseCron(text string) (spec string, p *problem) {
	const remedy = "write five fields such as \"*/15 * * * *\" (minute, hour, day, month, weekday 0-6), or @daily"
	defer func() {
		if r := recover(); r != nil {
			spec, p = "", bad(remedy, "%s is not a schedule", quote(text))
		}
	}()
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return "", bad("give the time zone in timezone", "%s names a time zone", quote(text))
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return "", bad(remedy, "%s is not a schedule", quote(text))
	}
	if every, ok := parsed.(cron.ConstantDelaySchedule); ok && every.Delay < shortestEvery {
		return "", bad(fmt.Sprintf("write @every %s or longer", shortestEvery), "%s leaves no pause", quote(text))
	}
	return text, nil
}

// parseTimezone takes a name of the time zone database. Local is refused: it differs from machine to machine.
func parseTimezone(text string) (*time.Location, *problem) {
	zone, err := time.LoadLocation(text)
	if err != nil || text == "Local" {
		return nil, bad("write a name such as UTC or Europe/Paris", "%s is not a time zone", quote(text))
	}
	return zone, nil
}
