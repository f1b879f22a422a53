package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/org/openclaw-litellm-action/spendlog"
)

// exported is an export of so many rows of one cent each.
func exported(rows int) []byte {
	var b bytes.Buffer
	for i := range rows {
		fmt.Fprintf(&b, `{"request_id":"%x","api_key":"1","spend":0.01,"startTime":"2025-11-01T10:00:00Z","metadata":{"user_api_key_alias":"openclaw"}}`+"\n", i*i*7919)
	}
	return b.Bytes()
}

func zipped(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// reportOn is what the program says of an export.
func reportOn(t *testing.T, export []byte, args ...string) (code int, out, logged string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export")
	if err := os.WriteFile(path, export, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code = run(process{
		args: append([]string{"report", "--spend-logs", path}, args...), getenv: func(string) string { return "" }, readFile: os.ReadFile,
		now: (&stillClock{at: time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)}).now, stdout: &stdout, stderr: &stderr,
	})
	return code, stdout.String(), stderr.String()
}

// TestDamagedExportIsNoSuccess: a gate does not let half an export pass, and what is known of it is printed.
func TestDamagedExportIsNoSuccess(t *testing.T) {
	t.Parallel()
	rows := exported(20_000)
	packed := zipped(t, rows)
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	zstandard := encoder.EncodeAll(rows, nil)
	digit := bytes.Clone(zstandard)
	digit[len(digit)/3]++
	sum := bytes.Clone(packed)
	sum[len(sum)-7]++
	for name, data := range map[string][]byte{
		"half of a gzip file": packed[:len(packed)/2], "half of a zstd file": zstandard[:len(zstandard)/2],
		"a wrong checksum": sum, "a flipped digit": digit,
		"garbage after gzip": append(bytes.Clone(packed), "garbage"...), "garbage after the rows": append(bytes.Clone(rows), "garbage"...),
		"half of a file": rows[:len(rows)/2-10],
	} {
		for _, gate := range [][]string{{"--max-budget", "1000"}, {"--max-budget", "1000", "--fail-on", "critical"}, {"--max-budget", "1000", "--strict"}} {
			code, out, logged := reportOn(t, data, gate...)
			if code != exitFailed || strings.Contains(out, "all is well") || !strings.Contains(logged, "bot: reading spend logs, ") {
				t.Errorf("%s, %v: exit code %d\n%s%s", name, gate, code, out, logged)
			}
			if strict := len(gate) == 3; !strict && name != "a flipped digit" && !strings.Contains(out, "openclaw") {
				t.Errorf("%s: nothing is said of what is known:\n%s", name, out)
			}
		}
	}
	for name, data := range map[string][]byte{"whole": packed, "padded": append(bytes.Clone(packed), make([]byte, 5000)...), "zstd": zstandard} {
		if code, out, logged := reportOn(t, data, "--max-budget", "1000", "--fail-on", "warning"); code != exitOK || !strings.HasPrefix(out, "report  all is well") {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, logged)
		}
	}
}

// TestLostRowsAreAFinding: twelve rows that cannot be read are said in the first line, and a gate can see them.
func TestLostRowsAreAFinding(t *testing.T) {
	t.Parallel()
	bad := strings.Repeat(strings.Replace(string(exported(1)), `"spend":0.01`, `"spend":"much"`, 1), 12)
	data := append([]byte(bad), exported(3)...)
	code, out, _ := reportOn(t, data, "--max-budget", "1000")
	if code != exitOK || !strings.HasPrefix(out, "report  1 warning, 12 rows could not be read\n") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, _, _ := reportOn(t, data, "--max-budget", "1000", "--fail-on", "warning"); code != exitFinding {
		t.Errorf("--fail-on warning: exit code %d", code)
	}
	if code, _, logged := reportOn(t, data, "--max-budget", "1000", "--strict"); code != exitFailed || !strings.Contains(logged, "its spend is none") {
		t.Errorf("--strict: exit code %d\n%s", code, logged)
	}
}

// TestStopWhileAPipeIsEmpty: a pipe that nobody writes to does not hold the program up.
func TestStopWhileAPipeIsEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		p := &pass{bot: &bot{process: process{stop: stop, now: time.Now}}}
		in, out := io.Pipe()
		defer out.Close()
		time.AfterFunc(time.Minute, func() { close(stop) })
		start := time.Now()
		_, err := p.readExport(&readProgress{Reader: in, bot: p.bot}, spendlog.Options{})
		if !errors.Is(err, errStopped) || time.Since(start) > 61*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}
