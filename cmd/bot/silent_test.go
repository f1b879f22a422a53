package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

// The hosts of a hush.
const (
	proxyHost  = "10.0.0.1"
	githubHost = "10.0.0.2"
	slackHost  = "10.0.0.3"
	beatHost   = "10.0.0.4"
)

// hush is a world without a network, in which every host can fall silent: in a synctest bubble, by virtual time. The
// program in it is whole, from its arguments to its connections.
type hush struct {
	*testing.T
	proxy  *litellmtest.Proxy
	github *githubtest.Server
	slack  *slacktest.Server
	hosts  map[string]http.Handler
	config string
	stop   chan struct{}

	mu     sync.Mutex
	silent map[string]silence // by host
	asked  []string           // "host METHOD path", in order
	onPut  func()             // called at the first write of a secret
	open   []net.Conn
}

// silence is a way of not answering: it holds a request until its context ends.
type silence func(out http.ResponseWriter, in *http.Request)

// noAnswer accepts the request and says nothing.
func noAnswer(_ http.ResponseWriter, in *http.Request) { <-in.Context().Done() }

// noBody begins an answer and never ends it.
func noBody(out http.ResponseWriter, in *http.Request) {
	out.Header().Set("Content-Length", "1000")
	io.WriteString(out, `{"data":`)
	http.NewResponseController(out).Flush()
	<-in.Context().Done()
}

// drip sends a byte a second.
func drip(out http.ResponseWriter, in *http.Request) {
	for in.Context().Err() == nil {
		io.WriteString(out, " ")
		http.NewResponseController(out).Flush()
		sleep(in.Context(), time.Second)
	}
}

// hushed does a test with so many keys by virtual time. Slack has a listener, and so is made outside.
func hushed(t *testing.T, keys int, test func(t *testing.T, q *hush)) {
	talk := slacktest.New(slacktest.Options{Now: time.Now})
	defer talk.Close()
	synctest.Test(t, func(t *testing.T) { test(t, newHush(t, keys, talk)) })
}

func newHush(t *testing.T, keys int, talk *slacktest.Server) *hush {
	q := &hush{
		T: t, silent: map[string]silence{}, stop: make(chan struct{}),
		proxy:  litellmtest.New(litellmtest.Options{Now: time.Now, NoServer: true}),
		github: githubtest.New(githubtest.Options{Now: time.Now}),
		slack:  talk,
	}
	good := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	q.hosts = map[string]http.Handler{proxyHost: q.proxy.Handler(), githubHost: q.github.Handler(), slackHost: q.slack, beatHost: good}
	q.github.AddRepository(githubtest.Repository{Name: "acme/agents"})
	q.github.AddToken(secret.New("issues-token"), githubtest.Token{App: true, Permissions: []string{"issues=write"}, Repositories: []string{"acme/agents"}})
	q.github.AddToken(secret.New("secrets-token"), githubtest.Token{Permissions: []string{"secrets=write"}})
	var config strings.Builder
	fmt.Fprintf(&config, "defaults: {max_budget: 5, budget_duration: monthly}\nreport: {issue: {repository: acme/agents}, heartbeat_url: http://%s/beat}\nkeys:\n", beatHost)
	for n := range keys {
		fmt.Fprintf(&config, "- {name: key-%02d, targets: [{repository: acme/agents, secret: KEY_%02d}]}\n", n, n)
	}
	q.config = config.String()
	return q
}

// fall makes hosts silent.
func (q *hush) fall(s silence, hosts ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range hosts {
		q.silent[h] = s
	}
}

// ServeHTTP answers for every host, or does not.
func (q *hush) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	q.mu.Lock()
	q.asked = append(q.asked, in.Host+" "+in.Method+" "+in.URL.Path)
	onPut := q.onPut
	if put := in.Method == http.MethodPut; !put {
		onPut = nil
	} else {
		q.onPut = nil
	}
	q.mu.Unlock()
	if onPut != nil {
		onPut()
	}
	q.mu.Lock()
	s := q.silent[in.Host]
	q.mu.Unlock()
	if s != nil {
		io.Copy(io.Discard, in.Body) // or the server does not see the connection end
		s(out, in)
		return
	}
	q.hosts[in.Host].ServeHTTP(out, in)
}

