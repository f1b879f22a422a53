package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// stale is how long the loop may have been silent and still count as alive.
const stale = 3 * heartbeat

// Health serves /healthz, which is 200 while the loop of Serve turns, and /readyz, which is 200 unless that stands
// still, a job's last run failed, a run at the start has not ended yet, a job has been due for a whole period of its
// schedule (five minutes at least) and has not begun, or the daemon is stopping. Otherwise they are 503. Neither tells
// more, and neither depends on the wall clock.
func (d *Daemon) Health() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", answer(d.alive))
	mux.Handle("GET /readyz", answer(d.ready))
	return mux
}

func answer(good func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status, text := http.StatusOK, "ok\n"
		if !good() {
			status, text = http.StatusServiceUnavailable, "not ok\n"
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

// alive also holds while stopping: to be killed in the middle of a step is what stopping in order avoids.
func (d *Daemon) alive() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.jobs != nil && (d.state.stopping || d.look().since(d.state.turned) < stale)
}

func (d *Daemon) ready() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.look()
	if d.state.jobs == nil || d.state.stopping || now.since(d.state.turned) >= stale {
		return false
	}
	for i := range d.state.jobs {
		s := &d.state.jobs[i]
		first := s.last == nil && (s.due || s.running)
		failed := s.last != nil && s.last.Err != nil
		if first || failed || s.late(now) {
			return false
		}
	}
	return true
}

// listener is the health server; its zero value listens nowhere.
type listener struct {
	server *http.Server
	failed chan error // gets an error if the server breaks
	ended  chan struct{}
}

// listen opens HealthListen, if there is one.
func (d *Daemon) listen() (*listener, error) {
	if d.HealthListen == "" {
		return &listener{}, nil
	}
	l, err := net.Listen("tcp", d.HealthListen)
	if err != nil {
		return nil, fmt.Errorf("listening for health checks: %w", err)
	}
	h := &listener{failed: make(chan error, 1), ended: make(chan struct{}), server: &http.Server{
		Handler:           d.Health(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(d.log().Handler(), slog.LevelWarn),
	}}
	go func() {
		defer close(h.ended)
		if err := h.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			h.failed <- fmt.Errorf("serving health checks: %w", err)
		}
	}()
	d.log().Info("answering health checks", "address", l.Addr().String())
	if d.OnListen != nil {
		d.OnListen(l.Addr())
	}
	return h, nil
}

// close ends the server after the requests under way, or after five seconds, and waits for its goroutine.
func (h *listener) close() error {
	if h.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := h.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.server.Close()
	}
	<-h.ended
	return err
}
