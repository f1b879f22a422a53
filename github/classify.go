package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// maxMessage is how many runes of GitHub's words an error keeps.
const maxMessage = 400

// secondaryWait is GitHub's advice for a secondary limit that does not say how long.
const secondaryWait = time.Minute

// firstBackoff is the wait before the first retry; it doubles with each.
const firstBackoff = time.Second

// retry decides whether k is sent again after fault, and when.
func (c *Client) retry(turn *netx.Turn, k call, fault *Error, attempt int) (wait time.Duration, again bool) {
	var nested *Error // getting the credential: that was repeated as often as it may be
	if errors.As(fault.Err, &nested) {
		return 0, false
	}
	switch fault.Kind {
	case RateLimited, Secondary: // refused, so not applied: every method may be sent again
		return fault.RetryAfter, fault.RetryAfter <= cmp.Or(c.MaxWait, DefaultMaxWait) && turn.Again(netx.Passing, attempts)
	case Server, Network:
		return firstBackoff << (attempt - 1), k.repeat && turn.Again(fault.class, attempts)
	}
	return 0, false
}

// fault turns what go-github returned into an *Error. resp is nil if there was no answer. ctx is the operation's.
func (c *Client) fault(ctx context.Context, k call, resp *gh.Response, err error) *Error {
	e := &Error{Op: k.op}
	text := c.clean(err.Error())
	if ctx.Err() != nil {
		text = context.Cause(ctx).Error()
	}
	if resp == nil {
		unanswered(e, k, err)
		e.Err = cleaned{text, err}
		return e
	}
	e.Status = resp.StatusCode
	e.RequestID = c.clean(resp.Header.Get("X-GitHub-Request-Id"))
	if resp.StatusCode < 300 {
		unreadable(e, k, err)
		e.Err = cleaned{text, err}
		return e
	}
	message, documentation := words(err)
	e.Message, e.Documentation = c.clean(message), c.clean(documentation)
	e.AcceptedPermissions = c.clean(resp.Header.Get("X-Accepted-GitHub-Permissions"))
	e.Kind = kindOf(resp.StatusCode, resp.Header, message, documentation)
	e.Lost = e.Kind == Server && k.writes()
	if e.Kind == RateLimited || e.Kind == Secondary {
		e.RetryAfter = retryAfter(resp.Header, c.now())
		e.ResetAt = c.now().Add(e.RetryAfter)
	}
	return e
}

// unanswered fills e for a request that got no answer.
func unanswered(e *Error, k call, err error) {
	var refused *refusal
	if errors.As(err, &refused) {
		e.Kind, e.class = Redirected, netx.Answered
		return
	}
	e.Kind, e.class = Network, netx.Classify(err)
	var op *net.OpError
	dialing := errors.As(err, &op) && op.Op == "dial"
	e.Lost = k.writes() && !dialing
}

// unreadable fills e for a good answer whose body was not.
func unreadable(e *Error, k call, err error) {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var large *netx.TooLarge
	e.Kind, e.class, e.Lost = Network, netx.Classify(err), k.writes()
	if errors.As(err, &syntax) || errors.As(err, &kind) || errors.As(err, &large) {
		e.Kind, e.class = Malformed, netx.Answered
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		e.Kind, e.class = Network, netx.Passing
	}
}

// words returns GitHub's message, with its details, and the documentation's address.
func words(err error) (message, documentation string) {
	var general *gh.ErrorResponse
	var primary *gh.RateLimitError
	var abuse *gh.AbuseRateLimitError
	var factor *gh.TwoFactorAuthError
	switch {
	case errors.As(err, &primary):
		return primary.Message, ""
	case errors.As(err, &abuse):
		return abuse.Message, "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	case errors.As(err, &factor):
		return factor.Message, factor.DocumentationURL
	case errors.As(err, &general):
		return general.Message + details(general.Errors), general.DocumentationURL
	}
	return "", ""
}

func details(errs []gh.Error) string {
	var parts []string
	for _, e := range errs {
		parts = append(parts, strings.Join(strings.Fields(strings.Join([]string{e.Resource, e.Field, e.Code, e.Message}, " ")), " "))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// kindOf sorts an answer. GitHub sends rate limits as 403 and as 429.
func kindOf(status int, h http.Header, message, documentation string) Kind {
	lower := strings.ToLower(message)
	spent := h.Get("X-RateLimit-Remaining") == "0"
	secondary := strings.Contains(lower, "secondary rate limit") || strings.Contains(lower, "abuse detection") ||
		strings.Contains(documentation, "secondary-rate-limits") || strings.Contains(documentation, "abuse-rate-limits")
	switch {
	case (status == 403 || status == 429) && secondary:
		return Secondary
	case (status == 403 || status == 429) && spent:
		return RateLimited
	case status == 429, status == 403 && h.Get("Retry-After") != "":
		return Secondary
	case status == 401:
		return BadCredentials
	case status == 403 && strings.Contains(lower, "archived"):
		return Archived
	case status == 403:
		return Forbidden
	case status == 404:
		return NotFound
	case status == 400, status == 413, status == 422:
		return Validation
	case status == 409:
		return Conflict
	case status == 410:
		return Gone
	case netx.ClassifyStatus(status) == netx.Passing:
		return Server
	}
	return Malformed
}

// retryAfter is how long a rate limit asks to wait: Retry-After, else until the reset, else a minute. Both clocks are
// GitHub's where it sent its own.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if wait, ok := netx.RetryAfter(h, now); ok {
		return wait
	}
	if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" {
		const latest = 1 << 40 // beyond that, time itself overflows
		return netx.Until(time.Unix(min(reset, latest), 0), h, now) + time.Second
	}
	return secondaryWait
}

// clean makes text from outside fit for an error: one line, not long, without the token.
func (c *Client) clean(text string) string {
	var known secret.Set
	known.Add(c.Token)
	if last := c.last.Load(); last != nil {
		known.Add(*last)
	}
	text = known.Redact(text)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}

// cleaned is a cause with a text that is fit to print; errors.Is and As see through to what it was.
type cleaned struct {
	text  string
	cause error
}

// Error returns the text that is fit to print.
func (e cleaned) Error() string { return e.text }

// Unwrap returns the cause as it was.
func (e cleaned) Unwrap() error { return e.cause }
