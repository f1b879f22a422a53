package slacktest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// reply is an answer about to be sent.
type reply struct {
	status     int
	code       string // "ok" or Slack's error word
	body       any    // of the API; the webhook answers code itself
	retryAfter time.Duration
	scopes     string
}

// ServeHTTP serves the API under /api/ and the webhook under /services/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	method, args := "webhook", url.Values{}
	if name, ok := strings.CutPrefix(r.URL.Path, apiPath); ok {
		method, args = name, arguments(r, raw)
	}
	log := Request{
		At: s.opts.Now(), Method: method, Channel: args.Get("channel"), TS: args.Get("ts"),
		ThreadTS: args.Get("thread_ts"), Text: args.Get("text"), Blocks: rawJSON(args.Get("blocks")),
	}
	var hook webhookBody
	if method == "webhook" {
		_ = json.Unmarshal(raw, &hook)
		log.Text, log.Blocks = hook.Text, hook.Blocks
	}
	f, failing := s.fault(method)
	if failing && f.Status != 0 {
		log.Status = f.Status
		s.record(log)
		f.answer(w)
		return
	}
	rep := s.reply(r, method, args, raw, hook)
	log.Status, log.Answer = rep.status, rep.code
	s.record(log)
	answer := rep.bytes()
	if failing {
		f.cut(w, answer)
	}
	rep.send(w, answer)
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

func (s *Server) reply(r *http.Request, method string, args url.Values, raw []byte, hook webhookBody) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if method == "webhook" {
		return s.webhook(r, raw, hook)
	}
	return s.api(r, method, args)
}

func (p reply) bytes() []byte {
	if p.body == nil {
		return []byte(p.code)
	}
	out, _ := json.Marshal(p.body)
	return out
}

func (p reply) send(w http.ResponseWriter, answer []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.body != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	if p.scopes != "" {
		w.Header().Set("X-OAuth-Scopes", p.scopes)
	}
	if p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(p.retryAfter)))
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(answer) // #nosec G705 -- a fake, answering a test
}

// arguments reads a form or, as Slack also takes it, a JSON object. The token is among them even if it came in a header.
func arguments(r *http.Request, raw []byte) url.Values {
	args := url.Values{}
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/json":
		var object map[string]json.RawMessage
		_ = json.Unmarshal(raw, &object)
		for k, v := range object {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			args.Set(k, text)
		}
	default:
		if form, err := url.ParseQuery(string(raw)); err == nil {
			args = form
		}
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		args.Set("token", token)
	}
	return args
}

func (s *Server) authorised(token string) string {
	switch {
	case token == "":
		return "not_authed"
	case !secret.New(token).Equal(s.opts.Token):
		return "invalid_auth"
	case s.revoked:
		return "token_revoked"
	}
	return ""
}

func rawJSON(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
