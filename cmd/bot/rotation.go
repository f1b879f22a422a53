package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/settings"
)

// atOnce is how many keys are worked on side by side.
const atOnce = 4

// rotateKeys does, or with dry only plans, what is due for each selected key. One key's failure stops no other. The
// outcomes come in the order of the configuration; keys not begun when the program was told to stop have none. fleet may be
// nil: each key is then read by itself.
func (b *bot) rotateKeys(ctx context.Context, fleet *rotate.Fleet, dry bool) []rotate.Outcome {
	keys := b.selected()
	shift := &shift{bot: b, fleet: fleet, dry: dry, targets: countTargets(keys), progress: b.showProgress(len(keys))}
	defer shift.progress.end()
	outcomes := make([]*rotate.Outcome, len(keys))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(atOnce, len(keys)) {
		wg.Go(func() {
			for i := range work {
				o := untouched(shift.outcome(ctx, keys[i]))
				outcomes[i] = &o
				shift.progress.done()
			}
		})
	}
feeding:
	for i := range keys {
		if b.stopping() {
			break
		}
		select {
		case <-b.stop:
		case work <- i:
			continue
		}
		break feeding
	}
	close(work)
	wg.Wait()
	var done []rotate.Outcome
	for _, o := range outcomes {
		if o != nil {
			done = append(done, *o)
		}
	}
	return done
}

// untouched turns the outcome of a key whose reading the signal to stop has ended into one that waits for the next run.
func untouched(o rotate.Outcome) rotate.Outcome {
	if o.Err == nil || len(o.Steps) > 0 {
		return o
	}
	for _, e := range report.Leaves(o.Err) {
		if why := refusalOf(e); why == nil || why.Reason != netx.Stopped {
			return o
		}
	}
	o.Err, o.Waiting = nil, rotate.ToldToStop
	return o
}

// readFleet reads the selected keys together, if that takes fewer requests; nil: it does not.
func (b *bot) readFleet(ctx context.Context, holders *rotate.Holders) *rotate.Fleet {
	fleet, err := rotate.ReadFleet(ctx, b.proxy, len(b.selected()), holders)
	if err != nil && netx.RefusalOf(err) == nil {
		b.log.Warn("reading the keys one by one, because reading them together failed", "error", err)
	}
	return fleet
}

func (b *bot) stopping() bool {
	select {
	case <-b.stop:
		return true
	default:
		return false
	}
}

func countTargets(keys []settings.Key) int {
	n := 0
	for _, k := range keys {
		n += len(k.Targets)
	}
	return n
}

// shift is the work on several keys, side by side.
type shift struct {
	*bot
	fleet    *rotate.Fleet
	dry      bool
	targets  int // of all keys
	progress progress
}

// outcome is what came of one key, whatever happened to it.
func (b *shift) outcome(ctx context.Context, k settings.Key) rotate.Outcome {
	o := rotate.Outcome{Name: k.Name, Owner: b.set.Owner, CurrentNumber: -1}
	err := b.catch("working on key "+k.Name, func() error {
		o = b.rotate(ctx, k)
		return nil
	})
	if err != nil {
		o.Err = errors.Join(o.Err, fmt.Errorf("key %q: %w", k.Name, err))
	}
	return o
}

func (b *shift) rotate(ctx context.Context, k settings.Key) rotate.Outcome {
	p := b.policyOf(k)
	r := &rotate.Runner{
		LiteLLM: b.proxy, Policy: p, Fleet: b.fleet, Ready: b.ready(k),
		Options: rotate.Options{Now: b.set.Now, Compromised: b.set.Compromised, Unblock: b.set.Unblock, CheckTargets: b.readsTargets(p)},
		Mask:    b.known.Add, Catch: b.catch, Now: b.now, Sleep: b.sleep, Stopping: b.stop, Notify: b.notify(k),
		Progress: func(name string, s rotate.Step) {
			if !b.progress.shown() {
				b.log.Info(rotate.Describe(s), "key", name, "reason", s.Reason)
			}
		},
	}
	switch {
	case b.set.Command == settings.CommandKeys && !b.set.Unblock:
		return r.Show(ctx)
	case b.dry:
		return r.Plan(ctx)
	}
	return r.Rotate(ctx)
}

// readsTargets reports whether the key's targets are read although nothing else is due. Of a large fleet, some are.
func (b *shift) readsTargets(p rotate.Policy) bool {
	return b.set.Command != settings.CommandKeys && slices.ContainsFunc(p.Targets, func(t rotate.Target) bool {
		return rotate.ReadsTarget(t.Fingerprint(), b.targets, b.now())
	})
}

// ready waits until GitHub takes all writes of one rotation of the key, and keeps their places.
func (b *bot) ready(k settings.Key) func(context.Context) (context.Context, func(), error) {
	writes := map[*github.Pacer]int{}
	for _, t := range k.Targets {
		if t.File == "" {
			writes[b.secrets.pacer(ownerOf(t))]++
		}
	}
	if owner, _, ok := strings.Cut(k.Dispatch, "/"); ok {
		writes[b.secrets.pacer(owner)]++
	}
	return func(ctx context.Context) (context.Context, func(), error) {
		var releases []func()
		done := func() {
			for _, release := range releases {
				release()
			}
		}
		for pacer, n := range writes {
			reserved, release, err := pacer.Reserve(ctx, n, b.stop)
			releases = append(releases, release)
			if err != nil {
				return ctx, done, fmt.Errorf("waiting until GitHub takes more writes: %w", err)
			}
			ctx = reserved
		}
		return netx.Acting(ctx), done, nil // what is begun is finished
	}
}

// selected returns the keys that the command is for.
func (b *bot) selected() []settings.Key {
	if b.set.Names == nil {
		return b.set.Keys
	}
	return slices.DeleteFunc(slices.Clone(b.set.Keys), func(k settings.Key) bool { return !slices.Contains(b.set.Names, k.Name) })
}
