package spendlog

import "time"

// parseTime reads a moment as LiteLLM and PostgreSQL write it: 2026-11-23T19:07:06.87Z, a blank for the T, any number of
// decimals, and as its zone Z, +01, +01:00, +0100 or nothing, which is UTC.
func parseTime(text []byte) (time.Time, bool) {
	if len(text) < 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T' && text[10] != ' ' || text[13] != ':' || text[16] != ':' {
		return time.Time{}, false
	}
	year, month, day := digits(text[:4]), digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	if min(year, month, day, hour, minute, second) < 0 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	text = text[19:]
	nanos := 0
	if len(text) > 1 && text[0] == '.' {
		unit, i := 100_000_000, 1
		for ; i < len(text) && text[i]-'0' <= 9; i++ {
			nanos += int(text[i]-'0') * unit
			unit /= 10
		}
		if i == 1 {
			return time.Time{}, false
		}
		text = text[i:]
	}
	east, ok := parseZone(text)
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	return t.Add(-east), ok && t.Day() == day
}

// parseZone returns how far east of Greenwich a zone is.
func parseZone(text []byte) (time.Duration, bool) {
	if len(text) == 0 || string(text) == "Z" {
		return 0, true
	}
	hours, minutes := -1, 0
	switch {
	case len(text) == 6 && text[3] == ':':
		hours, minutes = digits(text[1:3]), digits(text[4:])
	case len(text) == 5:
		hours, minutes = digits(text[1:3]), digits(text[3:])
	case len(text) == 3:
		hours = digits(text[1:])
	}
	east := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	switch {
	case hours < 0 || hours > 23 || minutes < 0 || minutes > 59:
		return 0, false
	case text[0] == '+':
		return east, true
	}
	return -east, text[0] == '-'
}

// digits reads a number of a few digits, -1 if it is none.
func digits(text []byte) int {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
