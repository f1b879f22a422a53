package litellmtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// DefaultMasterKey is the master key of a proxy whose Options name none. It opens nothing but such proxies.
const DefaultMasterKey = "sk-sandbox-master-0000"

// urlWithoutServer is what URL says where nothing listens; Client serves it in memory.
const urlWithoutServer = "http://127.0.0.1:4000"

// Options says which proxy to imitate. The zero value is a proxy of DefaultRelease with the models primary and backup.
type Options struct {
	Release   string           // "1.81.13", "1.93.2", "1.106.10"; others count to the family they fall into
	MasterKey secret.Value     // zero: DefaultMasterKey
	Now       func() time.Time // nil: time.Now
	Models    []ModelSpec      // nil: DefaultModels

	// FlushEvery is how long a call's cost stays out of the rows: it is written at the first multiple of FlushEvery
	// after the call. Zero: at once.
	FlushEvery time.Duration
	// KeyCacheLag is how long this worker goes on using a key row it has read, changes made by other workers unseen.
	// Its own changes it sees at once.
	KeyCacheLag time.Duration
	// NoServer opens no port. Handler and Client still work.
	NoServer bool
}

// Proxy is one worker of an imitated LiteLLM. It is safe for concurrent use.
type Proxy struct {
	store   *store
	models  *models
	release string
	fam     family
	master  secret.Value
	now     func() time.Time
	flush   time.Duration
	lag     time.Duration

	server *http.Server
	url    string

	live        map[string]live       // :: budget subject → spend not in the rows yet; guarded by store.mu
	memberships map[string]membership // :: budget subject → a member's limit as read; guarded by store.mu
	cached      map[string]snapshot   // :: token → key row as read; guarded by store.mu
	answers     map[string]answered   // :: question → what the cache of answers has; guarded by store.mu
	log         requestLog
	faults      faultList
	dbDown      atomic.Bool
	race        atomic.Pointer[func(route string)]
	onServe     atomic.Pointer[func(*http.Request)]
	onModel     atomic.Pointer[func(model string)]
	table       map[string]map[string]route // :: path → method → route
}

// New starts a proxy. It panics if no loopback port can be had, as net/http/httptest does.
func New(o Options) *Proxy {
	if o.Release == "" {
		o.Release = DefaultRelease
	}
	if o.MasterKey.IsZero() {
		o.MasterKey = secret.New(DefaultMasterKey)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Models == nil {
		o.Models = DefaultModels()
	}
	return start(o, newStore(), newModels(o.Models))
}

// start makes a worker on a store.
func start(o Options, s *store, m *models) *Proxy {
	p := &Proxy{
		store: s, models: m,
		release: o.Release, fam: familyOf(o.Release), master: o.MasterKey, now: o.Now,
		flush: o.FlushEvery, lag: o.KeyCacheLag,
		live: map[string]live{}, memberships: map[string]membership{}, cached: map[string]snapshot{}, answers: map[string]answered{},
		url: urlWithoutServer, table: routes(),
	}
	s.join(p)
	if !o.NoServer {
		p.listen()
	}
	return p
}

// listen serves on a free loopback port until Close.
func (p *Proxy) listen() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("litellmtest: listening on loopback: " + err.Error())
	}
	p.url = "http://" + l.Addr().String()
	p.server = &http.Server{Handler: p.Handler(), ReadHeaderTimeout: time.Minute}
	go func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic("litellmtest: serving: " + err.Error())
		}
	}()
}

// Second returns another worker on the same database, with models and clock shared, its own port, and a key cache that
// sees changes made by other workers only lag later. Close closes it; the first worker is not closed with it.
func (p *Proxy) Second(lag time.Duration) *Proxy {
	return start(Options{
		Release: p.release, MasterKey: p.master, Now: p.now,
		FlushEvery: p.flush, KeyCacheLag: lag, NoServer: p.server == nil,
	}, p.store, p.models)
}

// Close stops serving and cuts open connections. It may be called more than once.
func (p *Proxy) Close() {
	if p.server != nil {
		_ = p.server.Close()
	}
}

// URL is where the proxy listens, without a trailing slash.
func (p *Proxy) URL() string { return p.url }

// MasterKey is the key that may do everything.
func (p *Proxy) MasterKey() secret.Value { return p.master }

// Release is the version the proxy says it is.
func (p *Proxy) Release() string { return p.release }

// Handler serves the proxy's routes. It panics with http.ErrAbortHandler where a fault drops the connection.
func (p *Proxy) Handler() http.Handler { return http.HandlerFunc(p.serve) }

// OnRequest calls hook with every request before anything is done with it, on the request's goroutine; a hook may block.
// nil takes the hook away.
func (p *Proxy) OnRequest(hook func(*http.Request)) { setHook(&p.onServe, hook) }

// OnRace calls hook with the route between a look-up and the write that rests on it, where the real proxy leaves a
// window: /key/generate looks for the alias, /user/new for the user. The store is not locked meanwhile.
func (p *Proxy) OnRace(hook func(route string)) { setHook(&p.race, hook) }

// OnModelCall calls hook with the model group while a model is at work on a call that passed every check. The store is not
// locked meanwhile, so that other calls can be made while this one is in flight.
func (p *Proxy) OnModelCall(hook func(model string)) { setHook(&p.onModel, hook) }

// SetDatabaseDown makes the database unreachable, or reachable again, for this worker.
func (p *Proxy) SetDatabaseDown(down bool) { p.dbDown.Store(down) }

// setHook stores a hook, nil for none.
func setHook[F any](at *atomic.Pointer[func(F)], hook func(F)) {
	if hook == nil {
		at.Store(nil)
		return
	}
	at.Store(&hook)
}

// Client returns an HTTP client whose requests reach the proxy in memory, whatever their host; no port is needed.
func (p *Proxy) Client() *http.Client {
	return &http.Client{
		Transport:     transport{p},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// clock is the present, in UTC.
func (p *Proxy) clock() time.Time { return p.now().UTC() }

// locked runs f with the store locked and everything that is due done.
func (p *Proxy) locked(f func(now time.Time)) {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	now := p.clock()
	p.store.settle(now)
	f(now)
}

// transport answers requests from the proxy's handler.
type transport struct{ proxy *Proxy }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	w := newRecorder(r)
	go w.serve(t.proxy.Handler(), in, cancel)
	select {
	case <-w.done:
		return w.response()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

var _ http.RoundTripper = transport{}
