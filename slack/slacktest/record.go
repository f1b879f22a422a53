package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Message is one message with its history.
type Message struct {
	Channel  string // ID
	TS       string
	ThreadTS string // the thread it stands in, "" for none
	Webhook  bool   // it came through the incoming webhook
	Deleted  bool   // by a person

	Broadcast bool // a reply that shows in the channel as well
	Versions  []Version
}

// Version is what a message said at one time.
type Version struct {
	At     time.Time
	Text   string
	Blocks json.RawMessage // as sent; nil for none
}

// Last returns what the message says now.
func (m Message) Last() Version { return m.Versions[len(m.Versions)-1] }

// Request is one request and how it was answered. It holds no token.
type Request struct {
	At       time.Time
	Method   string // "chat.postMessage", … or "webhook"
	Channel  string // as the client named it
	TS       string
	ThreadTS string
	Text     string
	Blocks   json.RawMessage
	Status   int
	Answer   string // "ok", Slack's error word, or "" where a Fault answered
}

// Messages returns every message ever taken, oldest first, deleted ones included. The caller owns the result.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, len(s.messages))
	for i, m := range s.messages {
		out[i] = *m
		out[i].Versions = slices.Clone(m.Versions)
	}
	return out
}

// Requests returns every request so far, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// find returns the message that people can see there, or nil. The caller holds mu.
func (s *Server) find(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}

// channel returns the channel with that ID or name, or nil. The caller holds mu.
func (s *Server) channel(name string) *Channel {
	for i, c := range s.channels {
		if c.ID == name || "#"+c.Name == name || c.Name == name {
			return &s.channels[i]
		}
	}
	return nil
}

// add keeps a new message. The caller holds mu.
func (s *Server) add(m Message, text string, blocks json.RawMessage) *Message {
	s.lastTS = max(s.opts.Now().UnixMicro(), s.lastTS+1)
	m.TS = fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
	m.Versions = []Version{{At: s.opts.Now(), Text: text, Blocks: blocks}}
	s.messages = append(s.messages, &m)
	return &m
}
