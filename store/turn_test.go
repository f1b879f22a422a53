package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/store"
)

// place is where people are told. It refuses while broken is set.
type place struct {
	mu     sync.Mutex
	posts  []string
	broken bool
}

func (*place) Name() string { return "place" }
func (*place) Living() bool { return false }

func (p *place) Post(_ context.Context, m report.Message) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return "", errors.New("no answer")
	}
	p.posts = append(p.posts, m.Text)
	return "", nil
}

func (*place) Update(context.Context, string, report.Message) error { return report.ErrGone }
func (*place) Reply(context.Context, string, report.Message) error  { return report.ErrGone }

// atOnce tells the same report from so many runs, each with a handle of its own on the file, and returns what they said.
func atOnce(t *testing.T, path string, p *place, runs int, r report.Report) []report.Result {
	t.Helper()
	results := make([]report.Result, runs)
	var wg sync.WaitGroup
	for i := range runs {
		db := open(t, path)
		wg.Go(func() {
			telling := report.Telling{Messengers: []report.Messenger{p}, Journal: db, Near: true, Turn: db.Turn, Repeat: 24 * time.Hour}
			results[i], _ = telling.Tell(t.Context(), r)
		})
	}
	wg.Wait()
	return results
}

func overBudget(n int) report.Report {
	var found []finding.Finding
	for i := range n {
		found = append(found, finding.Finding{
			Rule: "budget-used", Severity: finding.Critical, Subject: finding.Subject{Kind: "key", Name: fmt.Sprint("key-", i)}, Summary: "spent",
		})
	}
	return report.New(report.Input{Now: monday, Command: "check", Findings: found})
}

// TestFourRunsAtOnceTellOnce: of four runs that see the same at the same time, one tells it.
func TestFourRunsAtOnceTellOnce(t *testing.T) {
	t.Parallel()
	path, p := filepath.Join(t.TempDir(), "state.db"), &place{}
	for n := 1; n <= 5; n++ { // more news each time
		wrote := 0
		for _, result := range atOnce(t, path, p, 4, overBudget(n)) {
			if err := result.Err(); err != nil {
				t.Error(err)
			}
			if result.Writes > 0 {
				wrote++
			}
		}
		if len(p.posts) != n || wrote != 1 {
			t.Fatalf("after round %d there are %d messages, %d runs wrote: %q", n, len(p.posts), wrote, p.posts)
		}
	}
}

// TestNewsOfABrokenRunIsTold: what a run could not send, the next ones send, once.
func TestNewsOfABrokenRunIsTold(t *testing.T) {
	t.Parallel()
	path, p := filepath.Join(t.TempDir(), "state.db"), &place{broken: true}
	atOnce(t, path, p, 2, overBudget(1))
	p.broken = false
	atOnce(t, path, p, 4, overBudget(1))
	if len(p.posts) != 1 {
		t.Errorf("%d messages: %q", len(p.posts), p.posts)
	}
}

// TestTurn: who waits gets the turn when it is given back, and gives up when its time is over; then only what is critical is
// told, and nothing is remembered of it.
func TestTurn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	first, second := open(t, path), open(t, path)
	end, err := first.Turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if end, err := second.Turn(short); !errors.Is(err, context.DeadlineExceeded) {
		end()
		t.Errorf("a turn that another has was taken: %v", err)
	}
	if err := second.Record(t.Context(), passAt(monday, "1")); err != nil {
		t.Errorf("the state file is locked as well: %v", err)
	}
	p := &place{}
	impatient := func(ctx context.Context) (func(), error) { return second.Turn(short) }
	both := report.New(report.Input{Now: monday, Findings: []finding.Finding{
		{Rule: "a", Severity: finding.Critical, Summary: "critical"}, {Rule: "b", Severity: finding.Warning, Summary: "warning"},
	}})
	result, err := report.Telling{Messengers: []report.Messenger{p}, Journal: second, Near: true, Turn: impatient}.Tell(t.Context(), both)
	if len(p.posts) != 1 || err == nil || len(result.Notices) != 1 {
		t.Errorf("told %q, %v", p.posts, err)
	}
	if memory, err := second.Load(t.Context()); err != nil || memory != nil {
		t.Errorf("remembered %q, %v", memory, err)
	}
	taken := make(chan error)
	go func() {
		end, err := second.Turn(t.Context())
		end()
		taken <- err
	}()
	end()
	if err := <-taken; err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path + "-turn"); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 0 {
		t.Errorf("the file of turns: %v, %v", info, err)
	}
}

// TestTurnOfADeadRun: a run that ends without giving its turn back does not keep it.
func TestTurnOfADeadRun(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(turnVariable); path != "" {
		db, err := store.Open(t.Context(), path)
		if err == nil {
			_, err = db.Turn(t.Context())
		}
		fmt.Println("has the turn:", err)
		select {} // until it is killed
	}
	path := filepath.Join(t.TempDir(), "state.db")
	child := exec.Command(os.Args[0], "-test.run=^TestTurnOfADeadRun$")
	child.Env = append(os.Environ(), turnVariable+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "has the turn: <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	db := open(t, path)
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := db.Turn(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a turn that another process has was taken: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	end, err := db.Turn(t.Context())
	if end(); err != nil {
		t.Error(err)
	}
}

// turnVariable tells a copy of this test which file to take the turn at.
const turnVariable = "STORE_TEST_TURN"
