package slacktest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is how one coming request is to go wrong.
type Fault struct {
	Method string // "chat.postMessage", "webhook", …; "" for any
	Skip   int    // how many such requests go right first

	// Lost carries the request out and then cuts the connection instead of answering. With Half, half of an answer is
	// sent first.
	Lost, Half bool
	// Status is answered instead of carrying the request out, with Body and, if positive, a Retry-After header.
	Status     int
	Body       string // "": an HTML page, as Slack's front ends send
	RetryAfter time.Duration
	Location   string // of a redirect
}

const errorPage = "<!DOCTYPE html><html><head><title>Server Error | Slack</title></head><body>Oops</body></html>"

// Fail makes the next request that f fits go wrong, once. Several faults are used up in the order given.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// fault takes the fault meant for this request, if there is one.
func (s *Server) fault(method string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.Method != "" && f.Method != method {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return Fault{}, false
		}
		taken := *f
		s.faults = slices.Delete(s.faults, i, i+1)
		return taken, true
	}
	return Fault{}, false
}

// answer sends f's status instead of a real answer.
func (f Fault) answer(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(f.RetryAfter)))
	}
	if f.Location != "" {
		w.Header().Set("Location", f.Location)
	}
	body := f.Body
	if body == "" {
		body = errorPage
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(body))
}

// cut ends the connection, after half of the answer if f says so.
func (f Fault) cut(w http.ResponseWriter, answer []byte) {
	if f.Half {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer[:len(answer)/2]) // #nosec G705 -- a fake, answering a test
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

// seconds rounds d up to whole seconds, which is what Retry-After holds.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
