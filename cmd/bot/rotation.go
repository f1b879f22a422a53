package main

import (
	"context"
	"slices"
	"sync"

	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/settings"
)

// atOnce is how many keys are worked on side by side.
const atOnce = 4

// rotateKeys does, or with dry only plans, what is due for each selected key. One key's failure stops no other. The
// outcomes come in the order of the configuration; keys not begun when the program was told to stop have none.
func (b *bot) rotateKeys(ctx context.Context, holders *rotate.Holders, dry bool) []rotate.Outcome {
	keys := b.selected()
	fleet, err := rotate.ReadFleet(ctx, b.proxy, len(keys), b.now(), holders)
	if err != nil {
		b.log.Warn("reading the keys one by one, because reading them together failed", "error", err)
	}
	outcomes := make([]*rotate.Outcome, len(keys))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(atOnce, len(keys)) {
		wg.Go(func() {
			for i := range work {
				o := b.rotateKey(ctx, keys[i], fleet, dry)
				outcomes[i] = &o
			}
		})
	}
feeding:
	for i := range keys {
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

func (b *bot) rotateKey(ctx context.Context, k settings.Key, fleet *rotate.Fleet, dry bool) rotate.Outcome {
	r := &rotate.Runner{
		LiteLLM: b.proxy, Policy: b.policyOf(k), Fleet: fleet,
		Options: rotate.Options{Now: b.set.Now, Compromised: b.set.Compromised, Unblock: b.set.Unblock, CheckTargets: b.set.Command != settings.CommandKeys},
		Mask:    b.known.Add, Now: b.now, Sleep: b.sleep, Stopping: b.stop, Notify: b.notify(k),
		Progress: func(name string, s rotate.Step) {
			b.log.Info(rotate.Describe(s), "key", name, "reason", s.Reason)
		},
	}
	if dry {
		return r.Plan(ctx)
	}
	return r.Rotate(ctx)
}

// selected returns the keys that the command is for.
func (b *bot) selected() []settings.Key {
	if b.set.Names == nil {
		return b.set.Keys
	}
	return slices.DeleteFunc(slices.Clone(b.set.Keys), func(k settings.Key) bool { return !slices.Contains(b.set.Names, k.Name) })
}
