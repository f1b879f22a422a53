package slacktest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// webhookBody is what an incoming webhook is sent.
type webhookBody struct {
	Text   string          `json:"text"`
	Blocks json.RawMessage `json:"blocks"`
}

// webhook answers a post to the incoming webhook, in plain text as Slack does. The caller holds mu.
func (s *Server) webhook(r *http.Request, raw []byte, body webhookBody) reply {
	say := func(status int, code string) reply { return reply{status: status, code: code} }
	switch {
	case "http://"+s.listener.Addr().String()+r.URL.Path != s.WebhookURL().Reveal():
		if strings.HasPrefix(r.URL.Path, webhookPath) {
			return say(http.StatusForbidden, "invalid_token")
		}
		return say(http.StatusNotFound, "no_team")
	case s.webhookGone:
		return say(http.StatusNotFound, "no_service")
	case r.Method != http.MethodPost:
		return say(http.StatusMethodNotAllowed, "invalid_http_method")
	case json.Unmarshal(raw, &webhookBody{}) != nil:
		return say(http.StatusBadRequest, "invalid_payload")
	}
	c := s.channel(s.opts.Webhook)
	switch {
	case c == nil:
		return say(http.StatusNotFound, "channel_not_found")
	case c.Archived:
		return say(http.StatusGone, "channel_is_archived")
	}
	if string(body.Blocks) == "null" || string(body.Blocks) == "[]" {
		body.Blocks = nil
	}
	if code, _ := checkContent(body.Text, body.Blocks); code != "" {
		return say(http.StatusBadRequest, code)
	}
	if wait := s.tooSoon(c.ID); wait > 0 {
		p := say(http.StatusTooManyRequests, "rate_limited")
		p.retryAfter = wait
		return p
	}
	s.add(Message{Channel: c.ID, Webhook: true}, body.Text, body.Blocks)
	return say(http.StatusOK, "ok")
}
