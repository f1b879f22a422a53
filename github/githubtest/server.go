package githubtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options is what a Server is made with. The zero Options are usable.
type Options struct {
	Now    func() time.Time // the server's clock; nil: time.Now
	Limits Limits           // the zero Limits enforce nothing
}

// Server is the API. It is safe for concurrent use.
type Server struct {
	now    func() time.Time
	limits Limits
	routes []route

	listening sync.Once
	address   string
	listenErr error
	server    *http.Server

	mu            sync.Mutex
	nextID        int64
	repositories  []*repository
	organizations map[string]*organization // lower-case name → organization
	vaults        map[string]*vault        // scope's key → its secrets
	tokens        map[string]Token         // SHA-256 of the token → what it may do
	revoked       map[string]bool          // SHA-256 of tokens that are refused
	apps          []App
	installations []*installed
	people        map[string]bool // lower-case logins of owners that are no organizations
	faults        []*Fault
	log           []Request
	meters        map[string]*meter // SHA-256 of the token → what it has used
}

// New returns a server with nothing in it. It listens only once Start or URL is called; Handler works without.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		now: o.Now, limits: o.Limits, nextID: 1000,
		organizations: map[string]*organization{}, vaults: map[string]*vault{},
		tokens: map[string]Token{}, revoked: map[string]bool{}, meters: map[string]*meter{}, people: map[string]bool{},
	}
	s.routes = s.table()
	return s
}

// Start listens on a free loopback port and returns the API's URL. Later calls return the same.
func (s *Server) Start() (string, error) {
	s.listening.Do(func() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.listenErr = fmt.Errorf("listening for the GitHub sandbox: %w", err)
			return
		}
		s.address = "http://" + listener.Addr().String()
		s.server = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = s.server.Serve(listener) }()
	})
	return s.address, s.listenErr
}

// URL is Start for tests: it panics where no loopback port can be had.
func (s *Server) URL() string {
	address, err := s.Start()
	if err != nil {
		panic(err)
	}
	return address
}

// Close stops listening and cuts open connections. It may be called more than once, and before Start.
func (s *Server) Close() error {
	s.listening.Do(func() { s.listenErr = errors.New("the GitHub sandbox is closed") })
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}

// Handler returns the API as a handler, which also serves it below /api/v3 as GitHub Enterprise Server does.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// second is the server's time as GitHub keeps it.
func (s *Server) second() time.Time { return s.now().UTC().Truncate(time.Second) }

// id returns a number not used before. The lock is held.
func (s *Server) id() int64 {
	s.nextID++
	return s.nextID
}

// pause lets a fault delay an answer without holding the lock.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
