package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// Webhook posts through an incoming webhook, which has one fixed channel. Only URL, which is a secret, has to be
// set. A Webhook is not changed after its first use and is then safe for concurrent use.
type Webhook struct {
	URL   secret.Value
	HTTP  *http.Client // nil: one with Go's defaults; its CheckRedirect is not used
	Notes func(string) // if not nil, told what was cut or sent as text alone; called by the goroutine that sends

	Sleep   func(context.Context, time.Duration) error // nil: a timer
	MaxWait time.Duration                              // the most a call waits between its attempts; 0: a minute
	System  *netx.System                               // Slack during one run, shared by all senders; nil: none
}

// Post sends m. Slack does not tell where it went, so it can be neither updated nor replied to.
func (w *Webhook) Post(ctx context.Context, m Message) error {
	const op = "posting to the incoming webhook"
	if w.URL.IsZero() {
		return &Error{Op: op, Kind: Invalid, Detail: "no webhook URL is set"}
	}
	if err := checkURL(w.URL.Reveal()); err != nil {
		return &Error{Op: op, Kind: Invalid, Detail: "the webhook URL cannot be used: " + err.Error()}
	}
	m, err := ready(op, m, w.Notes)
	if err != nil {
		return err
	}
	return sendPlainer(op, m, w.Notes, func(m Message) error { return w.try(ctx, op, m) })
}

func (w *Webhook) try(ctx context.Context, op string, m Message) error {
	no := false
	payload := slack.WebhookMessage{Text: m.Text, UnfurlLinks: &no, UnfurlMedia: &no}
	if len(m.Blocks) > 0 {
		payload.Blocks = &slack.Blocks{BlockSet: m.Blocks}
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return &Error{Op: op, Kind: Invalid, Detail: "the blocks cannot be written as JSON: " + err.Error()}
	}
	return patience{w.Sleep, w.MaxWait, w.System}.do(ctx, op, false, func(ctx context.Context) *Error {
		return w.once(ctx, op, body)
	})
}

// once makes the request itself rather than with slack-go, which drops the body that says what was wrong.
func (w *Webhook) once(ctx context.Context, op string, body []byte) *Error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return &Error{Op: op, Kind: Invalid, Detail: "the webhook URL cannot be used"}
	}
	req.Header.Set("Content-Type", "application/json")
	x := &exchange{client: w.HTTP, hide: w.parts()}
	_, err = x.Do(req)
	said := strings.TrimSpace(string(x.body))
	if err == nil && x.status == http.StatusOK && said == "ok" {
		return nil
	}
	if err == nil && isCode(said) && x.status != http.StatusOK && x.status != http.StatusTooManyRequests {
		err = slack.SlackErrorResponse{Err: said}
	}
	e := x.failure(ctx, op, err)
	switch x.status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		if e.Kind == Refused {
			e.Kind, e.Detail = WebhookGone, x.quote(said)
		}
	case http.StatusBadRequest:
		if e.Code == "" {
			e.Detail = x.quote(said)
		}
	}
	if e.Code != "" {
		e.Detail = ""
	}
	if e.Kind == Server || x.status >= 500 {
		e.Kind, e.MaybeSent = Server, true
	}
	return e
}

// parts returns every part of the URL that lets others post: the whole, its path, and the path's last element.
func (w *Webhook) parts() []secret.Value {
	hide := []secret.Value{w.URL}
	if u, err := url.Parse(w.URL.Reveal()); err == nil {
		for _, part := range []string{u.RequestURI(), u.Path, u.Path[strings.LastIndexByte(u.Path, '/')+1:]} {
			if len(part) > 6 { // shorter ones occur by chance
				hide = append(hide, secret.New(part))
			}
		}
	}
	return hide
}

// isCode reports whether text is one of Slack's error words rather than a page.
func isCode(text string) bool {
	return text != "" && len(text) < 80 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_0123456789") == ""
}
