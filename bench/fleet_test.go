package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// What a pass over so many keys with nothing due may ask of the proxy (the pages of its keys and of its users, and a few
// more), and how much memory it may take.
const (
	fleetKeys     = 1000
	mostOfFleet   = 2*((fleetKeys+99)/100) + 6
	mostOfMemory  = 64 << 20
	fleetInterval = 30 * 24 * time.Hour

	realPage = 40 * time.Millisecond // what LiteLLM 1.81.13 took for a page of 100 keys, on the same machine
)

// fleet is many keys that are done, each in a secret of its own.
type fleet struct {
	*testing.B
	proxy         *litellmtest.Proxy
	github        *githubtest.Server
	asked, writes atomic.Int64 // of the proxy; at either
	delay         atomic.Int64 // of each of the proxy's answers
	env           []string
	dir, url      string
	master        string
}

// BenchmarkFleet measures rotate over 1,000 keys with nothing due, against curl fetching the same pages one after another.
// A real proxy should hold no keys of others: each hundred of them is a page more.
func BenchmarkFleet(b *testing.B) {
	f, bin := newFleet(b), buildBot(b)
	b.Run("memory", func(b *testing.B) { f.measure(b, bin) })
	f.delay.Store(int64(realPage))
	b.Run("as-slow-as-real", func(b *testing.B) { f.measure(b, bin) })
	f.delay.Store(0)
	for _, p := range liveProxies() {
		b.Run(p.version, func(b *testing.B) { f.on(b, p).measure(b, bin) })
	}
}

// on is the same fleet on a real proxy: the rows are copied with their journals.
func (f *fleet) on(b *testing.B, p liveProxy) *fleet {
	b.Helper()
	from := &litellm.Client{BaseURL: f.url, Key: f.proxy.MasterKey()}
	to := &litellm.Client{BaseURL: p.url, Key: secret.New(p.master)}
	b.Cleanup(func() {
		f.each(func(name string) error { return to.DeleteUser(context.Background(), rotate.HolderID(name)) })
	})
	f.each(func(name string) error { return copied(b.Context(), from, to, name) })
	upstream, err := url.Parse(p.url)
	if err != nil {
		b.Fatal(err)
	}
	real := &fleet{B: b, github: f.github, dir: f.dir, master: p.master}
	real.url = real.serve(httputil.NewSingleHostReverseProxy(upstream), &real.asked)
	for _, v := range f.env {
		switch {
		case strings.HasPrefix(v, "LITELLM_BASE_URL="):
			v = "LITELLM_BASE_URL=" + real.url
		case strings.HasPrefix(v, "LITELLM_MASTER_KEY="):
			v = "LITELLM_MASTER_KEY=" + p.master
		}
		real.env = append(real.env, v)
	}
	return real
}

// copied makes the rows of one key on another proxy.
func copied(ctx context.Context, from, to *litellm.Client, name string) error {
	holder, err := from.User(ctx, rotate.HolderID(name))
	if err != nil {
		return err
	}
	budget := litellm.Fields{"max_budget": holder.MaxBudget.Decimal, "budget_duration": holder.BudgetDuration}
	user := maps.Clone(budget)
	user["user_role"], user["metadata"] = "internal_user_viewer", holder.Metadata
	if err := to.CreateUser(ctx, holder.ID, user); err != nil {
		return err
	}
	for _, k := range holder.Keys {
		key := maps.Clone(budget)
		key["user_id"], key["key_alias"], key["metadata"] = holder.ID, k.Alias, k.Metadata
		if err := to.GenerateKey(ctx, litellm.NewKey{Value: secret.New("sk-bench-" + k.Token[:24]), Fields: key}); err != nil {
			return err
		}
	}
	return nil
}

// measure runs rotate again and again, and curl in turns with it.
func (f *fleet) measure(b *testing.B, bin string) {
	f.asked.Store(0)
	f.writes.Store(0)
	var ours, curl []time.Duration
	var memory int64
	for b.Loop() {
		cmd := exec.Command(bin, "rotate", "--output", os.DevNull)
		cmd.Env, cmd.Dir = f.env, f.dir
		ours = append(ours, timed(b, cmd))
		memory = max(memory, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss<<10)
		asked := f.asked.Swap(0)
		b.ReportMetric(float64(asked), "requests")
		if asked > mostOfFleet {
			b.Errorf("%d requests to the proxy, %d are the most", asked, mostOfFleet)
		}
		curl = append(curl, f.curl())
		f.asked.Store(0)
	}
	report(b, ours, curl, "curl")
	b.ReportMetric(float64(memory)/(1<<20), "MiB")
	if f.writes.Load() != 0 || memory > mostOfMemory {
		b.Errorf("%d writes, %d MiB of memory", f.writes.Load(), memory>>20)
	}
}

