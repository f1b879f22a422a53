package slack_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack"
)

// anything answers every request with one status, header and body.
type anything struct {
	status       int
	header, body string
}

func (a anything) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json"}, "Retry-After": {a.header}, "Location": {a.header}}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// FuzzAnswers lets Slack, or what stands before it, answer anything to whoever posts, replies and updates: no panic, no waiting
// without bounds, and an error is one line that holds no secret.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []struct {
		status       int
		header, body string
	}{
		{200, "", `{"ok":true,"channel":"C0000000001","ts":"1700000000.000100"}`}, {200, "", `{"ok":false,"error":"invalid_auth"}`}, {200, "", "ok"},
		{200, "", `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] x"]}}`}, {429, "30", ""}, {429, "999999999999", "x"},
		{403, "", "invalid_token"}, {404, "", "no_service"}, {500, "", "<html>"}, {302, "https://evil.example", ""}, {200, "", "{"}, {200, "", "null"}, {200, "", "[]"},
	} {
		f.Add(seed.status, seed.header, seed.body)
	}
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		if status < 200 || status > 599 || strings.ContainsAny(header, "\r\n") {
			return
		}
		const token, hook = "made-up-token-00000000", "https://hooks.slack.com/services/made-up-00000000"
		ctx, at := context.Background(), newClock()
		began := at.Now()
		client := &http.Client{Transport: anything{status, header, body}}
		bot := &slack.Bot{Token: secret.New(token), HTTP: client, Sleep: at.Sleep}
		web := &slack.Webhook{URL: secret.New(hook), HTTP: client, Sleep: at.Sleep}
		m := slack.Message{Text: "hello"}
		ref, err := bot.Post(ctx, channel, m)
		_, err2 := bot.Reply(ctx, slack.Ref{Channel: channel, TS: "1.1"}, m)
		for what, err := range map[string]error{"posting": err, "replying": err2, "updating": bot.Update(ctx, slack.Ref{Channel: channel, TS: "1.1"}, m), "the webhook": web.Post(ctx, m)} {
			if err == nil {
				continue
			}
			if text := err.Error(); text == "" || len(text) > 2000 || strings.Contains(text, token) || strings.Contains(text, "made-up-00000000") || strings.ContainsAny(text, "\n\x1b\x00") {
				t.Errorf("%s: %q", what, text)
			}
		}
		if err == nil && ref.TS == "" {
			t.Errorf("posted to %+v", ref)
		}
		if waited := at.Now().Sub(began).Minutes(); waited > 30 {
			t.Errorf("waited for %v minutes", waited)
		}
	})
}
