package github

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/org/openclaw-litellm-action/secret"
)

func TestSealOpens(t *testing.T) {
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const text = "not-a-real-litellm-key"
	once, err := seal(publicKey{key: *public}, secret.New(text))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(once)
	if err != nil {
		t.Fatal(err)
	}
	if plain, ok := box.OpenAnonymous(nil, raw, public, private); !ok || string(plain) != text {
		t.Fatal("the sealed value does not open")
	}
	if again, _ := seal(publicKey{key: *public}, secret.New(text)); again == once {
		t.Fatal("the same value seals to the same text")
	}
}

func TestIsOwn(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 0, 10, 0, time.UTC)
	stored := func(offset time.Duration) *storedSecret { return &storedSecret{UpdatedAt: at.Add(offset)} }
	for name, c := range map[string]struct {
		before, after *storedSecret
		want          bool
	}{
		"first write":                    {nil, stored(0), true},
		"later than before":              {stored(-time.Second), stored(0), true},
		"before the answer":              {stored(-9 * time.Second), stored(-time.Second), true},
		"stamp did not move":             {stored(0), stored(0), false},
		"stamp went back":                {stored(0), stored(-time.Second), false},
		"a second after the answer":      {stored(-9 * time.Second), stored(time.Second), false},
		"first write, then somebody":     {nil, stored(time.Second), false},
		"gone again":                     {nil, nil, false},
		"fraction of the answers second": {nil, stored(900 * time.Millisecond), true},
	} {
		if got := isOwn(c.before, c.after, at); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	date := now.Add(5 * time.Second).Format(http.TimeFormat)
	for name, c := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"seconds":             {http.Header{"Retry-After": {"17"}}, 17 * time.Second},
		"a date":              {http.Header{"Retry-After": {now.Add(9 * time.Second).Format(http.TimeFormat)}}, 9 * time.Second},
		"a past date":         {http.Header{"Retry-After": {now.Add(-time.Hour).Format(http.TimeFormat)}}, 0},
		"reset":               {http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1800000030"}}, 31 * time.Second},
		"reset, their clock":  {http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1800000030"}, "Date": {date}}, 26 * time.Second},
		"reset of no concern": {http.Header{"X-Ratelimit-Remaining": {"9"}, "X-Ratelimit-Reset": {"1800000030"}}, time.Minute},
		"nothing":             {http.Header{}, time.Minute},
		"nonsense":            {http.Header{"Retry-After": {"soon"}}, time.Minute},
		"negative":            {http.Header{"Retry-After": {"-5"}}, time.Minute},
	} {
		if got := retryAfter(c.header, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestNextPage(t *testing.T) {
	for header, want := range map[string]string{
		"": "",
		`<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x?page=9>; rel="last"`:    "https://api.github.com/x?page=2",
		`<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?after=abc>; rel="next"`: "https://api.github.com/x?after=abc",
		`<https://api.github.com/x?page=1>; rel="prev"`:                                                   "",
	} {
		if got := nextPage(http.Header{"Link": {header}}); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}
