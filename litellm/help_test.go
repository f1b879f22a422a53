package litellm_test

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// managementKey and friends are made up; nothing anywhere knows them.
var (
	managementKey = secret.New("sk-management-key-made-up")
	mintedKey     = secret.New("sk-minted-key-made-up-0001")
)

// noon is when hermetic tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// reply is one scripted answer.
type reply struct {
	status int
	body   string
	header map[string]string
}

// script is a server that gives its replies in turn, the last one for ever, and keeps what it was asked.
type script struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // "GET /path?query"
	bodies []string
	auth   []string
}

func serve(t *testing.T, replies ...reply) *script {
	t.Helper()
	s := &script{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		answer := replies[min(len(s.asked), len(replies)-1)]
		s.asked = append(s.asked, r.Method+" "+r.URL.String())
		s.bodies = append(s.bodies, string(body))
		s.auth = append(s.auth, r.Header.Get("Authorization"))
		s.mu.Unlock()
		answer.write(w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Date", noon.Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	io.WriteString(w, a.body)
}

// client asks s, and sleeps in no time; naps, if not nil, gets the pauses.
func client(s *script, naps *[]time.Duration) *litellm.Client {
	now := noon
	var mu sync.Mutex
	return &litellm.Client{
		BaseURL: s.URL,
		Key:     managementKey,
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		},
		Sleep: func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			if naps != nil {
				*naps = append(*naps, d)
			}
			return ctx.Err()
		},
	}
}

func usd(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func wantKind(t *testing.T, err error, kind litellm.Kind) {
	t.Helper()
	if litellm.KindOf(err) != kind {
		t.Errorf("kind %q, want %q: %v", litellm.KindOf(err), kind, err)
	}
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// token is a well-formed token of no key.
var token = strings.Repeat("0123456789abcdef", 4)

func secretOf(text string) secret.Value { return secret.New(text) }
