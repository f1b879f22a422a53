package main

import (
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how many keys are done, how fast, and how long the rest takes. The zero progress shows nothing.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
}

// showProgress begins a bar on standard error for more than one key; no bar where that is no terminal, and log lines tell
// of each step instead.
func (b *bot) showProgress(keys int) progress {
	const refresh = 150 * time.Millisecond
	width := b.stderrTerminal.width
	if width == 0 || keys < 2 {
		return progress{}
	}
	bars := mpb.New(mpb.WithOutput(b.stderr), mpb.WithWidth(width), mpb.WithAutoRefresh(), mpb.WithRefreshRate(refresh))
	return progress{bars, bars.AddBar(int64(keys),
		mpb.PrependDecorators(decor.CountersNoUnit("%d of %d keys ")),
		mpb.AppendDecorators(decor.AverageSpeed(0, " %.1f a second"), decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8}), decor.Name(" left")),
	)}
}

// shown reports whether there is a bar.
func (p progress) shown() bool { return p.bar != nil }

// done counts one key.
func (p progress) done() {
	if p.bar != nil {
		p.bar.Increment()
	}
}

// end leaves the bar as it is now. Keys that were not begun are not waited for.
func (p progress) end() {
	if p.bar != nil {
		p.bar.Abort(false)
		p.bars.Wait()
	}
}