// dial connects to the one server there is, in memory.
func (q *hush) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	q.mu.Lock()
	q.open = append(q.open, client)
	q.mu.Unlock()
	go (&http.Server{Handler: q}).Serve(&once{conn: server, closed: make(chan struct{})})
	return client, nil
}

// once is a listener for one connection, which it serves until that is closed.
type once struct {
	conn   net.Conn
	given  bool
	closed chan struct{}
}

func (l *once) Accept() (net.Conn, error) {
	if l.given {
		return nil, net.ErrClosed // the connection given out is served on
	}
	l.given = true
	return l.conn, nil
}

func (l *once) Close() error   { return nil }
func (l *once) Addr() net.Addr { return l.conn.LocalAddr() }

// ended is how a run ended.
type ended struct {
	code        int
	took        time.Duration
	at          time.Time
	out, logged string
}

// run runs the program, and wants its goroutines to end.
func (q *hush) run(args ...string) ended {
	env := map[string]string{
		"LITELLM_BASE_URL": "http://" + proxyHost, "LITELLM_MASTER_KEY": q.proxy.MasterKey().Reveal(),
		"GITHUB_API_URL": "http://" + githubHost, "GITHUB_REPOSITORY": "acme/agents", "GITHUB_TOKEN": "issues-token", "SECRETS_TOKEN": "secrets-token",
		"SLACK_API_URL": "http://" + slackHost + "/api/", "SLACK_BOT_TOKEN": q.slack.Token().Reveal(), "SLACK_CHANNEL": slackChannel,
	}
	var out, log safeBuffer
	start := time.Now()
	code := run(process{
		args: args, getenv: func(name string) string { return env[name] }, dir: "/", now: time.Now, stop: q.stop, dial: q.dial,
		readFile: func(name string) ([]byte, error) {
			if name == "openclaw-litellm.yml" {
				return []byte(q.config), nil
			}
			return nil, fs.ErrNotExist
		},
		stdout: &out, stderr: &log,
	})
	e := ended{code, time.Since(start), time.Now(), out.String(), log.String()}
	for _, c := range q.open {
		c.Close()
	}
	time.Sleep(time.Minute) // until every handler has noticed
	return e
}

// count returns how many requests of those asked have the prefix.
func (q *hush) count(prefix string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(q.asked), func(a string) bool { return !strings.HasPrefix(a, prefix) }))
}

