package netx

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// TooLarge is the error of an answer with more bytes than are read.
type TooLarge struct{ Limit int64 }

// Error states the limit.
func (e *TooLarge) Error() string { return fmt.Sprintf("the answer is larger than %d bytes", e.Limit) }

// ReadAll reads an answer's body of at most limit bytes. A longer one is *TooLarge, and what was read of it is dropped.
func ReadAll(body io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit:
		return nil, &TooLarge{limit}
	}
	return text, nil
}

// longestWait bounds what an answer can ask to wait: whatever it says beyond means "not today".
const longestWait = 24 * time.Hour

// RetryAfter reads the Retry-After header, as seconds or as a date. It is at most a day, and not negative if ok; ok is false if
// there is no such header, or one that makes no sense. now stands for the answer's Date header where that is missing.
func RetryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, longestWait.Seconds()) * float64(time.Second)), seconds >= 0 // NaN is not
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return Until(at, h, now), true
}

// Until returns how long it is from the answer to at: never negative, and at most a day.
func Until(at time.Time, h http.Header, now time.Time) time.Duration {
	if date, ok := Date(h); ok {
		now = date
	}
	return min(max(at.Sub(now), 0), longestWait)
}

// Date reads the Date header in UTC. ok is false if there is none, or if it is from another century: a clock that was
// never set tells nothing.
func Date(h http.Header) (date time.Time, ok bool) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil || at.Year() < 1980 || at.Year() >= 2200 {
		return time.Time{}, false
	}
	return at.UTC(), true
}
