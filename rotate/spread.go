package rotate

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// crowd is how many keys may come due at the same time.
const crowd = 20

// Spread returns how much earlier than others the first generation of a key is replaced, where a configuration has so
// many keys that minting them all in one run would make them all due in one run for ever: up to half of the interval, by
// the key's name. Fewer keys are never early.
func Spread(name string, interval time.Duration, keys int) time.Duration {
	if keys <= crowd {
		return 0
	}
	return time.Duration(share("spread", name) * float64(interval) / 2)
}

// smallFleet is how many targets are read at every run.
const smallFleet = 50

// ReadsTarget reports whether a run at that time reads a target although nothing else is due, in a configuration with so
// many targets: one of a small fleet always is. Of more, each has an hour of the day and a day of the week, so that runs every hour
// read it once a day at least, and runs every day once a week.
func ReadsTarget(fingerprint string, targets int, now time.Time) bool {
	if targets <= smallFleet {
		return true
	}
	now = now.UTC()
	return int(share("hour", fingerprint)*24) == now.Hour() || int(share("day", fingerprint)*7) == int(now.Weekday())
}

// share is a number from 0 up to 1, the same for the same texts and evenly spread over others.
func share(what, text string) float64 {
	sum := sha256.Sum256([]byte(what + "|" + text))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
