package netx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
)

// Class sorts failed attempts by what another attempt may bring.
type Class int

// The classes.
const (
	Passing  Class = iota // it may be over a moment later: a broken connection, 5xx, 408, 429
	Silent                // no answer in time: worth one repetition, each costs the whole time limit
	Absent                // nobody listens at the address: a restart, perhaps, so worth a few seconds
	Lasting               // the same again every time: certificates, protocols, host names that do not exist
	Answered              // an answer that says no: repeating it changes nothing
)

// attempts returns how often a request is sent at most if it fails in this way, of most in general.
func (c Class) attempts(most int) int {
	switch c {
	case Silent:
		return min(most, 2)
	case Absent:
		return min(most, 3)
	case Lasting, Answered:
		return 1
	}
	return most
}

// unanswered reports whether the failure says that the whole system does not answer. A connection that breaks does not: it
// was accepted.
func (c Class) unanswered() bool { return c == Silent || c == Absent || c == Lasting }

// Classify sorts the error of a request that got no whole answer.
func Classify(err error) Class {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return classifyDNS(dns)
	case IsTLS(err), isProtocol(err):
		return Lasting
	case IsTimeout(err):
		return Silent
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"):
		return Absent
	}
	return Passing
}

func classifyDNS(dns *net.DNSError) Class {
	switch {
	case dns.IsTimeout:
		return Silent
	case dns.IsNotFound:
		return Lasting
	}
	return Passing
}

// ClassifyStatus sorts an answer by its status.
func ClassifyStatus(status int) Class {
	switch {
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return Passing
	}
	return Answered
}

// IsTLS reports whether err is a TLS handshake that did not succeed: a certificate, a version, an other end without TLS. A
// handshake that timed out is not among them.
func IsTLS(err error) bool {
	var unknownCA x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var roots x509.SystemRootsError
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	for _, target := range []any{&unknownCA, &hostname, &invalid, &roots, &verification, &record, &alert} {
		if errors.As(err, target) {
			return true
		}
	}
	return err != nil && (strings.Contains(err.Error(), "tls: ") || speaksHTTP(err))
}

// speaksHTTP reports whether the other end answered a TLS handshake in plain HTTP.
func speaksHTTP(err error) bool {
	return strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// isProtocol reports whether the address, or what answers there, does not speak HTTP. net/http has no types for most of
// these.
func isProtocol(err error) bool {
	var address *net.AddrError
	var parse *net.ParseError
	var network net.UnknownNetworkError
	if errors.As(err, &address) || errors.As(err, &parse) || errors.As(err, &network) {
		return true
	}
	for _, text := range []string{"unsupported protocol scheme", "malformed HTTP", "no Host in request URL"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// IsTimeout reports whether err is a time limit that was reached, on whatever layer.
func IsTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		(errors.As(err, &timeout) && timeout.Timeout())
}
