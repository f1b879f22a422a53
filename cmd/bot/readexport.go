package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/org/openclaw-litellm-action/internal/files"
	"github.com/org/openclaw-litellm-action/spendlog"
)

// openStream opens an export, which may be a pipe: it is read from one end to the other in bounded memory. Nobody may ever
// write to a pipe, so that opening it ends when the program is told to stop.
func (b *bot) openStream(name string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := files.OpenStream(name)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-b.stop:
		return nil, errStopped
	}
}

// readExport sums up an export, or gives up shortly after the program was told to stop: what it reads from may be a pipe that
// nobody writes to.
func (p *pass) readExport(progress *readProgress, o spendlog.Options) (*spendlog.Summary, error) {
	type result struct {
		summary *spendlog.Summary
		err     error
	}
	done := make(chan result, 1)
	go func() {
		var s *spendlog.Summary
		err := p.catch("reading the export", func() (err error) { // in a goroutine a panic would end the program
			s, err = spendlog.Read(progress, o)
			return err
		})
		progress.end()
		done <- result{s, err}
	}()
	select {
	case r := <-done:
		return r.summary, r.err
	case <-p.stop:
	}
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.summary, r.err
	case <-timer.C:
		return &spendlog.Summary{}, errStopped
	}
}

// readProgress counts what is read, shows it on a terminal, and ends when the program is told to stop.
type readProgress struct {
	io.Reader
	*bot
	size, read int64
	shown      time.Time
}

var errStopped = errors.New("the program was told to stop before the end; the figures are those of the beginning")

func (r *readProgress) Read(buf []byte) (int, error) {
	select {
	case <-r.stop:
		return 0, errStopped
	default:
	}
	n, err := r.Reader.Read(buf)
	r.read += int64(n)
	if now := r.now(); r.stderrTerminal.width > 0 && now.Sub(r.shown) > 100*time.Millisecond {
		r.shown = now
		of := ""
		if r.size > 0 {
			of = fmt.Sprintf(" of %.1f MB, %d%%", float64(r.size)/1e6, 100*r.read/r.size)
		}
		fmt.Fprintf(r.stderr, "\r\x1b[Kreading spend logs: %.1f MB%s", float64(r.read)/1e6, of)
	}
	return n, err
}

// end takes the progress off the terminal.
func (r *readProgress) end() {
	if !r.shown.IsZero() {
		fmt.Fprint(r.stderr, "\r\x1b[K")
	}
}
