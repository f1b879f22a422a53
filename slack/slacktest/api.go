package slacktest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

type object = map[string]any

// failed is an API error as Slack answers it: status 200 and a word.
func failed(code string, more ...object) reply {
	body := object{"ok": false, "error": code}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return reply{status: http.StatusOK, code: code, body: body}
}

func fine(body object) reply {
	body["ok"] = true
	return reply{status: http.StatusOK, code: "ok", body: body}
}

func limited(wait time.Duration) reply {
	return reply{
		status: http.StatusTooManyRequests, code: "ratelimited", retryAfter: wait,
		body: object{"ok": false, "error": "ratelimited"},
	}
}

// api answers one Web API method. The caller holds mu.
func (s *Server) api(r *http.Request, method string, args url.Values) reply {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return reply{status: http.StatusMethodNotAllowed, code: "invalid_post_type"}
	}
	if code := s.authorised(args.Get("token")); code != "" {
		return failed(code)
	}
	var p reply
	switch method {
	case "auth.test":
		p = fine(object{
			"url": s.base() + "/", "team": "Sandbox", "team_id": "T0000000001",
			"user": "openclaw-litellm", "user_id": botUser, "bot_id": botID,
		})
	case "conversations.info":
		p = s.info(args)
	case "chat.postMessage":
		p = s.post(args)
	case "chat.update":
		p = s.update(args)
	default:
		p = failed("unknown_method")
	}
	p.scopes = strings.Join(s.opts.Scopes, ",")
	return p
}

func (s *Server) may(scope string) bool { return slices.Contains(s.opts.Scopes, scope) }

func missingScope(needed string, provided []string) reply {
	return failed("missing_scope", object{"needed": needed, "provided": strings.Join(provided, ",")})
}

func (s *Server) info(args url.Values) reply {
	if !s.may("channels:read") {
		return missingScope("channels:read", s.opts.Scopes)
	}
	c := s.channel(args.Get("channel"))
	if c == nil || c.ID != args.Get("channel") || c.Private && c.BotAbsent {
		return failed("channel_not_found")
	}
	return fine(object{"channel": object{
		"id": c.ID, "name": c.Name, "is_channel": true, "is_archived": c.Archived, "is_private": c.Private,
		"is_member": !c.BotAbsent,
	}})
}

// place returns the channel that the bot may write to, or why not.
func (s *Server) place(name string) (*Channel, *reply) {
	fail := func(p reply) (*Channel, *reply) { return nil, &p }
	if !s.may("chat:write") {
		return fail(missingScope("chat:write", s.opts.Scopes))
	}
	c := s.channel(name)
	switch {
	case c == nil || c.Private && c.BotAbsent:
		return fail(failed("channel_not_found"))
	case c.Archived:
		return fail(failed("is_archived"))
	case c.BotAbsent && !s.may("chat:write.public"):
		return fail(failed("not_in_channel"))
	}
	return c, nil
}

func (s *Server) post(args url.Values) reply {
	c, refused := s.place(args.Get("channel"))
	if refused != nil {
		return *refused
	}
	if code, why := checkContent(args.Get("text"), rawJSON(args.Get("blocks"))); code != "" {
		return refuse(code, why)
	}
	if wait := s.tooSoon(c.ID); wait > 0 {
		return limited(wait)
	}
	m := Message{Channel: c.ID}
	if thread := args.Get("thread_ts"); thread != "" && s.find(c.ID, thread) != nil {
		m.ThreadTS = thread // a reply to a message that is gone becomes an ordinary one
		m.Broadcast = args.Get("reply_broadcast") == "true"
	}
	return fine(shown(s.add(m, args.Get("text"), someBlocks(args.Get("blocks")))))
}

func (s *Server) update(args url.Values) reply {
	c, refused := s.place(args.Get("channel"))
	if refused != nil {
		return *refused
	}
	if c.ID != args.Get("channel") { // unlike chat.postMessage it takes no names
		return failed("channel_not_found")
	}
	m := s.find(c.ID, args.Get("ts"))
	switch {
	case m == nil:
		return failed("message_not_found")
	case m.Webhook:
		return failed("cant_update_message")
	}
	if code, why := checkContent(args.Get("text"), rawJSON(args.Get("blocks"))); code != "" {
		return refuse(code, why)
	}
	if wait := s.tooMany(); wait > 0 {
		return limited(wait)
	}
	// A text without blocks takes the old blocks away.
	m.Versions = append(m.Versions, Version{At: s.opts.Now(), Text: args.Get("text"), Blocks: someBlocks(args.Get("blocks"))})
	out := shown(m)
	out["text"] = args.Get("text")
	return fine(out)
}

// refuse answers a content error with the explanations that Slack gives for blocks.
func refuse(code, why string) reply {
	if why == "" {
		return failed(code)
	}
	line := "[ERROR] " + why
	return failed(code, object{"errors": []string{why}, "response_metadata": object{"messages": []string{line}}})
}

// shown is a message as the API answers it.
func shown(m *Message) object {
	last := m.Last()
	body := object{"type": "message", "user": botUser, "bot_id": botID, "ts": m.TS, "text": last.Text}
	if m.ThreadTS != "" {
		body["thread_ts"] = m.ThreadTS
	}
	if last.Blocks != nil {
		body["blocks"] = last.Blocks
	}
	return object{"channel": m.Channel, "ts": m.TS, "message": body}
}

func someBlocks(text string) json.RawMessage {
	if strings.TrimSpace(text) == "[]" {
		return nil
	}
	return rawJSON(text)
}

// tooSoon says how long the channel takes no further message, and counts this one if it does.
func (s *Server) tooSoon(channel string) time.Duration {
	now := s.opts.Now()
	if last, ok := s.posted[channel]; ok && now.Sub(last) < s.opts.PostGap {
		return s.opts.PostGap - now.Sub(last)
	}
	s.posted[channel] = now
	return 0
}

// tooMany says how long there may be no further update, and counts this one if there may.
func (s *Server) tooMany() time.Duration {
	if s.opts.Updates == 0 {
		return 0
	}
	now := s.opts.Now()
	s.updated = slices.DeleteFunc(s.updated, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	if len(s.updated) >= s.opts.Updates {
		return s.updated[0].Add(time.Minute).Sub(now)
	}
	s.updated = append(s.updated, now)
	return 0
}
