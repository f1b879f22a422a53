package spendlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/shopspring/decimal"
)

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t *testing.T, text string, o ...zstd.EOption) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

// TestForms reads the same rows in every form, also one after another, and as slowly as a reader can be.
func TestForms(t *testing.T) {
	t.Parallel()
	rows := strings.Repeat(good+"\n", 50)
	for name, data := range map[string][]byte{
		"plain": []byte(rows), "mark": []byte("\xef\xbb\xbf" + rows), "gzip": gzipped(t, rows), "zstd": zstandard(t, rows),
		"two gzip":  append(gzipped(t, rows[:len(rows)/2]), gzipped(t, rows[len(rows)/2:])...),
		"two zstd":  append(zstandard(t, rows[:len(rows)/2]), zstandard(t, rows[len(rows)/2:])...),
		"skippable": append([]byte("\x50\x2a\x4d\x18\x02\x00\x00\x00ab"), zstandard(t, rows)...),
	} {
		s, err := Read(iotest.OneByteReader(bytes.NewReader(data)), Options{})
		if err != nil || s.Rows != 50 || s.Lost != 0 || s.Bytes != int64(len(rows)) {
			t.Errorf("%s: %v, %d rows, %d lost, %d bytes", name, err, s.Rows, s.Lost, s.Bytes)
		}
	}
}

