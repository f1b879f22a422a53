package litellm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

// networkError is the error of a request that got no (whole) answer. ctx is the operation's: its end is no fault of the
// proxy.
func (c *Client) networkError(ctx context.Context, q *call, err error) *Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // leaves out the URL
	}
	e := &Error{Op: q.op, Route: q.route(), Kind: ProxyDown, Err: err, class: netx.Classify(err)}
	if ctx.Err() != nil {
		e.Kind, e.Err = Interrupted, ctx.Err()
		e.Message = context.Cause(ctx).Error()
		return ours(e)
	}
	e.Own = networkCause(err)
	e.Message = clean(e.Own+": "+err.Error(), c.Key, q.key, q.secret)
	return e
}

// networkCause says in words where on the way it failed.
func networkCause(err error) string {
	var dns *net.DNSError
	var unknownCA x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return "network: the host name was not resolved"
	case errors.As(err, &unknownCA):
		return "tls: the certificate's authority is not trusted (set ca-file)"
	case errors.As(err, &hostname):
		return "tls: the certificate is for another host"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "tls: the other end does not speak TLS (http address?)"
	case netx.IsTLS(err):
		return "tls: the handshake did not succeed"
	case netx.IsTimeout(err):
		return "timeout: no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "network: nothing listens there"
	default:
		return "network: the connection broke"
	}
}
