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

// manyRows is an export that does not compress into a single block.
func manyRows() string {
	var rows strings.Builder
	for i := range 20_000 {
		rows.WriteString(strings.Replace(good, `"a"`, `"`+strings.Repeat("x", i%97)+time.Unix(int64(i)*7919, 0).String()+`"`, 1) + "\n")
	}
	return rows.String()
}

// TestDamage: an export that does not end as one is an error, with what could be read, in whatever way it is damaged.
func TestDamage(t *testing.T) {
	t.Parallel()
	text := manyRows()
	list := "[" + strings.ReplaceAll(strings.TrimSpace(text), "\n", ",") + "]"
	packed := map[string][]byte{"gzip": gzipped(t, text), "zstd": zstandard(t, text)}
	type damaged struct {
		data []byte
		rows int64 // at least
		want string
	}
	cases := map[string]damaged{
		"a list cut off in a row":         {[]byte(list[:len(list)-40]), 1000, "cut off"},
		"a list cut off between rows":     {[]byte(list[:len(list)-1]), 1000, "cut off: the stream ends before its closing bracket"},
		"a list cut off after a comma":    {[]byte("[" + good + ","), 1, "cut off"},
		"a page cut off":                  {[]byte(`{"data":[` + good), 1, "cut off"},
		"lines cut off":                   {[]byte(text[:len(text)-40]), 1000, "cut off"},
		"lines with zeros after them":     {[]byte(text + "\x00\x00\x00\x00"), 1000, "there should be a value"},
		"a list with words after it":      {[]byte(list + "garbage"), 1000, "there should be a value"},
		"a list with a bracket after it":  {[]byte(list + "]"), 1000, "there should be a value"},
		"a list with a number after it":   {[]byte(list + "\n12"), 1000, "this is no row"},
		"a list with a quote after it":    {[]byte(list + `"`), 1000, "cut off"},
		"zeros after the zstd stream":     {append(bytes.Clone(packed["zstd"]), 0, 0, 0, 0), 1000, "the compressed stream is damaged"},
		"zeros and more after gzip":       {append(bytes.Clone(packed["gzip"]), 0, 0, 7), 1000, "something else follows it"},
		"a line break after gzip":         {append(bytes.Clone(packed["gzip"]), '\n'), 1000, "something else follows it"},
		"half a stream after a whole one": {append(bytes.Clone(packed["gzip"]), packed["gzip"][:1000]...), 1000, "unexpected EOF"},
	}
	for form, data := range packed {
		flipped, sum := bytes.Clone(data), bytes.Clone(data)
		flipped[len(data)/2] ^= 4
		sum[len(sum)-3] ^= 1 // of gzip, the length; of zstd, the checksum
		cases["half of "+form] = damaged{data[:len(data)/2], 1000, "the compressed stream is damaged"}
		cases["all but a byte of "+form] = damaged{data[:len(data)-1], 1000, "the compressed stream is damaged"}
		cases["a bit of "+form+" is another"] = damaged{flipped, 0, "the compressed stream is damaged"}
		cases["the checksum of "+form+" is another"] = damaged{sum, 1000, "the compressed stream is damaged"}
		cases["words after "+form] = damaged{append(bytes.Clone(data), "garbage"...), 1000, "the compressed stream is damaged"}
	}
	for name, c := range cases {
		s, err := Read(bytes.NewReader(c.data), Options{})
		var damage *Damage
		if !errors.As(err, &damage) || !strings.Contains(err.Error(), c.want) || s.Rows < c.rows || s.Lost == 0 {
			t.Errorf("%s: %d rows, %d lost, %v, want %q", name, s.Rows, s.Lost, err, c.want)
		}
		var fault *Fault
		if _, err := Read(bytes.NewReader(c.data), Options{Strict: true}); !errors.As(err, &fault) || errors.As(err, &damage) {
			t.Errorf("%s, strict: %v", name, err)
		}
	}
}

// TestNoDamage: what gzip itself takes for whole is whole, and a row that is not what it should be is only a row.
func TestNoDamage(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, good+"\n")
	bad := strings.Replace(good, `"spend":0.1`, `"spend":"much"`, 1)
	for name, c := range map[string]struct {
		data       []byte
		rows, lost int64
	}{
		"padded":             {append(bytes.Clone(packed), make([]byte, 10_000)...), 1, 0},
		"three in a row":     {bytes.Repeat(packed, 3), 3, 0},
		"an empty one":       {append(gzipped(t, ""), packed...), 1, 0},
		"a bad row":          {[]byte("[" + good + "," + bad + "]\n"), 1, 1},
		"a bad last line":    {[]byte(good + "\n" + bad + "\n"), 1, 1},
		"a cut line":         {[]byte(good[:90] + "\n" + good), 1, 1},
		"words between rows": {[]byte(good + "\ngarbage\n" + good), 2, 1},
		"lists and lines":    {[]byte("[" + good + "]\n\n" + good + "[]"), 2, 0},
	} {
		s, err := Read(bytes.NewReader(c.data), Options{})
		if err != nil || s.Rows != c.rows || s.Lost != c.lost {
			t.Errorf("%s: %d rows, %d lost, %v", name, s.Rows, s.Lost, err)
		}
	}
}

// TestLostMore: one row is lost where the next begins on the next line, and an unknown number elsewhere.
func TestLostMore(t *testing.T) {
	t.Parallel()
	cut, bad := good[:90], strings.Replace(good, `"spend":0.1`, `"spend":"much"`, 1)
	for data, want := range map[string]int64{
		strings.Repeat(cut+"\n", 12) + good: 12, "[" + good + ",\n" + cut + "\n" + good + "]": 1, "[" + bad + "," + bad + "," + good + "]": 2,
		"[" + cut + good + "]": -1, cut + "\ngarbage\n" + good: -1, good + "\n" + cut: -1,
	} {
		for _, block := range []int{7, 64, 4096} {
			s := read(t, []byte(data), block)
			if s.LostMore != (want < 0) || (want > 0 && s.Lost != want) {
				t.Errorf("%.200q: %d rows lost, or more: %t", data, s.Lost, s.LostMore)
			}
		}
	}
}

// TestForeignForms: what cannot be read at all says why.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"PK\x03\x04abc": "unpack", "BZh9abc": "unpack", "\xfd7zXZ": "unpack", "\xff\xfe[\x00": "UTF-16"} {
		if _, err := Read(strings.NewReader(name), Options{}); !errors.Is(err, errForm) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	large := zstandard(t, strings.Repeat(good, 1000), zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	if s, err := Read(bytes.NewReader(large), Options{}); err == nil && s.Rows != 1000 {
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

// TestAReaderThatPanicsIsAnError: the export is read in a goroutine, where a panic would end the program.
func TestAReaderThatPanicsIsAnError(t *testing.T) {
	_, err := Read(panicking{}, Options{})
	if err == nil || !strings.Contains(err.Error(), "internal error: a mistake of ours") {
		t.Errorf("got %v", err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a mistake of ours") }

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
