package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
)

// silentProxy returns the errors of two operations at a proxy that does not answer: of the one that showed it, and of one that
// was not begun.
func silentProxy(t *testing.T) (first, next error) {
	synctest.Test(t, func(t *testing.T) {
		system := &netx.System{Name: "the proxy"}
		for _, route := range []string{"GET /a", "GET /b"} {
			turn, err := system.Begin(t.Context(), netx.Operation{Route: route})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := turn.Attempt(time.Second)
			<-ctx.Done()
			cancel()
			first = turn.GiveUp(netx.Silent, "no answer in time", ctx.Err())
			turn.Close()
		}
		_, next = system.Begin(t.Context(), netx.Operation{Route: "GET /c"})
	})
	return first, next
}

// TestRefusedOutcomes: what one event stopped is told once for all keys, and hides nothing that failed for its own sake.
func TestRefusedOutcomes(t *testing.T) {
	first, next := silentProxy(t)
	own := errors.New("the gateway was not reloaded")
	p := &pass{bot: &bot{known: &secret.Set{}, systems: newSystems()}}
	outcomes := []rotate.Outcome{
		{Name: "a", Err: errors.Join(fmt.Errorf("key a: %w", first))},
		{Name: "b", Err: errors.Join(fmt.Errorf("key b: %w", next))},
		{Name: "c", Err: errors.Join(fmt.Errorf("key c: %w", errors.Join(next, next)))},
		{Name: "d", Err: errors.Join(fmt.Errorf("key d: %w", errors.Join(own, next)))},
	}
	for i := range outcomes {
		p.takeRefused(&outcomes[i])
		if kept := outcomes[i].Err != nil; kept != (outcomes[i].Name == "d") {
			t.Errorf("of %s there is left %v", outcomes[i].Name, outcomes[i].Err)
		}
	}
	p.tellRefused(nil)
	if len(p.errs) != 1 || len(p.in.Failures) != 1 || !slices.Equal(p.in.Failures[0].Keys, []string{"a", "b", "c"}) {
		t.Fatalf("%v, %+v", p.errs, p.in.Failures)
	}
	want := "the proxy does not answer (GET /a timed out once in 1s); it stopped work on 3 keys: a, b, c"
	if got := p.in.Failures[0].Message; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if !errors.Is(outcomes[3].Err, own) || !strings.Contains(outcomes[3].Err.Error(), own.Error()) {
		t.Errorf("%v", outcomes[3].Err)
	}
}

func TestReadingTime(t *testing.T) {
	keys := func(n int, forEach *settings.ForEach) []settings.Key {
		list := make([]settings.Key, n)
		if n > 0 {
			list[0].ForEach = forEach
		}
		return list
	}
	for _, c := range []struct {
		command string
		keys    []settings.Key
		want    time.Duration
	}{
		{settings.CommandRun, keys(1, nil), 2 * time.Minute}, {settings.CommandCheck, keys(400, nil), 2 * time.Minute},
		{settings.CommandRun, keys(1000, nil), 250 * time.Second}, {settings.CommandRun, keys(1, &settings.ForEach{Max: 999}), 250 * time.Second},
		{settings.CommandRun, keys(100_000, nil), 8 * time.Minute}, {settings.CommandReport, keys(12, nil), 5 * time.Minute},
		{settings.CommandReport, keys(400, nil), 400 * time.Second},
	} {
		if got := readingTime(&settings.Settings{Command: c.command, Keys: c.keys}); got != c.want {
			t.Errorf("%s of %d keys: %s, want %s", c.command, len(c.keys), got, c.want)
		}
	}
}
