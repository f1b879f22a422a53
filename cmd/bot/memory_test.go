package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/store"
)

const notices = "openclaw-litellm-notices/openclaw"

// carriers are the places that keep the memory of notices, each opened anew by each call: what is saved by one is loaded by
// the next.
func carriers(t *testing.T) map[string]func() report.Journal {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	w := newWorld()
	t.Cleanup(w.close)
	proxy := &litellm.Client{BaseURL: w.urls["litellm"], Key: w.secrets["LITELLM_MASTER_KEY"]}
	return map[string]func() report.Journal{
		"state file": func() report.Journal {
			db, err := store.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			return db
		},
		"proxy": func() report.Journal { return &proxyJournal{proxy, notices} },
	}
}

// TestMemoryCarriers: every place keeps a memory byte by byte, the last one alone, and knows when there is none.
func TestMemoryCarriers(t *testing.T) {
	t.Parallel()
	for name, open := range carriers(t) {
		if got, err := open().Load(t.Context()); err != nil || got != nil {
			t.Errorf("%s: at first it holds %q, %v", name, got, err)
		}
		for _, data := range [][]byte{[]byte("first"), {0, 1, 0xff, '"', '\\', '\n'}, bytes.Repeat([]byte("long "), 50_000), {}, []byte("last")} {
			if err := open().Save(t.Context(), data); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := open().Save(t.Context(), data); err != nil { // twice is once
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := open().Load(t.Context()); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %d bytes became %d, %v", name, len(data), len(got), err)
			}
		}
		memory := report.Memory{Shown: "state", Done: []string{"rotated|openclaw|3"}}
		data, err := memory.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := open().Save(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		got, err := open().Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m, err := report.Decode(got); err != nil || m.Shown != "state" || strings.Join(m.Done, "") != "rotated|openclaw|3" {
			t.Errorf("%s: the memory is %+v, %v", name, m, err)
		}
	}
}

// TestNoticesUserOfSomebodyElse: a user of that name that this tool did not make is neither read nor written.
func TestNoticesUserOfSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld()
	t.Cleanup(w.close)
	proxy := &litellm.Client{BaseURL: w.urls["litellm"], Key: w.secrets["LITELLM_MASTER_KEY"]}
	if err := proxy.CreateUser(t.Context(), notices, litellm.Fields{"metadata": map[string]any{"somebody": "else's"}}); err != nil {
		t.Fatal(err)
	}
	j := &proxyJournal{proxy, notices}
	if _, err := j.Load(t.Context()); err == nil || !strings.Contains(err.Error(), notices) {
		t.Errorf("loading: %v", err)
	}
	if err := j.Save(t.Context(), []byte("memory")); err == nil || !strings.Contains(err.Error(), "issue-repository") {
		t.Errorf("saving: %v", err)
	}
	if u, err := proxy.User(t.Context(), notices); err != nil || len(u.Metadata) != 1 {
		t.Errorf("its metadata is now %v, %v", u.Metadata, err)
	}
}

// TestServeRemembers: a service that restarts tells nothing again, and keeps the figures of its passes.
func TestServeRemembers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	t.Cleanup(w.close)
	path := filepath.Join(t.TempDir(), "state.db")
	page := filepath.Join(t.TempDir(), "page.html")
	env := w.environment()
	serve := func() {
		stop := make(chan struct{})
		done := make(chan int)
		var stderr safeBuffer
		go func() {
			done <- run(process{
				args: []string{"serve", "--state-file", path, "--format", "html", "--output", page}, getenv: func(name string) string { return env[name] },
				now: w.clock.now, sleep: w.clock.sleep, stop: stop, stdout: &safeBuffer{}, stderr: &stderr,
			})
		}()
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(stderr.String(), "pass done") && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		close(stop)
		if code := <-done; code != exitOK {
			t.Fatalf("exit code %d:\n%s", code, stderr.String())
		}
	}
	serve()
	told := len(w.slack.Messages())
	if told == 0 {
		t.Fatal("nobody was told of the first rotation")
	}
	w.clock.sleep(context.Background(), 24*time.Hour)
	serve()
	text, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(text, []byte("Budgets over time")) || !bytes.Contains(text, []byte("1 pass since 10 Mar 2026")) {
		t.Errorf("the service's page does not show the first pass, %v:\n%.600s", err, text)
	}
	if n := len(w.slack.Messages()); n != told {
		t.Errorf("after the restart there are %d messages, before %d", n, told)
	}
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	past, err := db.History(t.Context(), time.Time{})
	if err != nil || past.Passes != 2 || past.Rotated != 1 || len(past.Keys) != 1 {
		t.Errorf("the history is %+v, %v", past, err)
	}
}

// safeBuffer is a buffer for two goroutines.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
