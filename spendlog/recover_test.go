package spendlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// FuzzRecovery cuts one row of three off, anywhere, in every form of export: the others count, and what is lost is one row
// at its place.
func FuzzRecovery(f *testing.F) {
	f.Add("a { \"b\": [", "0.1", uint(40))
	f.Add("\"request_id\":\n\\", "1e-7", uint(200))
	f.Add("{\"request_id\"", "3", uint(1))
	f.Fuzz(func(t *testing.T, text, spend string, at uint) {
		if _, ok := parseAmount([]byte(spend)); !ok || len(text) > 1000 || len(spend) > longNumber {
			return
		}
		rows := make([]string, 3)
		for i := range rows {
			content, _ := json.Marshal(map[string]any{"z": []any{text, map[string]any{text: text}}})
			rows[i] = fmt.Sprintf(`{"request_id":"r%d","spend":%s,"messages":%s,"startTime":"2026-11-23T00:00:00Z"}`, i, spend, content)
		}
		cutAt := 2 + int(at%uint(len(rows[1])-3))
		for _, form := range []struct{ open, between, close string }{{"", "\n", "\n"}, {"[", ",\n", "]"}, {`{"data":[`, ",\n", `],"page":1}`}} {
			for last := range 2 {
				data := form.open + rows[0] + form.between + rows[1][:cutAt] + "\n" + rows[2] + form.close
				counted := int64(2)
				if last == 1 {
					data = form.open + rows[0] + form.between + rows[1][:cutAt]
					counted = 1
				}
				s, whole := readTo(t, []byte(data), 64)
				if whole != (last == 0) {
					t.Fatalf("%q: cut off at its end is %t", data, !whole)
				}
				offset := int64(len(form.open + rows[0] + form.between))
				if s.Rows != counted || s.Lost != 1 || s.Faults[0].Offset != offset {
					t.Fatalf("%q: %d rows, %d lost, %v; want %d, 1, at %d", data, s.Rows, s.Lost, s.Faults, counted, offset)
				}
				_, err := Read(strings.NewReader(data), Options{Strict: true, block: 100})
				if fault, ok := err.(*Fault); !ok || fault.Offset != offset {
					t.Fatalf("strict: %v", err)
				}
			}
		}
		whole := "[" + strings.Join(rows, ", ") + "]"
		k, valid := reference([]byte(whole))
		if !valid {
			t.Fatalf("%q is not valid", whole)
		}
		compare(t, read(t, []byte(whole), 256), k)
	})
}

// TestNoNewline: where rows run into each other without a line break, the next one is found all the same.
func TestNoNewline(t *testing.T) {
	t.Parallel()
	s := read(t, []byte("["+good[:300]+good+","+good+"]"), 0)
	if s.Rows != 2 || s.Lost != 1 {
		t.Errorf("%d rows, %d lost: %v", s.Rows, s.Lost, s.Faults)
	}
}

// TestHugeRow reads a row whose text is larger than everything that is held in memory.
func TestHugeRow(t *testing.T) {
	t.Parallel()
	huge := strings.Replace(good, `a \"q\"`, strings.Repeat("long ", 16<<20/5), 1)
	for _, data := range []string{huge + "\n" + good, "[" + huge + "," + good + "]"} {
		s := read(t, []byte(data), 0)
		if s.Rows != 2 || s.Lost != 0 || s.Bytes != int64(len(data)) {
			t.Errorf("%d rows, %d lost of %d bytes", s.Rows, s.Lost, s.Bytes)
		}
	}
	cut := read(t, []byte(good+"\n"+huge[:len(huge)-200]), 0)
	if cut.Rows != 1 || cut.Lost != 1 || cut.Faults[0].Offset != int64(len(good)+1) {
		t.Errorf("cut off: %+v", cut.Faults)
	}
}

// TestBounds: more names than a table holds are summed under one, and nothing gets lost.
func TestBounds(t *testing.T) {
	t.Parallel()
	var data bytes.Buffer
	const rows = 3 * mostCells
	for i := range rows {
		fmt.Fprintf(&data, `{"request_id":"r%d","api_key":"k%d","model":"m%d","spend":1,"startTime":"%04d-01-01T00:00:00Z"}`+"\n", i, i, i, 1+i%9000)
	}
	s := read(t, data.Bytes(), 0)
	if s.Rows != rows || s.Lost != 0 || len(s.Keys) > mostCells+1 || len(s.Models) > mostCells+1 {
		t.Fatalf("%d rows, %d lost, %d keys, %d models", s.Rows, s.Lost, len(s.Keys), len(s.Models))
	}
	var keys, parts int64
	for _, k := range s.Keys {
		keys += k.Requests
		for _, d := range k.Days {
			parts += d.Requests
		}
	}
	if keys != rows || parts != rows {
		t.Errorf("keys make %d rows, their days %d", keys, parts)
	}
	if r := s.Repeats; r.Rows != 0 {
		t.Errorf("%+v repeat", r)
	}
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	var data bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&data, `{"request_id":"chatcmpl-%d","spend":1,"startTime":"2026-01-01T00:00:00Z"}`+"\n", i%80_000)
	}
	if r := read(t, data.Bytes(), 0).Repeats; r.Of < 2 || r.Rows < 18_000 || r.Rows > 22_000 {
		t.Errorf("%+v of 20000", r)
	}
	if r := read(t, []byte(good+good+good), 0).Repeats; r != (Repeats{2, 1}) {
		t.Errorf("%+v of 2", r)
	}
}
