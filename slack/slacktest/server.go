// Package slacktest is a small Slack in memory: the Web API methods that a reporting bot needs and one incoming
// webhook, over HTTP on the loopback interface. Tests use it, and so does the product's sandbox.
//
// It checks what Slack checks (token, scopes, channel, the documented limits of texts and blocks) and answers in
// Slack's words. It keeps every message with all its versions and every request, so that a test asserts what people
// would see and what was sent. Channels can be missing, archived or renamed, the token revoked, messages deleted;
// rates are limited on the caller's clock; and single requests can be made to fail (Fail).
package slacktest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// Options says what the workspace is like. The zero value has one public channel and the usual scopes.
type Options struct {
	Token    secret.Value  // the bot token that works; zero: one that is made up, see Server.Token
	Scopes   []string      // nil: chat:write and channels:read
	Channels []Channel     // nil: C0000000001 "litellm", with the bot in it
	Webhook  string        // the ID of the webhook's channel; "": the first one
	PostGap  time.Duration // the least time between two messages to one channel; 0: none
	Updates  int           // chat.update calls taken in any minute; 0: any number

	Now func() time.Time // nil: the real time. It dates messages and drives the rate limits.
}

// Channel is one conversation.
type Channel struct {
	ID        string
	Name      string // without "#"
	Archived  bool
	Private   bool
	BotAbsent bool // the bot is not a member
}

// Server is the workspace. Its methods are safe for concurrent use. It is an http.Handler, too.
type Server struct {
	opts     Options
	listener net.Listener
	server   *http.Server

	mu          sync.Mutex
	channels    []Channel
	messages    []*Message // oldest first
	requests    []Request
	faults      []Fault
	revoked     bool
	webhookGone bool
	lastTS      int64                // microseconds
	posted      map[string]time.Time // :: channel ID → when the last message was taken
	updated     []time.Time          // the chat.update calls taken in the last minute
}

const (
	botUser     = "U0000000BOT"
	botID       = "B0000000BOT"
	apiPath     = "/api/"
	webhookPath = "/services/T0000000001/B0000000001/"
)

// New returns a running server on a free port of the loopback interface; Close ends it. It panics if there is no port,
// like net/http/httptest.
func New(o Options) *Server {
	if o.Token.IsZero() {
		o.Token = secret.New("xoxb" + "-sandbox-bot")
	}
	if o.Scopes == nil {
		o.Scopes = []string{"chat:write", "channels:read"}
	}
	if o.Channels == nil {
		o.Channels = []Channel{{ID: "C0000000001", Name: "litellm"}}
	}
	if o.Webhook == "" && len(o.Channels) > 0 {
		o.Webhook = o.Channels[0].ID
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{opts: o, channels: slices.Clone(o.Channels), posted: map[string]time.Time{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("slacktest: listening on the loopback interface: %v", err))
	}
	s.listener = l
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go s.server.Serve(l) //nolint:errcheck // it ends with Close
	return s
}

// Close ends the server and every connection. What it recorded stays readable.
func (s *Server) Close() { _ = s.server.Close() }

// Shutdown ends the server after the requests under way.
func (s *Server) Shutdown(ctx context.Context) error { return s.server.Shutdown(ctx) }

// URL is the base of the Web API, as SLACK_API_URL wants it: "http://127.0.0.1:PORT/api/".
func (s *Server) URL() string { return s.base() + apiPath }

// WebhookURL is the incoming webhook's URL.
func (s *Server) WebhookURL() secret.Value {
	return secret.New(s.base() + webhookPath + "sandbox-hook-not-a-secret")
}

// Token is the bot token that works.
func (s *Server) Token() secret.Value { return s.opts.Token }

func (s *Server) base() string { return "http://" + s.listener.Addr().String() }

// Archive makes the channel refuse messages.
func (s *Server) Archive(id string) { s.change(id, func(c *Channel) { c.Archived = true }) }

// Rename gives the channel another name; its ID stays.
func (s *Server) Rename(id, name string) { s.change(id, func(c *Channel) { c.Name = name }) }

// Kick takes the bot out of the channel.
func (s *Server) Kick(id string) { s.change(id, func(c *Channel) { c.BotAbsent = true }) }

// Remove deletes the channel.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = slices.DeleteFunc(s.channels, func(c Channel) bool { return c.ID == id })
}

func (s *Server) change(id string, f func(*Channel)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.channels {
		if s.channels[i].ID == id {
			f(&s.channels[i])
		}
	}
}

// Revoke ends the token.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
}

// RemoveWebhook ends the incoming webhook.
func (s *Server) RemoveWebhook() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhookGone = true
}

// Delete removes a message as a person would. It reports whether there was one.
func (s *Server) Delete(channel, ts string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.find(channel, ts)
	if m == nil {
		return false
	}
	m.Deleted = true
	return true
}
