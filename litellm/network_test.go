package litellm_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// roundTrip is a transport of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNetworkFailuresAreToldApart(t *testing.T) {
	refused := serve(t, done)
	refused.Close()
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	t.Cleanup(tlsServer.Close)
	plain := serve(t, done)
	tests := []struct {
		name, base, want string
		attempts         int // as many as may help
		transport        http.RoundTripper
	}{
		{"refused", refused.URL, "nothing listens there", 3, nil},
		{"dns", "https://litellm.example.com", "not resolved", 1, roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "litellm.example.com", IsNotFound: true}}
		})},
		{"untrusted", tlsServer.URL, "authority is not trusted", 1, nil},
		{"no_tls", strings.Replace(plain.URL, "http:", "https:", 1), "does not speak TLS", 1, nil},
		{"no_http", "https://litellm.example.com", "malformed HTTP", 1, roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("net/http: HTTP/1.x transport connection broken: malformed HTTP response \"SSH-2.0\"")
		})},
		{"broken", "https://litellm.example.com", "connection broke", 4, roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("proxy http://user:hidden@10.0.0.1:3128 went away")
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var naps []time.Duration
			c := client(&script{Server: &httptest.Server{URL: tt.base}}, &naps)
			if tt.transport != nil {
				c.HTTP = &http.Client{Transport: tt.transport}
			}
			err := verify(c)
			wantKind(t, err, litellm.ProxyDown)
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("want %q in: %v", tt.want, err)
			}
			if n := int(c.Requests()); n != tt.attempts || len(naps) != n-1 {
				t.Errorf("%d attempts with naps %v, want %d", n, naps, tt.attempts)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := &litellm.Client{BaseURL: "https://litellm.example.com", Key: managementKey, HTTP: &http.Client{Transport: hang}, Attempts: 2}
		start := time.Now()
		err := verify(c)
		wantKind(t, err, litellm.ProxyDown)
		if !strings.Contains(err.Error(), "timeout") || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took < 2*litellm.DefaultTimeout || took > 2*litellm.DefaultTimeout+time.Second {
			t.Errorf("took %v for two attempts", took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = c.VerifyKey(ctx, mintedKey)
		wantKind(t, err, litellm.Interrupted)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestLostAnswer(t *testing.T) {
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte(`{"da`))
			return // the server closes the connection: half an answer
		}
		w.Write([]byte(`{"data":[]}`))
	}))
	defer s.Close()
	c := client(&script{Server: s}, nil)
	wantNil(t, verify(c))
	if c.Requests() != 2 {
		t.Errorf("%d requests", c.Requests())
	}
}

func TestParseBaseURL(t *testing.T) {
	tests := []struct {
		in, want string
		plain    bool
	}{
		{"https://litellm.example.com", "https://litellm.example.com", false},
		{" https://litellm.example.com/v1/ ", "https://litellm.example.com", false},
		{"https://example.com:8443/litellm/v1", "https://example.com:8443/litellm", false},
		{"http://127.0.0.1:4000/", "http://127.0.0.1:4000", true},
		{"http://[::1]:4000/v1", "http://[::1]:4000", true},
		{"http://10.1.2.3", "http://10.1.2.3", true},
		{"http://litellm:4000", "http://litellm:4000", true},
		{"http://litellm.ai.svc.cluster.local:4000", "http://litellm.ai.svc.cluster.local:4000", true},
	}
	for _, tt := range tests {
		if base, plain, err := litellm.ParseBaseURL(tt.in); base != tt.want || plain != tt.plain || err != nil {
			t.Errorf("%q: %q, %v, %v", tt.in, base, plain, err)
		}
	}
	for _, bad := range []string{"", "litellm.example.com", "ftp://x", "https://", "http://litellm.example.com", "http://8.8.8.8",
		"https://user:hidden@litellm.example.com", "https://litellm.example.com?hidden=1", "https://litellm.example.com#x", "https://hid den"} {
		base, _, err := litellm.ParseBaseURL(bad)
		if err == nil || base != "" || strings.Contains(err.Error(), "hid") {
			t.Errorf("%q: %q, %v", bad, base, err)
		}
	}
}

func TestBaseURLWithVersion(t *testing.T) {
	s := serve(t, models)
	c := client(s, nil)
	c.BaseURL = s.URL + "/v1"
	wantNil(t, verify(c))
	if s.asked[0] != "GET /v1/models" {
		t.Error(s.asked)
	}
}