// complaints are the lines of standard error that say what failed.
func (e ended) complaints() []string {
	var lines []string
	for line := range strings.Lines(e.logged) {
		if strings.HasPrefix(line, "bot: ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestEverythingIsSilent: twelve keys, and nobody answers anything, in whatever way.
func TestEverythingIsSilent(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]silence{"no answer": noAnswer, "no body": noBody, "drip": drip} {
		t.Run(name, func(t *testing.T) {
			hushed(t, 12, func(t *testing.T, q *hush) {
				q.fall(s, proxyHost, githubHost, slackHost, beatHost)
				e := q.run("run")
				if e.code != exitFailed || e.took > 150*time.Second {
					t.Errorf("exit code %d after %s", e.code, e.took)
				}
				if n := q.count(proxyHost); n > 3 {
					t.Errorf("%d requests to the silent proxy", n)
				}
				proxy := slices.DeleteFunc(e.complaints(), func(l string) bool { return !strings.Contains(l, "the proxy does not answer") })
				if len(proxy) != 1 || !strings.Contains(proxy[0], "(GET /key/list timed out twice in 1m") || !strings.Contains(proxy[0], "12 keys: key-00, key-01, key-02 and 9 more") {
					t.Errorf("it is said %d times that the proxy does not answer:\n%s", len(proxy), e.logged)
				}
				if len(e.complaints()) > 4 { // the proxy, the issue, Slack, the heartbeat
					t.Errorf("%d complaints:\n%s", len(e.complaints()), e.logged)
				}
				if strings.Contains(e.out, "all is well") || !strings.Contains(e.out, "not asked") {
					t.Errorf("the report says:\n%s", e.out)
				}
			})
		})
	}
}

// TestSilentProxyIsTold: people hear of it, once, while the job still runs.
func TestSilentProxyIsTold(t *testing.T) {
	t.Parallel()
	hushed(t, 12, func(t *testing.T, q *hush) {
		q.fall(noAnswer, proxyHost)
		e := q.run("run")
		if e.code != exitFailed || e.took > 80*time.Second {
			t.Errorf("exit code %d after %s:\n%s", e.code, e.took, e.logged)
		}
		messages, issues := q.slack.Messages(), q.github.Issues("acme/agents")
		if len(messages) != 1 || !strings.Contains(fmt.Sprint(messages[0].Last()), "the LiteLLM proxy cannot be reached") {
			t.Errorf("Slack: %+v", messages)
		}
		if len(issues) != 1 || !strings.Contains(issues[0].Body, "the LiteLLM proxy cannot be reached") || strings.Count(issues[0].Body, "timed out") > 2 {
			t.Errorf("issues: %+v", issues)
		}
		if q.count(beatHost+" POST /beat/fail") != 1 {
			t.Error("the heartbeat was not pinged")
		}
	})
}

// TestSilentGitHub: the proxy is judged all the same, and Slack hears of it.
func TestSilentGitHub(t *testing.T) {
	t.Parallel()
	hushed(t, 12, func(t *testing.T, q *hush) {
		q.fall(noAnswer, githubHost)
		e := q.run("run")
		if e.code != exitFailed || e.took > 80*time.Second {
			t.Errorf("exit code %d after %s:\n%s", e.code, e.took, e.logged)
		}
		if n := q.count(githubHost); n > 3*atOnce {
			t.Errorf("%d requests to silent GitHub", n)
		}
		if !strings.Contains(e.out, "  ready\n") || !strings.Contains(e.logged, "GitHub does not answer") || len(e.complaints()) > 1 {
			t.Errorf("%s%s", e.out, e.logged)
		}
		if m := q.slack.Messages(); len(m) != 1 {
			t.Errorf("Slack: %+v", m)
		}
	})
}

// TestDoctorOnASilentGitHub: twelve targets are not asked, and why is said once.
func TestDoctorOnASilentGitHub(t *testing.T) {
	t.Parallel()
	hushed(t, 12, func(t *testing.T, q *hush) {
		q.fall(noAnswer, githubHost)
		e := q.run("doctor")
		if n := strings.Count(e.out, "timed out twice"); e.code != exitFailed || n != 1 || e.took > time.Minute {
			t.Errorf("exit code %d after %s, said %d times:\n%s", e.code, e.took, n, e.out)
		}
	})
}

// TestSlowProxy: answers that come just in time use up the time for reading, and then people are told.
func TestSlowProxy(t *testing.T) {
	t.Parallel()
	hushed(t, 9, func(t *testing.T, q *hush) {
		if e := q.run("rotate"); e.code != exitOK {
			t.Fatal(e.logged)
		}
		fast := q.hosts[proxyHost]
		q.hosts[proxyHost] = http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			sleep(in.Context(), 25*time.Second)
			fast.ServeHTTP(out, in)
		})
		e := q.run("run")
		if e.code != exitFailed || e.took > 4*time.Minute {
			t.Errorf("exit code %d after %s:\n%s", e.code, e.took, e.logged)
		}
		late := slices.DeleteFunc(e.complaints(), func(l string) bool { return !strings.Contains(l, "reading took longer than 2m0s") })
		if len(late) != 1 || len(q.slack.Messages()) != 1 {
			t.Errorf("said %d times:\n%s\n%d messages", len(late), e.logged, len(q.slack.Messages()))
		}
	})
}

// TestSilenceInTheWorstMoment: all fall silent while a key is being placed. What stop.go works out must hold.
func TestSilenceInTheWorstMoment(t *testing.T) {
	t.Parallel()
	hushed(t, 12, func(t *testing.T, q *hush) {
		q.onPut = func() { q.fall(noAnswer, proxyHost, githubHost, slackHost, beatHost) }
		e := q.run("run")
		t.Logf("it took %s", e.took)
		if e.code != exitFailed || e.took > 435*time.Second || e.took < time.Minute {
			t.Errorf("exit code %d after %s:\n%s", e.code, e.took, e.logged)
		}
		if n := len(q.proxy.Keys()); n > 2*atOnce {
			t.Errorf("%d rows: keys were begun that could not be placed", n)
		}
	})
}

