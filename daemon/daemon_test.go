package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/org/openclaw-litellm-action/daemon"
)

// serve runs d in the bubble and returns what ends it and what it returned.
func serve(t *testing.T, d *daemon.Daemon) (stop func(), result func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Serve(ctx) }()
	synctest.Wait()
	return cancel, func() error { return <-done }
}

func status(d *daemon.Daemon, path string) int {
	w := httptest.NewRecorder()
	d.Health().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

func wantHealth(t *testing.T, d *daemon.Daemon, when string, healthz, readyz int) {
	t.Helper()
	if h, r := status(d, "/healthz"), status(d, "/readyz"); h != healthz || r != readyz {
		t.Errorf("%s: healthz %d, readyz %d, want %d, %d", when, h, r, healthz, readyz)
	}
}

func TestRunsOnSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []string
		d := &daemon.Daemon{Jobs: []daemon.Job{{Name: "run", Schedule: mustParse(t, "*/15 * * * *", ""), Run: func(context.Context) error {
			at = append(at, time.Now().UTC().Format("15:04:05"))
			return nil
		}}}}
		stop, result := serve(t, d) // the bubble's time starts at midnight UTC
		wantHealth(t, d, "before the first run", 200, 200)
		if s := d.Status(); len(s) != 1 || s[0].Last != nil || !s[0].Next.Equal(time.Now().Add(15*time.Minute)) {
			t.Errorf("status %+v", s)
		}
		time.Sleep(46 * time.Minute)
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
		if got := strings.Join(at, " "); got != "00:15:00 00:30:00 00:45:00" {
			t.Errorf("ran at %s", got)
		}
		wantHealth(t, d, "afterwards", 503, 503)
	})
}

func TestOneAtATimeAndMissedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []string
		var under atomic.Int32
		job := func(name string, takes time.Duration) func(context.Context) error {
			return func(context.Context) error {
				if under.Add(1) > 1 {
					t.Error("two jobs at once")
				}
				at = append(at, name+" "+time.Now().UTC().Format("15:04"))
				time.Sleep(takes)
				under.Add(-1)
				return nil
			}
		}
		d := &daemon.Daemon{Jobs: []daemon.Job{
			{Name: "slow", Schedule: mustParse(t, "0 * * * *", ""), AtStart: true, Run: job("slow", 25*time.Minute)},
			{Name: "quick", Schedule: mustParse(t, "*/10 * * * *", ""), Run: job("quick", time.Second)},
		}}
		stop, result := serve(t, d)
		if s := d.Status(); !s[0].Running || s[1].Running {
			t.Errorf("status %+v", s)
		}
		time.Sleep(41 * time.Minute)
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
		if got := strings.Join(at, ", "); got != "slow 00:00, quick 00:25, quick 00:30, quick 00:40" {
			t.Errorf("ran %s", got)
		}
	})
}

func TestFailuresAndPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		var runs []daemon.Run
		turn := 0
		d := &daemon.Daemon{
			Log:    slog.New(slog.NewTextHandler(&logged, nil)),
			OnDone: func(r daemon.Run) { runs = append(runs, r) },
			Jobs: []daemon.Job{{Name: "run", Schedule: mustParse(t, "@hourly", ""), Run: func(context.Context) error {
				switch turn++; turn {
				case 1:
					return errors.New("proxy is down")
				case 2:
					panic("surprise")
				case 3:
					runtime.Goexit()
				}
				return nil
			}}},
		}
		stop, result := serve(t, d)
		for _, ready := range []int{503, 503, 503, 200} {
			time.Sleep(time.Hour + time.Second)
			wantHealth(t, d, "after a run", 200, ready)
		}
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
		if len(runs) != 4 || runs[0].Err == nil || runs[1].Err == nil || runs[2].Err == nil || runs[3].Err != nil {
			t.Errorf("runs %+v", runs)
		}
		for _, want := range []string{"proxy is down", "surprise", "daemon_test.go", "job done"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the log lacks %q: %s", want, &logged)
			}
		}
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &daemon.Daemon{Jobs: []daemon.Job{{Name: "run", AtStart: true, Timeout: time.Minute, Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}}
		stop, result := serve(t, d)
		wantHealth(t, d, "during the first run", 200, 503)
		time.Sleep(2 * time.Minute)
		if s := d.Status(); s[0].Last == nil || !errors.Is(s[0].Last.Err, context.DeadlineExceeded) || !s[0].Next.IsZero() {
			t.Errorf("status %+v", s)
		}
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
	})
}

