package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// odd has every character that some encoding writes differently.
const odd = `p/a+s s&w<o>r"d\ü=%`

func TestASetTakesSecretsOutOfText(t *testing.T) {
	var told []secret.Value
	s := &secret.Set{OnAdd: func(v secret.Value) { told = append(told, v) }}
	for _, text := range []string{"secret-one", "secret-one-longer", "abc", "", "secret-one", "longer-still"} {
		s.Add(secret.New(text))
	}
	if len(told) != 4 {
		t.Errorf("told of %d secrets, want each new one once", len(told))
	}
	for text, want := range map[string]string{
		"a secret-one-longer b secret-one c abc": "a [redacted] b [redacted] c abc",
		"secret-one-longer-still":                "[redacted]", // two that overlap
		"secret-onesecret-one":                   "[redacted][redacted]",
		"secret-on":                              "secret-on",
		"":                                       "",
	} {
		if got := s.Redact(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestASecretIsFoundInItsEncodings(t *testing.T) {
	s := &secret.Set{}
	s.Add(secret.New(odd))
	asJSON, _ := json.Marshal(map[string]string{"text": "before " + odd + " after"})
	var plainJSON bytes.Buffer
	e := json.NewEncoder(&plainJSON)
	e.SetEscapeHTML(false)
	_ = e.Encode([]string{odd})
	texts := map[string]string{
		"plain": odd, "JSON": string(asJSON), "JSON without HTML": plainJSON.String(), "Go": strconv.Quote(odd), "HTML": html.EscapeString(odd),
		"query": "?a=" + url.QueryEscape(odd) + "&b", "path": "/" + url.PathEscape(odd), "lower case": strings.ToLower(url.QueryEscape(odd)),
	}
	for shift := range 4 {
		long := strings.Repeat("u", shift) + ":" + odd + strings.Repeat("x", shift)
		texts[fmt.Sprint("base64 ", shift)] = base64.StdEncoding.EncodeToString([]byte(long))
		texts[fmt.Sprint("base64 for URLs ", shift)] = base64.RawURLEncoding.EncodeToString([]byte(long))
	}
	for name, text := range texts {
		got := s.Redact(text)
		if !strings.Contains(got, secret.Redacted) || len(got) > len(text) {
			t.Errorf("%s: %q becomes %q", name, text, got)
		}
		for _, leak := range []string{"a+s", "a%2Bs", "a%2bs", "w<o", "w&lt;o", `w\u003co`} {
			if strings.Contains(got, leak) {
				t.Errorf("%s: %q is left in %q", name, leak, got)
			}
		}
		if decoded, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(got, secret.Redacted, "")); err == nil &&
			bytes.Contains(decoded, []byte("s s&w")) {
			t.Errorf("%s: %q still holds it", name, got)
		}
	}
}

// TestASecretOfSeveralLinesIsFoundInEach tries one whose lines no form gives away.
func TestASecretOfSeveralLinesIsFoundInEach(t *testing.T) {
	lines := []string{"first+line/of/the", "second+line/of+it", "third=="}
	for _, newline := range []string{"\n", "\r\n", `\n`} {
		s := &secret.Set{}
		s.Add(secret.New("-----BEGIN IT-----" + newline + strings.Join(lines, newline) + newline + "-----END IT-----"))
		for _, text := range []string{
			strings.Join(lines, "\n"), strings.Join(lines, `\n`), strings.Join(lines, "\r\n  "), strings.Join(lines, ""), lines[0], lines[1],
			base64.StdEncoding.EncodeToString([]byte(strings.Join(lines, "\n"))),
		} {
			got := s.Redact(text)
			if strings.Contains(got, "line") || strings.Contains(got, "bGluZ") || !strings.Contains(got, secret.Redacted) {
				t.Errorf("%q becomes %q", text, got)
			}
		}
		if got := s.Redact("-----BEGIN IT-----"); got != "-----BEGIN IT-----" {
			t.Errorf("the line before it becomes %q", got)
		}
	}
}

func TestPartsOfASecretURL(t *testing.T) {
	s := &secret.Set{}
	s.Add(secret.New("https://user:pass-word-9@ping.example.com/2f1c8a44-hidden?x=1"))
	for text, want := range map[string]string{
		"GET https://user:pass-word-9@ping.example.com/2f1c8a44-hidden?x=1/fail": "GET [redacted]/fail",
		"no page /2f1c8a44-hidden here":                                          "no page [redacted] here",
		"bad password pass-word-9":                                               "bad password [redacted]",
		"lookup ping.example.com: no such host":                                  "lookup ping.example.com: no such host",
	} {
		if got := s.Redact(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestExpiredSecretsAreForgotten lives through a month of an App's tokens, of which there are 24 a day and more.
func TestExpiredSecretsAreForgotten(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s := &secret.Set{Now: func() time.Time { return now }}
	s.Add(secret.New("for-good-and-all"))
	token := func(n int) string { return fmt.Sprintf("token number %d of the App", n) }
	for n := range 30 * 24 {
		s.AddUntil(secret.New(token(n)), now.Add(time.Hour))
		if got := s.Redact(token(n) + ", " + token(n-1)); strings.Contains(got, "number") && n > 0 {
			t.Fatalf("a token of now, or of an hour ago, is shown: %q", got)
		}
		if got := s.Redact(token(n - 5)); n >= 5 && got != token(n-5) {
			t.Fatalf("a token that ended hours ago is still known: %q", got)
		}
		now = now.Add(time.Hour)
	}
	if got := s.Redact("for-good-and-all"); got != secret.Redacted {
		t.Errorf("a secret without an end became %q", got)
	}
	if n := s.Known(); n > 4 {
		t.Errorf("%d secrets are known after a month", n)
	}
	now = now.Add(24 * time.Hour)
	s.Redact("") // nothing was added since
	if n := s.Known(); n != 1 {
		t.Errorf("%d secrets are known a day later", n)
	}
}

func TestManySecretsThatEndedAreNotKept(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s := &secret.Set{Now: func() time.Time { return now }}
	for n := range 1000 {
		s.AddUntil(secret.New(fmt.Sprintf("of the past %d", n)), now.Add(-time.Second))
		s.AddUntil(secret.New(fmt.Sprintf("of the future %d", n)), now.Add(time.Second))
	}
	if n := s.Known(); n < 1000 || n > 1200 {
		t.Errorf("%d secrets are known", n)
	}
	if got := s.Redact("of the future 0"); got != secret.Redacted {
		t.Errorf("one that has not ended became %q", got)
	}
}

// TestTheLongerLifeCounts: what was added for good, or for longer, is not forgotten because it was added again.
func TestTheLongerLifeCounts(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s := &secret.Set{Now: func() time.Time { return now }}
	for text, ends := range map[string][]time.Time{
		"good, then short": {{}, now.Add(time.Hour)}, "short, then good": {now.Add(time.Hour), {}},
		"long, then short": {now.Add(9 * time.Hour), now.Add(time.Hour)}, "short, then long": {now.Add(time.Hour), now.Add(9 * time.Hour)},
	} {
		for _, end := range ends {
			s.AddUntil(secret.New(text), end)
		}
	}
	now = now.Add(8 * time.Hour)
	if n := s.Known(); n != 4 {
		t.Errorf("%d of 4 are known", n)
	}
	now = now.Add(8 * time.Hour)
	if n := s.Known(); n != 2 {
		t.Errorf("%d of 2 are known", n)
	}
}

// TestALineIsSharedBySecrets: forgetting one secret leaves what another has, too.
func TestALineIsSharedBySecrets(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s := &secret.Set{Now: func() time.Time { return now }}
	s.Add(secret.New("the shared line\nthe first one"))
	s.AddUntil(secret.New("the shared line\nthe second one"), now)
	now = now.Add(2 * time.Hour)
	if got := s.Redact("the shared line, the first one, the second one"); got != "[redacted], [redacted], the second one" {
		t.Errorf("got %q", got)
	}
}

func TestTheWriterFindsWhatIsDivided(t *testing.T) {
	s := &secret.Set{}
	s.Add(secret.New("known-to-nobody"))
	key := pemOf("RSA "+"PRIVATE KEY", "\n")
	text := "one known-to-nobody\ntwo ghp" + "_" + letters + "\nthree " + key + "\nfour https://u:" + letters + "@host\n" +
		"five is long: " + strings.Repeat("known-to-nobody and ", 20) + "and ends without a line end known-to-nobody"
	want := "one [redacted]\ntwo [redacted]\nthree [redacted]\nfour https://[redacted]@host\n" +
		"five is long: " + strings.Repeat("[redacted] and ", 20) + "and ends without a line end [redacted]"
	for size := 1; size < 200; size += 3 {
		var out bytes.Buffer
		w := s.Writer(&out)
		for rest := text; rest != ""; {
			part := rest[:min(size, len(rest))]
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatalf("wrote %d bytes of %d, %v", n, len(part), err)
			}
			rest = rest[len(part):]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Fatalf("in pieces of %d: got %q", size, out.String())
		}
	}
}

// TestTheWriterKeepsNothingFromPeople: lines come at once, so do moves of a terminal's cursor, and talk of a key holds
// nothing up.
func TestTheWriterKeepsNothingFromPeople(t *testing.T) {
	begin := "-----BEGIN " + "PRIVATE KEY-----"
	for _, text := range []string{
		"a line\n", "reading: 10%\r", "\r\x1b[Kreading: 10%", "give it with its first line, " + begin + "\ntime=12:00 level=INFO msg=next\n",
	} {
		var out bytes.Buffer
		if _, err := (&secret.Set{}).Writer(&out).Write([]byte(text)); err != nil || out.Len() == 0 || strings.HasSuffix(text, "\n") != strings.HasSuffix(out.String(), "\n") {
			t.Errorf("%q comes as %q, %v", text, out.String(), err)
		}
	}
}

func TestTheWriterIsBounded(t *testing.T) {
	s := &secret.Set{}
	s.Add(secret.New("known-to-nobody"))
	var out bytes.Buffer
	w := s.Writer(&out)
	piece := []byte(strings.Repeat("x", 100_000) + "known-to-nobody")
	for i := range 50 {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
		if behind := (i+1)*len(piece) - out.Len(); behind > 2<<20 {
			t.Fatalf("%d bytes are held", behind)
		}
	}
	_ = w.Flush()
	if strings.Contains(out.String(), "nobody") || strings.Count(out.String(), secret.Redacted) != 50 {
		t.Error("a long line shows a secret")
	}
}

func TestTheWriterReportsErrors(t *testing.T) {
	w := (&secret.Set{}).Writer(broken{})
	if _, err := w.Write([]byte("x\n")); err == nil {
		t.Error("no error")
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := w.Flush(); err == nil {
		t.Error("no error of Flush")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, iotest.ErrTimeout }

// TestASetIsSharedByMany is for the race detector.
func TestASetIsSharedByMany(t *testing.T) {
	var now sync.Map
	now.Store("", time.Unix(0, 0))
	s := &secret.Set{Now: func() time.Time { at, _ := now.Load(""); return at.(time.Time) }}
	w := s.Writer(&bytes.Buffer{})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 50 {
				now.Store("", time.Unix(int64(i*600), 0))
				s.AddUntil(secret.New(fmt.Sprintf("secret %d of %d", i, n)), time.Unix(int64(i*600), 0))
				s.Redact("some text")
				fmt.Fprintf(w, "line %d\n", i)
			}
		})
	}
	wg.Wait()
}
