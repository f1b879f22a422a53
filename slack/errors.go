package slack

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

// Kind is what went wrong, in terms of what a caller or person can do about it. It is an error, so that
// errors.Is(err, slack.MessageGone) works.
type Kind string

// The kinds of failure.
const (
	ChannelNotFound Kind = "channel not found"      // no such channel, or a private one the bot is not in
	ChannelArchived Kind = "channel archived"       // it takes no messages any more
	NotInChannel    Kind = "not in channel"         // somebody has to invite the bot
	TokenInvalid    Kind = "token refused"          // wrong, expired or revoked
	MissingScope    Kind = "missing scope"          // Error.Detail names the scope
	Prohibited      Kind = "posting not allowed"    // the workspace restricts who may post
	MessageGone     Kind = "message gone"           // deleted by a person, or no longer ours to edit: post a new one
	BlocksRefused   Kind = "blocks refused"         // Slack does not take these blocks
	Refused         Kind = "request refused"        // any other answer that repeating will not change
	RateLimited     Kind = "rate limited"           // Error.RetryAfter says for how long
	WebhookGone     Kind = "webhook gone"           // the incoming webhook was removed: make a new one
	Network         Kind = "no answer from Slack"   // not reached, or the answer was lost
	Server          Kind = "Slack could not answer" // 5xx, or something that is not Slack's answer
	Invalid         Kind = "not sendable"           // the message or setting is wrong; nothing was sent
	NotAsked        Kind = "not asked"              // nothing was sent: Slack does not answer
)

// Error returns the kind's text.
func (k Kind) Error() string { return string(k) }

// Error is a failed call.
type Error struct {
	Op         string        // "posting to channel C0123", "updating message 1700000000.000100 in C0123", …
	Kind       Kind          //
	Code       string        // Slack's own word, "channel_not_found"; "" if there was none
	Status     int           // the HTTP status, 0 without an answer
	RetryAfter time.Duration // with RateLimited, if Slack said so
	Detail     string        // what else is known; never a secret

	// MaybeSent says that the request may have been carried out although no good answer came.
	MaybeSent bool

	cause error      // why there was no answer, as far as it may be known: no URL is in it; or nil
	class netx.Class // of a failure of the kind Network
}

// classed says what another attempt may bring.
func (e *Error) classed() netx.Class {
	switch e.Kind {
	case Network:
		return e.class
	case Server, RateLimited:
		return netx.Passing
	}
	return netx.Answered
}

// Error names the operation, the kind, and Slack's own word.
func (e *Error) Error() string { return e.text(e.Detail) }

// Public is the error as everybody may read it: without what the network said, which names addresses.
func (e *Error) Public() string {
	if e.Kind == Network {
		return e.text("")
	}
	if why := netx.RefusalOf(e.cause); e.Kind == NotAsked && why != nil {
		return e.text(why.Public())
	}
	return e.text(e.Detail)
}

func (e *Error) text(detail string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Op, e.Kind)
	switch {
	case e.Code != "" && e.Status != 0 && e.Status != 200:
		fmt.Fprintf(&b, " (%d %s)", e.Status, e.Code)
	case e.Code != "":
		fmt.Fprintf(&b, " (%s)", e.Code)
	case e.Status != 0 && e.Status != 200:
		fmt.Fprintf(&b, " (%d)", e.Status)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", try again in %s", e.RetryAfter)
	}
	if detail != "" {
		b.WriteString(": " + detail)
	}
	if e.MaybeSent {
		b.WriteString(" (it may have arrived)")
	}
	return b.String()
}

// Is reports whether target is e's Kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// Unwrap returns the context's error, or a *netx.Refusal, if the call was cut short by it or never made, and otherwise
// nothing that has a text: what the transport says names the URL called.
func (e *Error) Unwrap() error { return e.cause }

// kindOf sorts Slack's own error words; ok is false for a word it does not know.
func kindOf(code string) (kind Kind, ok bool) {
	switch code {
	case "channel_not_found":
		return ChannelNotFound, true
	case "is_archived", "channel_is_archived":
		return ChannelArchived, true
	case "not_in_channel":
		return NotInChannel, true
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type":
		return TokenInvalid, true
	case "missing_scope":
		return MissingScope, true
	case "message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found":
		return MessageGone, true
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long":
		return BlocksRefused, true
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return RateLimited, true
	case "no_service", "no_service_id", "no_team", "invalid_token", "no_active_hooks", "team_disabled":
		return WebhookGone, true
	case "action_prohibited", "posting_to_general_channel_denied", "ekm_access_denied", "access_denied", "no_permission",
		"team_access_not_granted", "org_login_required":
		return Prohibited, true
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error":
		return Server, true
	}
	if strings.HasPrefix(code, "restricted_action") {
		return Prohibited, true
	}
	return Refused, false
}
