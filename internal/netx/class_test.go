package netx_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

func refused() error {
	return &url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
}

func untrusted() error { return fmt.Errorf("wrapped: %w", x509.UnknownAuthorityError{}) }

func TestClassify(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: err} }
	for name, c := range map[string]struct {
		err  error
		want netx.Class
	}{
		"deadline":         {context.DeadlineExceeded, netx.Silent},
		"I/O timeout":      {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, netx.Silent},
		"dial timeout":     {dial(os.ErrDeadlineExceeded), netx.Silent},
		"refused":          {refused(), netx.Absent},
		"no route":         {dial(syscall.EHOSTUNREACH), netx.Absent},
		"proxy":            {&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, netx.Absent},
		"no such host":     {dial(&net.DNSError{IsNotFound: true}), netx.Lasting},
		"name server":      {dial(&net.DNSError{IsTemporary: true}), netx.Passing},
		"slow name server": {dial(&net.DNSError{IsTimeout: true}), netx.Silent},
		"authority":        {untrusted(), netx.Lasting},
		"expired":          {x509.CertificateInvalidError{Reason: x509.Expired}, netx.Lasting},
		"other host":       {x509.HostnameError{Certificate: &x509.Certificate{}}, netx.Lasting},
		"version":          {errors.New("tls: server selected unsupported protocol version 301"), netx.Lasting},
		"slow handshake":   {handshake{}, netx.Silent},
		"no TLS":           {errors.New("http: server gave HTTP response to HTTPS client"), netx.Lasting},
		"no HTTP":          {errors.New(`net/http: malformed HTTP response "\x00"`), netx.Lasting},
		"scheme":           {&url.Error{Err: errors.New(`unsupported protocol scheme "ftp"`)}, netx.Lasting},
		"address":          {dial(&net.AddrError{Err: "missing port in address"}), netx.Lasting},
		"reset":            {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, netx.Passing},
		"half an answer":   {io.ErrUnexpectedEOF, netx.Passing},
		"end":              {io.EOF, netx.Passing},
	} {
		if got := netx.Classify(c.err); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	for status, want := range map[int]netx.Class{
		200: netx.Answered, 307: netx.Answered, 400: netx.Answered, 401: netx.Answered, 404: netx.Answered, 422: netx.Answered,
		408: netx.Passing, 429: netx.Passing, 500: netx.Passing, 502: netx.Passing, 503: netx.Passing, 504: netx.Passing, 529: netx.Passing,
	} {
		if got := netx.ClassifyStatus(status); got != want {
			t.Errorf("HTTP %d: %d, want %d", status, got, want)
		}
	}
}

// handshake is what net/http says of a TLS handshake that takes too long.
type handshake struct{}

func (handshake) Error() string   { return "net/http: TLS handshake timeout" }
func (handshake) Timeout() bool   { return true }
func (handshake) Temporary() bool { return true }

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		text, date string
		want       time.Duration
		ok         bool
	}{
		"seconds":           {"17", "", 17 * time.Second, true},
		"parts of a second": {"0.5", "", time.Second / 2, true},
		"a date":            {at(time.Minute), "", time.Minute, true},
		"their clock":       {at(time.Hour), at(59 * time.Minute), time.Minute, true},
		"in the past":       {at(-time.Minute), "", 0, true},
		"three years":       {"99999999", "", 24 * time.Hour, true},
		"more than fits":    {"1e300", "", 24 * time.Hour, true},
		"more than any":     {"1e400", "", 24 * time.Hour, true},
		"in years":          {"Fri, 31 Dec 9999 23:59:59 GMT", "", 24 * time.Hour, true},
		"a clock never set": {at(time.Minute), "Thu, 01 Jan 1970 00:00:00 GMT", time.Minute, true},
		"negative":          {"-5", "", 0, false},
		"no number":         {"NaN", "", 0, false},
		"nonsense":          {"soon", "", 0, false},
		"nothing":           {"", "", 0, false},
	} {
		h := http.Header{"Retry-After": {c.text}, "Date": {c.date}}
		got, ok := netx.RetryAfter(h, now)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %v, %v; want %v, %v", name, got, ok, c.want, c.ok)
		}
	}
	if wait := netx.Until(time.Unix(math.MaxInt64/2, 0), http.Header{}, now); wait != 24*time.Hour {
		t.Errorf("an absurd reset is %v away", wait)
	}
}

func TestReadAll(t *testing.T) {
	if text, err := netx.ReadAll(strings.NewReader("12345"), 5); err != nil || string(text) != "12345" {
		t.Errorf("%q, %v", text, err)
	}
	var large *netx.TooLarge
	if text, err := netx.ReadAll(endless{}, 1000); !errors.As(err, &large) || text != nil || !strings.Contains(err.Error(), "1000 bytes") {
		t.Errorf("%d bytes of a body without end, %v", len(text), err)
	}
}

// endless is a body without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
