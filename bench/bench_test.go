// Package bench measures what the program costs: requests, and time against what a user would do instead. README.md says
// how to run it and holds the figures of one run.
//
// Every benchmark starts the real program as a process of its own. Both sides of a ratio are measured in turns in the same
// run, so that a busy machine slows both.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
)

// What a pass with nothing due may ask of everything outside, and how long the program may take to start.
const (
	mostOfRun    = 9
	mostOfRotate = 3
	longestStart = 20 * time.Millisecond
)

// others is how many keys the proxy holds besides ours.
const others = 20_000

// BenchmarkVersion measures the start of the program, against that of the smallest program there is.
func BenchmarkVersion(b *testing.B) {
	bin := buildBot(b)
	var ours, smallest []time.Duration
	for b.Loop() {
		ours = append(ours, timed(b, exec.Command(bin, "version")))
		smallest = append(smallest, timed(b, exec.Command("true")))
	}
	report(b, ours, smallest, "true")
	if best := slices.Min(ours); best > longestStart {
		b.Errorf("the program takes %s to start, %s is the most", best, longestStart)
	}
}

// BenchmarkNothingDue measures passes with nothing due, on a proxy that holds one key, and on one that holds 20,000 keys of
// others as well, against curl asking for the same user once.
func BenchmarkNothingDue(b *testing.B) {
	bin := buildBot(b)
	b.Run("memory", func(b *testing.B) {
		proxy := litellmtest.New(litellmtest.Options{})
		b.Cleanup(proxy.Close)
		w := newWorld(b, bin, proxy.URL(), proxy.MasterKey().Reveal(), "openclaw")
		w.nothingDue(b, func(*testing.B) { proxy.AddKeys(others) })
	})
	for _, p := range liveProxies() {
		b.Run(p.version, func(b *testing.B) {
			w := newWorld(b, bin, p.url, p.master, fmt.Sprintf("bench-%x", time.Now().UnixNano()))
			w.nothingDue(b, p.addKeys)
		})
	}
}

// nothingDue measures rotate and run, alone and, where there is a way to add keys, among those of others.
func (w *world) nothingDue(b *testing.B, addKeys func(*testing.B)) {
	w.bot(b, "run")
	w.bot(b, "run") // the first may still have something to tell
	both := func(b *testing.B) {
		b.Run("rotate", func(b *testing.B) { w.measure(b, mostOfRotate, "rotate") })
		b.Run("run", func(b *testing.B) { w.measure(b, mostOfRun, "run") })
	}
	b.Run("alone", both)
	b.Run("among-20000", func(b *testing.B) {
		addKeys(b)
		both(b)
	})
}

// measure runs a command again and again, and curl in turns with it.
func (w *world) measure(b *testing.B, most int, command string) {
	var ours, curl []time.Duration
	requests, writes := 0, w.writes.Load()
	for b.Loop() {
		before := w.requests.Load()
		ours = append(ours, w.bot(b, command))
		requests = int(w.requests.Load() - before)
		curl = append(curl, w.curl(b))
		if requests > most {
			b.Fatalf("%s with nothing due takes %d requests, %d are the most", command, requests, most)
		}
	}
	if w.writes.Load() != writes {
		b.Errorf("with nothing due %s writes", command)
	}
	report(b, ours, curl, "curl")
	b.ReportMetric(float64(requests), "requests/op")
}

// report gives the medians in milliseconds and their ratio, in place of the mean over both.
func report(b *testing.B, ours, theirs []time.Duration, name string) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(median(ours)), "ms/op")
	b.ReportMetric(milliseconds(median(theirs)), "ms/"+name)
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "x-"+name)
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// timed runs a command and returns how long it took.
func timed(b *testing.B, cmd *exec.Cmd) time.Duration {
	b.Helper()
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		b.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return took
}

// liveProxy is a real proxy, named as for the live tests by LITELLM_LIVE, LITELLM_LIVE_MASTER_KEY and
// LITELLM_LIVE_DATABASE.
type liveProxy struct{ version, url, master, database string }

func liveProxies() []liveProxy {
	var proxies []liveProxy
	databases := pairs("LITELLM_LIVE_DATABASE")
	for _, p := range pairs("LITELLM_LIVE") {
		l := liveProxy{version: p[0], url: p[1], master: os.Getenv("LITELLM_LIVE_MASTER_KEY")}
		for _, d := range databases {
			if d[0] == l.version {
				l.database = d[1]
			}
		}
		proxies = append(proxies, l)
	}
	return proxies
}

// pairs splits a variable of the form NAME=VALUE,NAME=VALUE.
func pairs(variable string) [][2]string {
	var out [][2]string
	for entry := range strings.SplitSeq(os.Getenv(variable), ",") {
		if name, value, ok := strings.Cut(strings.TrimSpace(entry), "="); ok {
			out = append(out, [2]string{name, value})
		}
	}
	return out
}

// addKeys puts other people's keys into the proxy's database, and takes them away at the end.
func (p liveProxy) addKeys(b *testing.B) {
	if _, err := exec.LookPath("psql"); err != nil || p.database == "" {
		b.Skip("LITELLM_LIVE_DATABASE does not name this proxy's PostgreSQL, or there is no psql")
	}
	prefix := fmt.Sprintf("bench-others-%x-", time.Now().UnixNano())
	b.Cleanup(func() {
		p.sql(b, `DELETE FROM "LiteLLM_VerificationToken" WHERE key_alias LIKE '`+prefix+`%'`)
	})
	p.sql(b, fmt.Sprintf(`INSERT INTO "LiteLLM_VerificationToken" (token, key_name, key_alias, created_by)
		SELECT encode(sha256(('%s' || n)::bytea), 'hex'), 'sk-...' || n, '%s' || n, 'bench' FROM generate_series(1, %d) n`, prefix, prefix, others))
}

func (p liveProxy) sql(b *testing.B, statement string) {
	b.Helper()
	timed(b, exec.Command("psql", "-v", "ON_ERROR_STOP=1", "-q", "-d", p.database, "-c", statement))
}
