package litellmtest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
)

// recorder collects an answer in memory.
type recorder struct {
	request *http.Request
	header  http.Header
	body    bytes.Buffer
	status  int
	aborted bool
	done    chan struct{}
}

func newRecorder(r *http.Request) *recorder {
	return &recorder{request: r, header: http.Header{}, done: make(chan struct{})}
}

// serve runs the handler and closes done. A handler that aborts leaves the answer aborted.
func (w *recorder) serve(h http.Handler, r *http.Request, cancel context.CancelFunc) {
	defer close(w.done)
	defer cancel()
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			w.aborted = true
		} else if v != nil {
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher.
func (w *recorder) Flush() {}

// response is what a client sees: an error if nothing had been sent before the connection was dropped, otherwise an
// answer, cut short if it was dropped later.
func (w *recorder) response() (*http.Response, error) {
	if w.aborted && w.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	w.WriteHeader(http.StatusOK)
	var body io.Reader = bytes.NewReader(w.body.Bytes())
	length := int64(w.body.Len())
	if w.aborted {
		body = io.MultiReader(body, broken{})
		length = -1
	}
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: w.request,
	}, nil
}

// broken is the rest of an answer that never comes.
type broken struct{}

// Read implements io.Reader.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
