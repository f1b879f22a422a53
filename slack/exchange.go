package slack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

const (
	attemptTimeout = 10 * time.Second
	maxAnswer      = 1 << 20 // bytes read of any answer
	maxDetail      = 300     // bytes of an answer quoted in an error
)

// exchange is one request and what came back. It stands between slack-go and the network because slack-go drops the
// bodies of error answers. It is used once.
type exchange struct {
	client *http.Client
	hide   []secret.Value // taken out of everything quoted

	err    error // of the transport
	status int
	header http.Header
	body   []byte
}

// Do sends req without following redirects, which would send the body, and the token in it, elsewhere.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	client := http.Client{}
	if x.client != nil {
		client = *x.client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		x.err = err
		return nil, err
	}
	defer resp.Body.Close()
	x.status, x.header = resp.StatusCode, resp.Header
	if x.body, err = netx.ReadAll(resp.Body, maxAnswer); err != nil {
		x.err = err
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(x.body))
	return resp, nil
}

// failure turns what went wrong into an *Error. err is what slack-go made of it.
func (x *exchange) failure(ctx context.Context, op string, err error) *Error {
	e := &Error{Op: op, Status: x.status}
	var said slack.SlackErrorResponse
	var large *netx.TooLarge
	switch {
	case errors.As(x.err, &large):
		e.Kind, e.Detail, e.MaybeSent = Server, large.Error(), true
	case x.err != nil:
		e.Kind, e.Detail, e.MaybeSent, e.cause = Network, x.quote(reason(x.err)), !unsent(x.err), cutShort(ctx, x.err)
		e.class = netx.Classify(x.err)
	case x.status == 0:
		e.Kind, e.Detail, e.cause = Invalid, "the request could not be made: "+x.quote(reason(err)), cutShort(ctx, err)
	case x.status == http.StatusTooManyRequests:
		e.Kind = RateLimited
		e.RetryAfter, _ = netx.RetryAfter(x.header, time.Time{})
	case errors.As(err, &said):
		e.Code = x.quote(said.Err)
		e.Kind, _ = kindOf(said.Err)
		e.Detail = x.quote(strings.Join(append(needs(said), said.ResponseMetadata.Messages...), "; "))
		e.MaybeSent = e.Kind == Server
	case x.status >= 300 && x.status < 400:
		e.Kind, e.Detail = Refused, "the answer is a redirect, which is not followed"
	case x.status >= 500:
		e.Kind, e.MaybeSent = Server, true
	case x.status == http.StatusOK:
		e.Kind, e.Detail, e.MaybeSent = Server, "the answer is not Slack's", true
	default:
		e.Kind, e.Detail = Refused, "the answer is not Slack's; check the API URL"
	}
	return e
}

func needs(said slack.SlackErrorResponse) []string {
	if said.Needed == "" {
		return nil
	}
	return []string{"it needs " + said.Needed}
}

// quote returns text from outside on one line, short, and without the secrets, those of others included.
func (x *exchange) quote(text string) string {
	for _, v := range x.hide {
		if !v.IsZero() {
			text = strings.ReplaceAll(text, v.Reveal(), secret.Redacted)
		}
	}
	text = secret.Scrub(text)
	text = strings.Join(strings.Fields(strings.Map(printable, strings.ToValidUTF8(text, "?"))), " ")
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

// reason is err without the method and URL that net/http puts before it.
func reason(err error) string {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	return err.Error()
}

// unsent reports whether err shows that no request went out.
func unsent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) || errors.As(err, &cert)
}

// cutShort returns the context's error if that is why the call ended.
func cutShort(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return nil
}

// checkURL reports why raw is not an address that secrets may be sent to: https, or plain http to this machine or a
// private network. The error does not quote raw.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return errors.New("it is not a URL")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("its scheme is %q and not https", u.Scheme)
	case !private(u.Hostname()):
		return errors.New("plain http is used only for loopback and private addresses: use https")
	}
	return nil
}

// private reports whether host is a loopback or private address, or a name that only a local resolver knows.
func private(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".local") ||
		strings.HasSuffix(host, ".localhost")
}

// printable makes a space of what a terminal or a log would act on.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