// newFleet lays out the fleet without the program, which GitHub's limits would hold up for hours.
func newFleet(b *testing.B) *fleet {
	f := &fleet{B: b, dir: b.TempDir(), github: githubtest.New(githubtest.Options{}), proxy: litellmtest.New(litellmtest.Options{NoServer: true})}
	f.master = f.proxy.MasterKey().Reveal()
	f.url = f.serve(f.proxy.Handler(), &f.asked)
	api := f.serve(f.github.Handler(), nil)
	f.env = []string{
		"HOME=" + f.dir, "LITELLM_BASE_URL=" + f.url, "LITELLM_MASTER_KEY=" + f.master,
		"GITHUB_API_URL=" + api, "GITHUB_REPOSITORY=acme/agents", "SECRETS_TOKEN=any",
	}
	var config strings.Builder
	config.WriteString("defaults: {max_budget: 5, budget_duration: monthly}\nkeys:\n")
	client := &litellm.Client{BaseURL: f.url, Key: f.proxy.MasterKey()}
	hub := &github.Client{Token: secret.New("any"), APIURL: api}
	for n := range fleetKeys {
		name := agent(n)
		fmt.Fprintf(&config, "- {name: %s, targets: [{repository: acme/%s, secret: LITELLM_API_KEY}]}\n", name, name)
		f.github.AddRepository(githubtest.Repository{Name: "acme/" + name})
	}
	f.each(func(name string) error { return mint(client, hub, name) })
	if err := os.WriteFile(filepath.Join(f.dir, "openclaw-litellm.yml"), []byte(config.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return f
}

func agent(n int) string { return fmt.Sprintf("agent-%04d", n) }

// each does something for every key, four at a time.
func (f *fleet) each(do func(name string) error) {
	var wg sync.WaitGroup
	turns := make(chan bool, 4)
	for n := range fleetKeys {
		turns <- true
		wg.Go(func() {
			defer func() { <-turns }()
			if err := do(agent(n)); err != nil {
				f.Error(err)
			}
		})
	}
	wg.Wait()
}

// mint rotates one key for the first time.
func mint(client *litellm.Client, hub *github.Client, name string) error {
	r := &rotate.Runner{
		LiteLLM: client, Now: time.Now, Sleep: func(context.Context, time.Duration) error { return errors.New("nobody waits here") },
		Policy: rotate.Policy{
			Name: name, Owner: "acme/agents", MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(5)), BudgetDuration: "1mo",
			Interval: fleetInterval, Grace: 7 * 24 * time.Hour, MaxGrace: 35 * 24 * time.Hour,
			Targets: []rotate.Target{&github.SecretTarget{Client: hub, Scope: github.Scope{Repository: "acme/" + name}, Name: "LITELLM_API_KEY"}},
		},
	}
	out := r.Rotate(context.Background())
	if out.Err == nil && !out.Rotated {
		return fmt.Errorf("%s was not minted: %s", name, out.Waiting)
	}
	return out.Err
}

// serve counts requests, and those that write.
func (f *fleet) serve(next http.Handler, asked *atomic.Int64) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked != nil {
			asked.Add(1)
			time.Sleep(time.Duration(f.delay.Load()))
		}
		if r.Method != http.MethodGet {
			f.writes.Add(1)
		}
		next.ServeHTTP(w, r)
	}))
	f.Cleanup(s.Close)
	return s.URL
}

// curl fetches the pages of keys and of users, in one process and over one connection.
func (f *fleet) curl() time.Duration {
	args := []string{"-fsS", "-H", "Authorization: Bearer " + f.master}
	for page := 1; page <= (fleetKeys+99)/100; page++ {
		for _, address := range []string{
			fmt.Sprintf("%s/key/list?return_full_object=true&size=100&page=%d", f.url, page),
			fmt.Sprintf("%s/user/list?user_ids=openclaw-litellm/&page_size=100&page=%d", f.url, page),
		} {
			args = append(args, "-o", filepath.Join(f.dir, "page.json"), address)
		}
	}
	return timed(f.B, exec.Command("curl", args...))
}
