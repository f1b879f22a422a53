package litellmtest

import (
	"strconv"
	"strings"
)

// DefaultRelease is the release imitated when Options names none.
const DefaultRelease = "1.106.10"

// family is a group of releases that answer alike.
type family int

const (
	family81  family = 81
	family93  family = 93
	family106 family = 106
)

// familyOf sorts a version into its family by its minor number. What cannot be read counts as the newest.
func familyOf(version string) family {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return family106
	}
	minor, err := strconv.Atoi(parts[1])
	switch {
	case err != nil || minor >= 100:
		return family106
	case minor >= 84:
		return family93
	default:
		return family81
	}
}

// budgetExceededStatus is the HTTP status of a call over budget.
func (f family) budgetExceededStatus() int {
	switch f {
	case family81:
		return 400
	case family93:
		return 429
	default:
		return 422
	}
}

// logPageLimit is the largest page_size of /spend/logs/v2.
func (f family) logPageLimit() int {
	if f == family106 {
		return 1000
	}
	return 100
}