// TestStopWhileAllIsSilent: after the signal the program ends within seven and a half seconds, whatever it waits for.
func TestStopWhileAllIsSilent(t *testing.T) {
	t.Parallel()
	all := []string{proxyHost, githubHost, slackHost, beatHost}
	for name, c := range map[string]struct {
		command []string
		silent  []string
		placing bool // fall silent while a key is being placed
		after   time.Duration
	}{
		"reading":         {command: []string{"run"}, silent: all, after: 20 * time.Second},
		"repeating":       {command: []string{"run"}, silent: all, after: 45 * time.Second},
		"telling":         {command: []string{"run"}, silent: all, after: 70 * time.Second},
		"placing":         {command: []string{"run"}, silent: all, after: 20 * time.Second, placing: true},
		"GitHub, placing": {command: []string{"run"}, silent: []string{githubHost}, after: 3 * time.Second, placing: true},
		"checking":        {command: []string{"check"}, silent: []string{proxyHost}, after: 20 * time.Second},
		"report":          {command: []string{"report", "--period", "week"}, silent: []string{proxyHost}, after: 20 * time.Second},
		"keys":            {command: []string{"keys"}, silent: []string{proxyHost}, after: 20 * time.Second},
		"doctor":          {command: []string{"doctor"}, silent: all, after: 20 * time.Second},
		"openclaw":        {command: []string{"openclaw", "config"}, silent: all, after: 20 * time.Second},
		"serve":           {command: []string{"serve"}, silent: all, after: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			hushed(t, 12, func(t *testing.T, q *hush) {
				var stopped time.Time
				fall := func() {
					q.fall(noAnswer, c.silent...)
					time.AfterFunc(c.after, func() {
						stopped = time.Now()
						close(q.stop)
					})
				}
				if q.onPut = fall; !c.placing {
					fall()
				}
				e := q.run(c.command...)
				took := e.at.Sub(stopped)
				if want := map[bool]int{true: exitOK, false: exitFailed}[name == "serve"]; e.code != want || stopped.IsZero() || took > 7500*time.Millisecond {
					t.Errorf("exit code %d, %s after the signal:\n%s", e.code, took, e.logged)
				}
				if strings.Contains(e.out, "all is well") {
					t.Errorf("the report says:\n%s", e.out)
				}
				if !slices.Contains(c.silent, slackHost) && c.command[0] == "run" && len(q.slack.Messages()) == 0 {
					t.Error("Slack heard nothing")
				}
			})
		})
	}
}

// TestStopTellsPeople: the signal ends the work, and not the telling, also where the silent proxy is what remembers.
func TestStopTellsPeople(t *testing.T) {
	t.Parallel()
	for name, issue := range map[string]string{"an issue": "issue: {repository: acme/agents}, ", "the proxy": ""} {
		t.Run(name+" remembers", func(t *testing.T) { stopTellsPeople(t, issue) })
	}
}

func stopTellsPeople(t *testing.T, issue string) {
	hushed(t, 12, func(t *testing.T, q *hush) {
		q.config = strings.Replace(q.config, "issue: {repository: acme/agents}, ", issue, 1)
		q.fall(noAnswer, proxyHost)
		time.AfterFunc(3*time.Second, func() { close(q.stop) })
		e := q.run("run")
		if e.code != exitFailed || e.took > 5*time.Second {
			t.Errorf("exit code %d after %s:\n%s", e.code, e.took, e.logged)
		}
		if m := q.slack.Messages(); len(m) != 1 || !strings.Contains(fmt.Sprint(m[0].Last()), "interrupted: 12 of 12 keys not looked after") {
			t.Errorf("Slack: %+v", m)
		}
		first, _, _ := strings.Cut(e.out, "\n")
		if !strings.HasSuffix(first, "12 keys not looked after") || !strings.Contains(e.logged, "12 of 12 keys were not looked after") {
			t.Errorf("%s%s", e.out, e.logged)
		}
	})
}
