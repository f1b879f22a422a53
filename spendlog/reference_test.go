package spendlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// known is what a reading by encoding/json and decimal gives, slowly: the reference.
type known struct {
	rows, lost, failed, fallbacks, hits, tokens int64
	spend                                       decimal.Decimal
	keys, models, days, tags, users, aliases    map[string]string // spend and requests by name; alias by key
}

// reference reads a stream of JSON values with encoding/json. valid is false if it is none, or if it holds a page of
// rows, which the reference knows nothing of.
func reference(data []byte) (k known, valid bool) {
	sums := [5]map[string]*known{{}, {}, {}, {}, {}}
	latest := map[string]time.Time{}
	k.aliases = map[string]string{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	for {
		var v any
		if err := dec.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			return k, false
		}
		switch v.(type) {
		case map[string]any, []any:
		default:
			return k, false // encoding/json takes 00 for two values
		}
		for _, row := range rowsOf(v, 0) {
			object, ok := row.(map[string]any)
			if _, page := object["data"]; page {
				return k, false
			}
			r, good := referenceRow(object)
			if !ok || !good {
				k.lost++
				continue
			}
			k.take(r)
			users := slices.DeleteFunc([]string{r.endUser}, func(s string) bool { return s == "" })
			for i, names := range [][]string{{r.key}, {r.model}, {r.start.UTC().Format(time.DateOnly)}, r.tags, users} {
				for _, name := range names {
					if sums[i][name] == nil {
						sums[i][name] = &known{}
					}
					sums[i][name].take(r)
				}
			}
			if r.alias != "" && (!r.start.Before(latest[r.key])) {
				if r.start.After(latest[r.key]) || k.aliases[r.key] < r.alias {
					k.aliases[r.key] = r.alias
				}
				latest[r.key] = r.start
			}
		}
	}
	for i, dst := range []*map[string]string{&k.keys, &k.models, &k.days, &k.tags, &k.users} {
		*dst = map[string]string{}
		for name, sum := range sums[i] {
			(*dst)[name] = sum.String()
		}
	}
	return k, true
}

func (k *known) String() string {
	b, _ := json.Marshal([]any{k.spend, k.rows, k.failed, k.fallbacks, k.hits, k.tokens})
	return string(b)
}

func (k *known) take(r knownRow) {
	k.rows++
	k.spend = k.spend.Add(r.spend)
	k.tokens += r.tokens
	for _, c := range []struct {
		yes bool
		n   *int64
	}{{r.failed, &k.failed}, {r.fallback, &k.fallbacks}, {r.hit, &k.hits}} {
		if c.yes {
			*c.n++
		}
	}
}

// rowsOf takes arrays apart, as deep as rows are looked for.
func rowsOf(v any, depth int) []any {
	list, ok := v.([]any)
	if !ok || depth == mostOpen {
		return []any{v}
	}
	var all []any
	for _, e := range list {
		all = append(all, rowsOf(e, depth+1)...)
	}
	return all
}

type knownRow struct {
	key, model, alias     string
	endUser               string
	tags                  []string
	spend                 decimal.Decimal
	start                 time.Time
	tokens                int64
	failed, fallback, hit bool
}

func referenceRow(o map[string]any) (r knownRow, ok bool) {
	var bad bool
	number := func(name string) (decimal.Decimal, bool) {
		text := word(o[name])
		switch v := o[name].(type) {
		case nil:
			return decimal.Decimal{}, false
		case bool, []any, map[string]any:
			bad = true
			return decimal.Decimal{}, true
		case string:
			if v == "null" {
				return decimal.Decimal{}, false
			}
		}
		var n json.Number
		if json.Unmarshal([]byte(text), &n) != nil || text == "null" || strings.TrimSpace(text) != text || strings.HasPrefix(text, `"`) ||
			len(text) > longNumber {
			bad = true
			return decimal.Decimal{}, true
		}
		d, good := believable(text)
		bad = bad || !good
		return d, true
	}
	whole := func(name string) (int64, bool) {
		d, there := number(name)
		if !there {
			return 0, false
		}
		if !d.IsInteger() || d.IsNegative() || d.GreaterThan(decimal.NewFromInt(mostTokens)) {
			bad = true
		}
		return d.IntPart(), there
	}
	id := cutTo(word(o["request_id"]), longText)
	spend, priced := number("spend")
	prompt, _ := whole("prompt_tokens")
	completion, _ := whole("completion_tokens")
	total, summed := whole("total_tokens")
	if r.tokens = total; !summed {
		r.tokens = prompt + completion
	}
	start, good := parseTime([]byte(word(o["startTime"])))
	if bad || id == "" || !priced || !good {
		return r, false
	}
	r.spend, r.start = spend, start
	r.key, r.model = orNone(word(o["api_key"])), word(o["model_group"])
	if r.model == "" {
		r.model = word(o["model"])
	}
	r.model = orNone(r.model)
	meta, _ := o["metadata"].(map[string]any)
	if text, packed := o["metadata"].(string); packed && len(text) <= longMetadata {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if dec.Decode(&meta) != nil || dec.Decode(new(any)) != io.EOF {
			meta = nil
		}
	}
	status := word(o["status"])
	if status == "" {
		status = word(meta["status"])
	}
	r.failed, r.hit, r.alias = status == "failure", strings.EqualFold(word(o["cache_hit"]), "true"), cutTo(word(meta["user_api_key_alias"]), longText)
	d, believed := believable(word(meta["attempted_fallbacks"]))
	r.endUser, r.tags = cutTo(word(o["end_user"]), longText), referenceTags(o["request_tags"])
	r.fallback = believed && d.IsPositive() && d.IsInteger() && d.LessThanOrEqual(decimal.NewFromInt(mostTokens))
	return r, true
}

