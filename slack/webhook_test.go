package slack_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

func TestWebhook(t *testing.T) {
	w := newWorld(t, slacktest.Options{PostGap: time.Second})
	for range 2 {
		if err := w.hook.Post(t.Context(), message("a & b")); err != nil {
			t.Fatal(err)
		}
	}
	if ms := w.Messages(); len(ms) != 2 || ms[0].Last().Text != "a & b" || ms[0].Last().Blocks == nil || len(w.slept) != 1 {
		t.Errorf("messages %+v after waits %v", ms, w.slept)
	}
}

func TestWebhookErrors(t *testing.T) {
	tests := map[string]struct {
		fault slacktest.Fault
		do    func(*world)
		want  slack.Kind
		text  string
	}{
		"removed":   {do: func(w *world) { w.RemoveWebhook() }, want: slack.WebhookGone, text: "404 no_service"},
		"other URL": {do: func(w *world) { w.hook.URL = secret.New(w.hook.URL.Reveal() + "x") }, want: slack.WebhookGone, text: "403 invalid_token"},
		"archived":  {do: func(w *world) { w.Archive(channel) }, want: slack.ChannelArchived, text: "410 channel_is_archived"},
		"deleted":   {do: func(w *world) { w.Remove(channel) }, want: slack.ChannelNotFound, text: "404 channel_not_found"},
		"forbidden": {fault: slacktest.Fault{Status: 403, Body: "action_prohibited"}, want: slack.Prohibited, text: "403 action_prohibited"},
		"gone page": {fault: slacktest.Fault{Status: 410}, want: slack.WebhookGone, text: "410"},
		"payload":   {fault: slacktest.Fault{Status: 400, Body: "invalid_payload"}, want: slack.Refused, text: "400 invalid_payload"},
		"rollup":    {fault: slacktest.Fault{Status: 500, Body: "rollup_error"}, want: slack.Server, text: "500 rollup_error"},
		"proxy":     {fault: slacktest.Fault{Status: 400, Body: "bad \n gateway"}, want: slack.Refused, text: "bad gateway"},
		"not ok":    {fault: slacktest.Fault{Status: 200, Body: "<html>log in</html>"}, want: slack.Server, text: "not Slack's"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, slacktest.Options{})
			if tt.do != nil {
				tt.do(w)
			} else {
				w.Fail(tt.fault)
			}
			err := w.hook.Post(t.Context(), message("a"))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.text)
			}
			if len(w.Requests()) != 1 {
				t.Errorf("%d requests", len(w.Requests()))
			}
		})
	}
}

type brokenTransport struct {
	answer func(*http.Request) (*http.Response, error)
}

func (b brokenTransport) RoundTrip(r *http.Request) (*http.Response, error) { return b.answer(r) }

// echoing answers as a network or Slack would that repeats the secrets in everything it says.
func echoing(secrets []string) map[string]*http.Client {
	echo := strings.Join(secrets, " ")
	answer := func(status int, body string) *http.Client {
		return &http.Client{Transport: brokenTransport{func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Status: fmt.Sprint(status, " ", echo), Request: r,
				Header: http.Header{"Location": {"https://else.example/" + echo}}, Body: io.NopCloser(strings.NewReader(body)),
			}, nil
		}}}
	}
	return map[string]*http.Client{
		"transport": {Transport: brokenTransport{func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("proxy said " + echo)}
		}}},
		"redirect": answer(302, echo), "bad request": answer(400, echo), "gone": answer(404, echo), "server": answer(500, echo),
		"limited": answer(429, echo), "not JSON": answer(200, echo),
		"error": answer(200, fmt.Sprintf(`{"ok":false,"error":%q,"needed":%q,"response_metadata":{"messages":[%q]}}`, echo, echo, echo)),
	}
}

func wantNoSecret(t *testing.T, secrets []string, err error, more ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		more = append(more, fmt.Sprintf("%v %+v %#v", e, e, e))
	}
	for _, s := range secrets {
		for _, text := range more {
			if strings.Contains(text, s) {
				t.Errorf("%q is in %s", s, text)
			}
		}
	}
}

func TestBotLeaksNoSecret(t *testing.T) {
	token := secret.New("xox" + "b-made-up-leaky-value")
	secrets := []string{token.Reveal()}
	for name, client := range echoing(secrets) {
		t.Run(name, func(t *testing.T) {
			var notes []string
			b := &slack.Bot{Token: token, HTTP: client, Sleep: newClock().Sleep, Notes: func(s string) { notes = append(notes, s) }}
			_, err := b.Post(t.Context(), channel, message("a"))
			wantNoSecret(t, secrets, err, fmt.Sprintf("%v %+v", b, notes))
			wantNoSecret(t, secrets, b.Update(t.Context(), slack.Ref{Channel: channel, TS: "1.2"}, message("a")))
			wantNoSecret(t, secrets, b.Check(t.Context(), channel))
		})
	}
}

func TestWebhookLeaksNoSecret(t *testing.T) {
	hook := secret.New("https://hooks.slack.example/services/T1/B1/made-up-leaky-hook")
	secrets := []string{hook.Reveal(), "/services/T1/B1/made-up-leaky-hook", "made-up-leaky-hook"}
	for name, client := range echoing(secrets) {
		t.Run(name, func(t *testing.T) {
			w := &slack.Webhook{URL: hook, HTTP: client, Sleep: newClock().Sleep}
			wantNoSecret(t, secrets, w.Post(t.Context(), message("a")), fmt.Sprintf("%v %+v", w, *w))
		})
	}
}

func TestWebhookBadURL(t *testing.T) {
	for _, raw := range []string{"hooks.slack.example/made-up-leaky-hook", "http://hooks.slack.example/made-up-leaky-hook", "https://%zz/made-up-leaky-hook", ""} {
		err := (&slack.Webhook{URL: secret.New(raw)}).Post(t.Context(), message("a"))
		if !errors.Is(err, slack.Invalid) || strings.Contains(err.Error(), "leaky") {
			t.Errorf("got %v", err)
		}
	}
}
