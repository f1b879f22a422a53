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

	"github.com/org/openclaw-litellm-action/secret"
)

// maxMessage is how many runes of GitHub's words an error keeps.
const maxMessage = 400

// secondaryWait is GitHub's advice for a secondary limit that does not say how long.
const secondaryWait = time.Minute

// firstBackoff is the wait before the first retry; it doubles with each.
const firstBackoff = time.Second

// retry decides whether k is sent again after fault, and when.
func (c *Client) retry(ctx context.Context, k call, fault *Error, attempt int) (wait time.Duration, again bool) {
	var nested *Error // getting the credential: that was repeated as often as it may be
	if attempt == attempts || ctx.Err() != nil || errors.As(fault.Err, &nested) {
		return 0, false
	}
	switch fault.Kind {
	case RateLimited, Secondary: // refused, so not applied: every method may be sent again
		return fault.RetryAfter, fault.RetryAfter <= cmp.Or(c.MaxWait, DefaultMaxWait)
	case Server, Network:
		return firstBackoff << (attempt - 1), k.repeat
	}
	return 0, false
}

// fault turns what go-github returned into an *Error. resp is nil if there was no answer.
func (c *Client) fault(k call, resp *gh.Response, err error) *Error {
	e := &Error{Op: k.op}
	if resp == nil {
		unanswered(e, k, err)
		e.Err = cleaned{c.clean(err.Error()), err}
		return e
	}
	e.Status = resp.StatusCode
	e.RequestID = c.clean(resp.Header.Get("X-GitHub-Request-Id"))
	if resp.StatusCode < 300 {
		unread(e, k, err)
		e.Err = cleaned{c.clean(err.Error()), err}
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
		e.Kind = Redirected
		return
	}
	e.Kind = Network
	var op *net.OpError
	dialing := errors.As(err, &op) && op.Op == "dial"
	e.Lost = k.writes() && !dialing
}

// unread fills e for a good answer whose body was not.
func unread(e *Error, k call, err error) {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var large *tooLarge
	e.Kind, e.Lost = Network, k.writes()
	if errors.As(err, &syntax) || errors.As(err, &kind) || errors.As(err, &large) {
		e.Kind = Malformed
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		e.Kind = Network
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
	case status >= 500:
		return Server
	}
	return Malformed
}

// retryAfter is how long a rate limit asks to wait: Retry-After, else until the reset, else a minute. Both clocks are
// GitHub's where it sent its own.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	if text := h.Get("Retry-After"); text != "" {
		if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
			return time.Duration(seconds) * time.Second
		}
		if at, err := http.ParseTime(text); err == nil {
			return max(0, at.Sub(now))
		}
	}
	if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" {
		return max(0, time.Unix(reset, 0).Sub(now)) + time.Second
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
