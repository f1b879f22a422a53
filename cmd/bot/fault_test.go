package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// fault makes requests to one system go wrong.
type fault struct {
	system, method, path string // "*" is any method; path may end in a star
	skip, times          int    // times 0: all
	do                   string // see strike
	header               http.Header
	body                 string
}

// take returns the fault that hits a request, nil for none.
func (w *world) take(system string, in *http.Request) *fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		prefix, star := strings.CutSuffix(f.path, "*")
		path := in.URL.EscapedPath()
		if f.system != system || f.method != "*" && f.method != in.Method || path != f.path && !(star && strings.HasPrefix(path, prefix)) {
			continue
		}
		switch {
		case f.times < 0:
			continue // used up
		case f.skip > 0:
			f.skip--
			continue
		case f.times == 1:
			f.times = -1
		case f.times > 1:
			f.times--
		}
		return f
	}
	return nil
}

func (w *world) inject(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, &f)
}

func (w *world) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// strike does what the fault is for:
//
//	lost       the request is dropped
//	unanswered it is done, and the answer is dropped
//	half       it is done, and half of the answer sent
//	html       a web page in place of the answer, which shows the credentials it was sent
//	echo       500 with a JSON error that repeats the credentials and the body it was sent
//	redirect   307 to body
//	NNN        that status, with body
func (f *fault) strike(out http.ResponseWriter, in *http.Request, sent string, next http.Handler) {
	for name, values := range f.header {
		out.Header()[name] = values
	}
	shown := in.Header.Get("Authorization") + " " + in.URL.String()
	switch f.do {
	case "lost":
		panic(http.ErrAbortHandler)
	case "unanswered", "half":
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, in)
		if f.do == "half" {
			out.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()+10))
			out.WriteHeader(answer.Code)
			out.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
			http.NewResponseController(out).Flush()
		}
		panic(http.ErrAbortHandler)
	case "html":
		out.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(out, "<!doctype html><title>Portal</title><p>You sent %s</p><pre>%s</pre>", shown, sent)
	case "echo":
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(out, `{"error":{"message":%q,"type":"internal_server_error","code":"500"},"message":%q,"ok":false}`, shown+" "+sent, shown+" "+sent)
	case "redirect":
		out.Header().Set("Location", f.body)
		out.WriteHeader(http.StatusTemporaryRedirect)
	default:
		status, _ := strconv.Atoi(f.do)
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(status)
		io.WriteString(out, strings.ReplaceAll(strings.ReplaceAll(f.body, "$SHOWN", strconv.Quote(shown)), "$SENT", strconv.Quote(sent)))
	}
}

// replayed reads a request's body and puts it back.
func replayed(in *http.Request) string {
	raw, _ := io.ReadAll(io.LimitReader(in.Body, 4<<20))
	in.Body = io.NopCloser(bytes.NewReader(raw))
	return string(raw)
}
