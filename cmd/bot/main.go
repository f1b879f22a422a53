// Command bot rotates budgeted LiteLLM keys, checks their spend, and tells people: as a GitHub Action, as a service and
// by hand.
//
// This package is the only place that knows the process: clock, environment, standard streams, signals, exit codes. It
// turns settings into clients, lets the packages do their work, and hands one report to every surface.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	keepPrivate()
	stop, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(stop, func() {
		restore() // a second signal ends the program at once
		time.AfterFunc(stopWithin, func() { os.Exit(exitFailed) })
	})
	dir, _ := os.Getwd() // without one, relative paths are refused where they are used
	os.Exit(run(process{
		args: os.Args[1:], getenv: os.Getenv, environ: os.Environ(), dir: dir, now: time.Now, stop: stop.Done(),
		stdout: os.Stdout, stderr: os.Stderr, stdoutTerminal: isTerminal(os.Stdout), stderrTerminal: isTerminal(os.Stderr),
	}))
}