func TestStops(t *testing.T) {
	tests := map[string]struct {
		run   func(context.Context) error
		takes time.Duration
		want  string // "" for an orderly stop
	}{
		"finishes the step": {func(ctx context.Context) error {
			<-daemon.Stopping(ctx)
			time.Sleep(20 * time.Second)
			return ctx.Err()
		}, 20 * time.Second, ""},
		"is cut off": {func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, 30 * time.Second, "cut off after 30s"},
		"does not return": {func(context.Context) error {
			time.Sleep(2 * time.Minute)
			return nil
		}, 40 * time.Second, "does not return"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &daemon.Daemon{StopGrace: 30 * time.Second, Jobs: []daemon.Job{
					{Name: "run", AtStart: true, Run: tt.run},
					{Name: "next", AtStart: true, Run: func(context.Context) error { t.Error("a job was started while stopping"); return nil }},
				}}
				stop, result := serve(t, d)
				start := time.Now()
				stop()
				synctest.Wait()
				wantHealth(t, d, "while stopping", 200, 503)
				err := result()
				if took := time.Since(start); took != tt.takes {
					t.Errorf("it took %s, want %s", took, tt.takes)
				}
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if errors.Is(err, daemon.ErrStillRunning) != (name == "does not return") {
					t.Errorf("got %v", err)
				}
				time.Sleep(3 * time.Minute) // let the job that does not return end with the bubble
			})
		})
	}
}

func TestSettingsRefused(t *testing.T) {
	run := func(context.Context) error { return nil }
	s := mustParse(t, "@daily", "")
	for name, jobs := range map[string][]daemon.Job{
		"no jobs": nil, "no name": {{Schedule: s, Run: run}}, "nothing to do": {{Name: "a", Schedule: s}},
		"never due": {{Name: "a", Run: run}}, "same name": {{Name: "a", Schedule: s, Run: run}, {Name: "a", Schedule: s, Run: run}},
	} {
		if err := (&daemon.Daemon{Jobs: jobs}).Serve(t.Context()); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if daemon.Stopping(t.Context()) != nil {
		t.Error("without a daemon there is something to wait for")
	}
}

func TestListens(t *testing.T) {
	defer goleak.VerifyNone(t)
	addr, ctx := make(chan net.Addr, 1), context.Background()
	ctx, cancel := context.WithCancel(ctx)
	d := &daemon.Daemon{
		HealthListen: "127.0.0.1:0", OnListen: func(a net.Addr) { addr <- a },
		Jobs: []daemon.Job{{Name: "run", Schedule: mustParse(t, "@yearly", ""), Run: func(context.Context) error { return nil }}},
	}
	done := make(chan error, 1)
	go func() { done <- d.Serve(ctx) }()
	base := "http://" + (<-addr).String()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]string{"/healthz": "200 ok\n", "/readyz": "200 ok\n", "/": "404", "/metrics": "404"} {
		resp, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := resp.Status[:3] + " " + string(body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q", path, got)
		}
	}
	if err := d.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "already serving") {
		t.Errorf("a second Serve: %v", err)
	}
	busy := &daemon.Daemon{HealthListen: strings.TrimPrefix(base, "http://"), Jobs: d.Jobs}
	if err := busy.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "listening for health checks") {
		t.Errorf("on a busy port: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := client.Get(base + "/healthz"); err == nil {
		t.Error("it still listens")
	}
}