// TestBrokenForms: what can be read counts, and where the rest broke off is a fault; what cannot be read at all says why.
func TestBrokenForms(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	for i := range 20_000 {
		rows.WriteString(strings.Replace(good, `"a"`, `"`+strings.Repeat("x", i%97)+time.Unix(int64(i)*7919, 0).String()+`"`, 1) + "\n")
	}
	for name, data := range map[string][]byte{"gzip": gzipped(t, rows.String()), "zstd": zstandard(t, rows.String())} {
		data = data[:len(data)*3/4]
		s, err := Read(bytes.NewReader(data), Options{})
		if err != nil || s.Rows < 1000 || s.Lost == 0 || !strings.Contains(s.Faults[len(s.Faults)-1].What, "breaks off") {
			t.Errorf("%s: %v, %d rows, faults %v", name, err, s.Rows, s.Faults)
		}
		var fault *Fault
		if _, err := Read(bytes.NewReader(data), Options{Strict: true}); !errors.As(err, &fault) {
			t.Errorf("%s, strict: %v", name, err)
		}
	}
	for name, want := range map[string]string{"PK\x03\x04abc": "unpack", "BZh9abc": "unpack", "\xfd7zXZ": "unpack", "\xff\xfe[\x00": "UTF-16"} {
		if _, err := Read(strings.NewReader(name), Options{}); !errors.Is(err, errForm) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	large := zstandard(t, strings.Repeat(good, 1000), zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	if s, err := Read(bytes.NewReader(large), Options{}); err == nil && s.Lost == 0 && s.Rows != 1000 {
		t.Errorf("a large window: %d rows and no word of it", s.Rows)
	}
}

// TestReaderFails: an error of the reader is told as it is, with what came before it.
func TestReaderFails(t *testing.T) {
	t.Parallel()
	gone := errors.New("the disk is gone")
	for _, data := range [][]byte{[]byte(good + "\n"), gzipped(t, good)} {
		s, err := Read(io.MultiReader(bytes.NewReader(data[:len(data)-1]), iotest.ErrReader(gone)), Options{})
		if !errors.Is(err, gone) || s == nil {
			t.Errorf("%v, %v", s, err)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 19, 7, 6, 870_000_000, time.UTC)
	for _, tc := range []struct {
		from, to time.Time
		rows     int64
	}{{at, time.Time{}, 1}, {at.Add(1), time.Time{}, 0}, {time.Time{}, at, 0}, {at, at.Add(1), 1}} {
		s, err := Read(strings.NewReader(good), Options{From: tc.from, To: tc.to})
		if err != nil || s.Rows != tc.rows || s.Outside != 1-tc.rows {
			t.Errorf("from %v to %v: %d rows, %d outside, %v", tc.from, tc.to, s.Rows, s.Outside, err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-11-23T19:07:06.870000Z":      "2026-11-23T19:07:06.87Z",
		"2026-11-23 19:07:06":              "2026-11-23T19:07:06Z",
		"2026-11-23 19:07:06.5+00":         "2026-11-23T19:07:06.5Z",
		"2026-11-24T00:30:00+05:30":        "2026-11-23T19:00:00Z",
		"2026-11-23T19:00:00-0500":         "2026-11-24T00:00:00Z",
		"2026-11-23T19:07:06.1234567890Z":  "2026-11-23T19:07:06.123456789Z",
		"2028-02-29T00:00:00Z":             "2028-02-29T00:00:00Z",
		"2026-02-29T00:00:00Z":             "",
		"2026-11-23":                       "",
		"2026-11-23T19:07:06.Z":            "",
		"2026-11-23T25:07:06Z":             "",
		"2026-11-23T19:07:06 UTC":          "",
		"2026-11-23T19:07:06+25:00":        "",
		"2026-13-23T19:07:06Z":             "",
		"yesterday, as far as is told, so": "",
	} {
		got, ok := parseTime([]byte(text))
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %s, %t; want %q", text, got.Format(time.RFC3339Nano), ok, want)
		}
	}
}

// TestSavings: a hit saves its tokens at the price of its model, if anybody paid one.
func TestSavings(t *testing.T) {
	t.Parallel()
	hit := strings.NewReplacer(`"spend":0.1`, `"spend":0`, `"cache_hit":"None"`, `"cache_hit":"True"`, `"completion_tokens":2`, `"completion_tokens":5`).Replace(good)
	s := read(t, []byte(good+hit+strings.Replace(hit, `"model_group":"m"`, `"model_group":"free"`, 1)), 0)
	if s.Saved.Amount.String() != "0.2" || s.Saved.Unpriced != 1 || s.Total.CacheHits != 2 || s.Total.HitTokens != 12 {
		t.Errorf("%+v, %+v", s.Saved, s.Total)
	}
	cached := strings.Replace(good, `"metadata":{`, `"metadata":{"usage_object":{"prompt_tokens_details":{"cached_tokens":40},"cache_read_input_tokens":null},`, 1)
	if s := read(t, []byte(cached), 0); s.Total.CachedPrompt != 40 || s.FallbackTold != 1 || len(s.Served) != 1 {
		t.Errorf("%+v, %+v", s.Total, s.Served)
	}
}

// TestDear: every request that costs the limit or more counts with its key, however many other keys have dearer ones.
func TestDear(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	row := func(id, key, spend string) {
		rows.WriteString(`{"request_id":"` + id + `","api_key":"` + key + `","spend":` + spend + `,"startTime":"2026-11-01T10:00:00Z","model_group":"m"}` + "\n")
	}
	for range 25 {
		row("r", "a", "4")
	}
	row("s", "b", "1")
	row("t", "b", "3.5")
	row("u", "b", "0.999999999")
	row("v", "c", "0.999999999")
	s, err := Read(strings.NewReader(rows.String()), Options{Dear: decimal.NewNullDecimal(decimal.NewFromInt(1))})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, k := range s.Keys {
		got += fmt.Sprintf("%s %d %s %s; ", k.Token, k.Dear, k.Dearest.ID, k.Dearest.Spend)
	}
	if want := "a 25 r 4; b 2 t 3.5; c 0  0; "; got != want {
		t.Errorf("dear requests are %q, not %q", got, want)
	}
	if s, _ := Read(strings.NewReader(rows.String()), Options{}); s.Keys[0].Dear != 0 {
		t.Error("dear requests are counted that nobody asked for")
	}
}