// referenceTags are the tags of a row.
func referenceTags(v any) []string {
	list, _ := v.([]any)
	if text, packed := v.(string); packed && len(text) <= longMetadata {
		dec := json.NewDecoder(strings.NewReader(text))
		if dec.Decode(&list) != nil || dec.Decode(new(any)) != io.EOF {
			list = nil
		}
	}
	var tags []string
	for _, e := range list {
		tag, ok := e.(string)
		if tag = cutTo(tag, longText); ok && tag != "" && !strings.HasPrefix(tag, ownTags) && len(tags) < mostTags {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// believable is a number within the bounds of a spend.
func believable(text string) (decimal.Decimal, bool) {
	if len(text) > longNumber || strings.TrimSpace(text) != text || !json.Valid([]byte(text)) || text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return decimal.Decimal{}, false
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return decimal.Zero, true
	}
	if len(strings.TrimLeft(exponent, "+-0")) > 4 {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return d, false
	}
	size := d.NumDigits() + int(d.Exponent())
	return d, size <= mostDigits && d.Exponent() >= -mostDecimals && math.Abs(float64(d.Exponent())) < 10_000
}

func orNone(s string) string {
	if s == "" {
		return noName
	}
	return cutTo(s, longText)
}

// cutTo cuts by whole runes of the decoded text, like the parser: a text is cut where the bound is reached.
func cutTo(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

// word is a value as anyText reads it.
func word(v any) string {
	switch v := v.(type) {
	case string:
		if v == "null" {
			return ""
		}
		return v
	case json.Number:
		if len(v) > longNumber {
			return "-"
		}
		return string(v)
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// read sums up data in blocks of that size.
func read(t *testing.T, data []byte, block int) *Summary {
	t.Helper()
	s, _ := readTo(t, data, block)
	return s
}

// readTo reads an export, and reports whether it ends as one should.
func readTo(t *testing.T, data []byte, block int) (s *Summary, whole bool) {
	t.Helper()
	s, err := Read(bytes.NewReader(data), Options{block: block})
	var damage *Damage
	switch {
	case err == nil:
		return s, true
	case errors.As(err, &damage):
		if s.Lost == 0 {
			t.Errorf("nothing is lost: %v", err)
		}
	case !errors.Is(err, errForm):
		t.Fatalf("reading: %v", err)
	}
	return s, false
}

// show is sums as the reference prints them.
func show(x Sums) string {
	return (&known{rows: x.Requests, failed: x.Failed, fallbacks: x.Fallbacks, hits: x.CacheHits, tokens: x.Tokens, spend: x.Spend}).String()
}

// compareTotals holds the sums over all rows against the reference.
func compareTotals(t *testing.T, s *Summary, k known) {
	t.Helper()
	if got, want := show(s.Total), k.String(); got != want || s.Lost != k.lost {
		t.Errorf("total %s, %d lost; want %s, %d; faults %v", got, s.Lost, want, k.lost, s.Faults)
	}
}

// compare holds a summary against the reference.
func compare(t *testing.T, s *Summary, k known) {
	t.Helper()
	compareTotals(t, s, k)
	groups := func(what string, list []Group, want map[string]string) {
		if len(list) != len(want) {
			t.Errorf("%d %s, want %d", len(list), what, len(want))
		}
		for _, g := range list {
			if got := show(g.Sums); got != want[g.Name] {
				t.Errorf("%s %q: %s, want %s", what, g.Name, got, want[g.Name])
			}
		}
	}
	groups("models", s.Models, k.models)
	groups("days", s.Days, k.days)
	groups("tags", s.Tags, k.tags)
	groups("end users", s.EndUsers, k.users)
	var keys []Group
	for _, key := range s.Keys {
		keys = append(keys, Group{key.Token, key.Sums})
		if key.Alias != k.aliases[key.Token] {
			t.Errorf("alias of %q is %q, want %q", key.Token, key.Alias, k.aliases[key.Token])
		}
		for _, part := range [][]Group{key.Days, key.Models} {
			sum := decimal.Zero
			for _, g := range part {
				sum = sum.Add(g.Spend)
			}
			if !sum.Equal(key.Spend) {
				t.Errorf("parts of %q make %s of %s", key.Token, sum, key.Spend)
			}
		}
	}
	groups("keys", keys, k.keys)
}

// FuzzRead holds every reading against encoding/json and decimal, whatever the size of blocks.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 || bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
			return
		}
		s, whole := readTo(t, data, 4096)
		for _, block := range []int{1, 7, 64} {
			if again, wholeAgain := readTo(t, data, block); !same(s, again) || whole != wholeAgain {
				t.Fatalf("in blocks of %d: %+v, else %+v", block, again, s)
			}
		}
		if _, _, err := decompress(bytes.NewReader(data)); err != nil || s.Bytes != int64(len(data)) {
			return
		}
		k, valid := reference(data)
		if valid && !whole {
			t.Errorf("valid, but damaged: %+v", s.Faults)
		}
		if valid && utf8.Valid(data) {
			compare(t, s, k)
		} else if valid { // encoding/json makes three bytes of a bad one, so that long names are cut elsewhere
			compareTotals(t, s, k)
		} else if s.Lost == 0 && !bytes.Contains(data, []byte("data")) && !bytes.ContainsRune(data, '\\') {
			t.Errorf("not valid, but nothing is lost: %+v", s)
		}
	})
}

// same compares summaries as they print.
func same(a, b *Summary) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

const good = `{"request_id":"a","api_key":"k","spend":0.1,"startTime":"2026-11-23T19:07:06.87Z","model_group":"m","prompt_tokens":1,"completion_tokens":2,` +
	`"metadata":{"user_api_key_alias":"openclaw","attempted_fallbacks":1,"original_model_group":"p"},"status":"success","cache_hit":"None","end_user":"eve","request_tags":["t","User-Agent: x","t","u"],"messages":[{"role":"user","content":"a \"q\" \u00e9 \ud83d\ude00\n"}]}`

func seeds() []string {
	list := "[" + good + "," + strings.ReplaceAll(good, `"a"`, `"b"`) + "]"
	var indented bytes.Buffer
	_ = json.Indent(&indented, []byte(list), "", "  ")
	packed, _ := json.Marshal(`{"user_api_key_alias":"x","status":"failure"}`)
	return slices.Concat([]string{"", "[]", list, good + "\n" + good + "\n", indented.String(), `{"data":` + list + `,"total":2}`,
		strings.Replace(good, `{"user_api_key_alias":"openclaw","attempted_fallbacks":1,"original_model_group":"p"}`, string(packed), 1),
		strings.Replace(good, `["t","User-Agent: x","t","u"]`, `"[\"t\", 1, null, \"\", [\"v\"]]"`, 1), strings.Replace(good, `"u"]`, `"u",]`, 1),
		list[:len(list)-40], good[:90] + "\n" + good, "[" + good[:90] + good + "]", `[1,"x",null,[` + good + `]]`,
		strings.Replace(good, "0.1", "1e-400", 1), strings.Replace(good, "0.1", "12345678901234567890.5", 1), strings.Replace(good, "0.1", `"1.5e-7"`, 1),
		strings.Replace(good, "06.87Z", "06+05:30", 1), `{"a":tru}`, "\x00", `[{"request_id":"\ud800"}]`,
	})
}

// FuzzAmount holds amounts against decimal.
func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0", "-0.1", "0.051000000000000004", "1.2345678901234567e-05", "1e15", "999999999999999.999999999999999999999999", "1E-400", "00", "1.", "-", "5e-324"} {
		f.Add(s, "0.1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > longNumber || len(b) > longNumber {
			return
		}
		var sum Amount
		want := decimal.Zero
		for _, text := range []string{a, b, a} {
			got, ok := parseAmount([]byte(text))
			d, believed := believable(text)
			if ok != believed || ok && !got.Decimal().Equal(d) {
				t.Fatalf("%q is %s, %t; want %s, %t", text, got.Decimal(), ok, d, believed)
			}
			if ok {
				if sum.Cmp(got) != want.Cmp(d) {
					t.Fatalf("%s against %s: %d", want, d, sum.Cmp(got))
				}
				sum.Add(got)
				want = want.Add(d)
			}
		}
		if !sum.Decimal().Equal(want) {
			t.Fatalf("%q + %q + %q = %s, want %s", a, b, a, sum.Decimal(), want)
		}
	})
}
