package openclaw

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseKeepsPositions(t *testing.T) {
	t.Parallel()
	text := "\ufeff// a comment\n{ a: 'it\\'s', \"b\": [1, +.5, -0x1F, Infinity, -Infinity, NaN,],\n /* é */ $c_1: {\\u0064: null, e: true,},\r\n f: 'x\\\ny', }"
	n, errs := Parse("x.json5", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := n.Get("a").String(); got != "it's" {
		t.Errorf("a = %q", got)
	}
	b := n.Get("b")
	for i, want := range []float64{1, .5, -31, math.Inf(1), math.Inf(-1)} {
		if b.Items[i].Number != want {
			t.Errorf("b[%d] = %v, want %v", i, b.Items[i].Number, want)
		}
	}
	if !math.IsNaN(b.Items[5].Number) || len(b.Items) != 6 {
		t.Errorf("b = %v", b.Items)
	}
	if got := n.Get("c_1"); got != nil {
		t.Error("found a name that is not there")
	}
	if m := n.Member("$c_1"); m.At.String() != "x.json5:3:10" || m.Value.Get("d").Kind != Null {
		t.Errorf("$c_1 at %v", m.At)
	}
	if f := n.Member("f"); f.At.Line != 4 || f.Value.String() != "xy" {
		t.Errorf("f = %q at %v", f.Value.String(), f.At)
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{a: 180_000}":    "f:1:8",
		"{a: 1":           "f:1:6",
		"{a 1}":           "f:1:4",
		"{a: [1 2]}":      "f:1:8",
		"{a: 'x}":         "f:1:8",
		"{a: 010}":        "f:1:5",
		"{a: b}":          "f:1:5",
		"{a: 1} x":        "f:1:8",
		"{/* }":           "f:1:2",
		"":                "f:1:1",
		"{a: '\\u00g0'}":  "f:1:10",
		"{a:1,\n 1b: 2}":  "f:2:2",
		"{a: 1e}":         "f:1:5",
		"{a: +-1}":        "f:1:5",
		"{,}":             "f:1:2",
		"{a: '\\1'}":      "f:1:8",
		"{a: truth}":      "f:1:5",
		"{a: .}":          "f:1:5",
		"{a: {b: [1, 2}}": "f:1:14",
	} {
		_, errs := Parse("f", []byte(text))
		if len(errs) != 1 || errs[0].At.String() != want {
			t.Errorf("Parse(%q) = %v, want one error at %s", text, errs, want)
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	deep := make([]byte, 1<<20)
	for i := range deep {
		deep[i] = '['
	}
	if n, errs := Parse("f", deep); n != nil || len(errs) != 1 {
		t.Errorf("deep: %v", errs)
	}
	if n, errs := Parse("f", make([]byte, maxFileSize+1)); n != nil || len(errs) != 1 {
		t.Errorf("large: %v", errs)
	}
}

func TestReadIncludes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("a.json5", "{x: 1, y: {z: 2}, list: [1]}")
	write("b.json5", "{\n y: {w: 3}, list: [2]}")
	write("loop.json5", "{$include: './loop.json5'}")
	n, errs := Read(write("ok.json5", "{part: {$include: ['./a.json5', './b.json5'], x: 9}}"), nil, ReadDisk)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if n.Get("part", "x").Text != "9" || n.Get("part", "y", "z").Text != "2" || n.Get("part", "y", "w").At.Line != 2 {
		t.Errorf("merged wrongly: %+v", n.Get("part"))
	}
	if len(n.Get("part", "list").Items) != 2 {
		t.Error("lists are not joined")
	}
	for text, column := range map[string]int{
		"{$include: '../out.json5'}": 12, "{$include: 3}": 12, "{$include: './no.json5'}": 12, "{$include: './loop.json5'}": 12,
	} {
		_, errs := Read(write("bad.json5", text), nil, ReadDisk)
		if len(errs) != 1 || errs[0].At.Column != column {
			t.Errorf("Read(%s) = %v", text, errs)
		}
	}
	write("there.json5", "{$include: './back.json5'}")
	_, errs = Read(write("back.json5", "{\n  $include: ['./there.json5', './there.json5'] }"), nil, ReadDisk)
	for _, e := range errs {
		if filepath.Base(e.At.File) != "there.json5" || !strings.Contains(e.What, "back.json5 → ") {
			t.Errorf("a circle: %v", e)
		}
	}
	if len(errs) != 2 {
		t.Errorf("a circle: %v", errs)
	}
}

func TestParseNamesACommaTooMany(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{,}": "f:1:2: there is a comma too many; remove it", "{a: 1,,}": "f:1:7: there is a comma too many; remove it",
		"[1,,2]": "f:1:4: before this comma a value is missing; write the value, or remove the comma",
	} {
		if _, errs := Parse("f", []byte(text)); len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("Parse(%s) = %v", text, errs)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"{a: 1}", "['x', \"\\u00e9\", 0x1F, -Infinity]", "{/* c */ 'b': [1_0,], // d\n}", "\"\\ud83d\\ude00\""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, errs := Parse("f", text)
		if n == nil && len(errs) == 0 {
			t.Fatal("neither a value nor an error")
		}
		for _, e := range errs {
			if e.At.Line < 1 || e.At.Column < 1 || e.What == "" || e.Mend == "" {
				t.Fatalf("bad error %+v", e)
			}
		}
	})
}
