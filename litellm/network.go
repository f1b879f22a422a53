package litellm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// networkError is the error of a request that got no (whole) answer. ctx is the caller's: its end is no fault of the
// proxy.
func (c *Client) networkError(ctx context.Context, q *call, err error) *Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // leaves out the URL
	}
	e := &Error{Op: q.op, Route: q.route(), Kind: ProxyDown, Err: err}
	if ctx.Err() != nil {
		e.Kind, e.Err = Interrupted, ctx.Err()
		e.Message = ctx.Err().Error()
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
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &dns):
		return "network: the host name was not resolved"
	case errors.As(err, &unknownCA):
		return "tls: the certificate's authority is not trusted (set ca-file)"
	case errors.As(err, &hostname):
		return "tls: the certificate is for another host"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "tls: the other end does not speak TLS (http address?)"
	case errors.As(err, &invalid), errors.As(err, &verification), errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		return "tls: the handshake did not succeed"
	case isTimeout(err):
		return "timeout: no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "network: nothing listens there"
	default:
		return "network: the connection broke"
	}
}

// isTimeout reports whether err is a deadline of whatever layer.
func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
