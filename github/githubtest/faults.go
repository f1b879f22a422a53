package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with matching requests. Where several match, the one injected first is taken.
type Fault struct {
	Method string // "": any
	Path   string // a part of the escaped path; "": any
	Skip   int    // so many matching requests pass first
	Times  int    // how many are hit; 0: one; negative: all

	// Exactly one of these; with none of them the request goes through and only Before and After run.
	Status     int    // answered instead of applying it, with Message and Header
	HTML       bool   // answered with a web page instead, with Status or 200
	DropBefore bool   // the connection is cut and nothing applied
	DropAfter  bool   // it is applied and the connection cut: a lost answer
	HalfAnswer bool   // it is applied and the answer breaks off
	Redirect   string // sent there, with Status or 307

	Message string
	Header  http.Header
	Delay   time.Duration // before anything else, by the real clock

	Before func() // called before the request is applied, without the server's lock
	After  func() // called after it is applied and before it is answered
}

// Inject adds f.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// ClearFaults takes away all faults that are left.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault returns the fault that hits r, nil for none.
func (s *Server) takeFault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.EscapedPath(), f.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		hit := *f
		if f.Times--; f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return &hit
	}
	return nil
}

// instead reports whether a request that f hits is not applied.
func (f *Fault) instead() bool { return f.DropBefore || f.HTML || f.Redirect != "" || f.Status != 0 }

// before does what happens instead of applying the request; it reports whether that is all.
func (f *Fault) before(w http.ResponseWriter, r *http.Request) bool {
	if f.Delay > 0 {
		pause(r.Context(), f.Delay)
	}
	if f.Before != nil {
		f.Before()
	}
	if f.DropBefore {
		panic(http.ErrAbortHandler)
	}
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	switch {
	case f.Redirect != "":
		w.Header().Set("Location", f.Redirect)
		w.WriteHeader(orStatus(f.Status, http.StatusTemporaryRedirect))
	case f.HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(orStatus(f.Status, http.StatusOK))
		fmt.Fprint(w, "<!DOCTYPE html>\n<title>Unicorn!</title>\n")
	case f.Status != 0:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(f.Status)
		if f.Message != "" {
			_ = json.NewEncoder(w).Encode(refuse(f.Status, f.Message).body)
		}
	default:
		return false
	}
	return true
}

// after does what happens once the request is applied; it reports whether that is the answer.
func (f *Fault) after(w http.ResponseWriter, _ *http.Request) bool {
	if f.After != nil {
		f.After()
	}
	switch {
	case f.DropAfter:
		panic(http.ErrAbortHandler)
	case f.HalfAnswer:
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, `{"id":`)
		return true
	}
	return false
}

func orStatus(status, fallback int) int {
	if status == 0 {
		return fallback
	}
	return status
}

// Request is one request in the log.
type Request struct {
	Method string
	Path   string // escaped, without query
	Status int    // what it was answered, or would have been without a fault; 0: cut before
}

// Requests returns every request received, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Counts returns how many requests read and how many wrote or tried to.
func (s *Server) Counts() (reads, writes int) {
	for _, r := range s.Requests() {
		if isRead(r.Method, r.Path) {
			reads++
		} else {
			writes++
		}
	}
	return reads, writes
}

// ClearLog forgets the requests received so far.
func (s *Server) ClearLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

func (s *Server) note(r *http.Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, Request{Method: r.Method, Path: r.URL.EscapedPath(), Status: status})
}
