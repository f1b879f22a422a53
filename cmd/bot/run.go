package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/internal/panics"
	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/store"
)

// bot is one run of the program: what it was told, and the clients made of it.
type bot struct {
	process
	set    *settings.Settings
	known  *secret.Set // every secret, taken out of all that is printed
	stdout stream      // the result, and nothing else; in place of the process's
	stderr stream      // the log, and what the runner is told; in place of the process's
	masks  *masker
	log    *slog.Logger

	systems   systems
	proxy     *litellm.Client
	secrets   secretsAPI
	issuesAPI *github.Client // writes the living issue
	pace      *paces
	http      *http.Client // for Slack and the heartbeat; follows no redirect
	state     *store.DB    // the state file; nil: none
	derived   *sync.Map    // what signer derived, by credential and purpose; nil: not kept
}

// run is the program without the operating system. It returns the exit code.
func run(p process) (code int) {
	set, err := loadSettings(p)
	b := newBot(p, set)
	defer func() {
		if err := b.flush(); err != nil && code == exitOK {
			code = exitFailed // what was asked for did not come out
		}
	}()
	caught := (*panics.Error)(nil)
	if errors.As(err, &caught) {
		b.logPanic(caught)
		return b.giveUp(caught)
	}
	if errors.As(b.catch("running the command", func() error {
		code = b.runCommand(err)
		return nil
	}), &caught) {
		return b.giveUp(caught)
	}
	return code
}

// runCommand runs what the settings ask for, if err says nothing against it.
func (b *bot) runCommand(err error) int {
	set := b.set
	if help := (*settings.Help)(nil); errors.As(err, &help) {
		fmt.Fprint(b.stdout, help.Text)
		return exitOK
	}
	if err != nil {
		return b.refuse(err)
	}
	if set.Command == settings.CommandVersion {
		fmt.Fprintln(b.stdout, version)
		return exitOK
	}
	if err := b.checkOutput(); err != nil {
		return b.refuse(err)
	}
	if set.InActions { // from here on others' words may be in it
		b.stderr.hide = b.publicView().Hide
	}
	if set.SpendLogs != "" {
		b.begin(false)
		return b.spendLogs()
	}
	ctx, cancel := context.WithCancel(b.begun(context.Background()))
	defer cancel()
	if set.Sandbox {
		close, err := b.enterSandbox(ctx)
		defer close()
		if err != nil {
			return b.refuse(err)
		}
	} else if err := b.connect(); err != nil {
		return b.refuse(err)
	}
	return b.execute(ctx)
}

// execute runs the command.
func (b *bot) execute(ctx context.Context) int {
	switch b.set.Command {
	case settings.CommandOpenClaw, settings.CommandDoctor:
		looking, end := netx.Grace(netx.Planning(ctx), 0) // they finish nothing
		defer end()
		if b.set.Command == settings.CommandDoctor {
			b.begin(true)
			return b.doctor(looking)
		}
		b.begin(b.asksProxy())
		return b.openclaw(looking)
	}
	closeState, err := b.openState(ctx)
	defer closeState()
	if err != nil {
		return b.refuse(err)
	}
	b.begin(true)
	if b.set.Does(settings.PartRotate) {
		b.warnOfKeyFiles()
	}
	if b.set.Command == settings.CommandServe {
		return b.serve(ctx)
	}
	return b.once(ctx)
}

// newBot knows every secret from the start: nothing that is printed holds one.
func newBot(p process, set *settings.Settings) *bot {
	known := &secret.Set{}
	b := &bot{process: p, set: set, known: known, derived: &sync.Map{}, stdout: newStream(p.stdout, known), stderr: newStream(p.stderr, known)}
	known.Now = func() time.Time { return b.now() } // the sandbox has a clock of its own
	if b.sleep == nil {
		b.sleep = sleep
	}
	b.masks = newMasker(b.stderr, set.GivenAsInput)
	if set.InActions {
		known.OnAdd = b.masks.add
	}
	for _, v := range append(set.Secrets(), proxySecrets(b.getenv)...) {
		known.Add(v)
	}
	b.log = b.newLog()
	return b
}

// begin comes before anything else is printed, once it is certain that the command goes on. In Actions it masks the
// secrets of a command that uses any; those of the sandbox are nobody's.
func (b *bot) begin(usesSecrets bool) {
	if usesSecrets && !b.set.Sandbox {
		b.masks.begin()
	}
	for _, w := range b.set.Warnings {
		b.log.Warn(w)
	}
	for _, name := range settings.UnknownVariables(b.environ) {
		b.log.Warn("environment " + name + ": there is no such setting; see bot --help")
	}
}

// flush prints what waits for the end of its line.
func (b *bot) flush() error { return errors.Join(b.stdout.flush(), b.stderr.flush()) }

// public reports whether everybody may be able to read what is logged and printed: in Actions, unless the event says
// that the repository is private.
func (b *bot) public() bool { return b.set.InActions && b.publicView().Public }

// say returns an error's text for standard error and the log: where everybody can read them, without people and without
// what outside systems said.
func (b *bot) say(err error) string {
	if b.public() {
		return finding.Public(err)
	}
	return err.Error()
}

// newLog makes the log that the settings describe. Where everybody can read it, an error is logged in its public words,
// and an attribute "who" not at all.
func (b *bot) newLog() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(b.set.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if b.public() {
		options.ReplaceAttr = hideNames
	}
	if b.set.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(b.stderr.in(workflow.JSON), options))
	}
	return slog.New(slog.NewTextHandler(b.stderr, options))
}

// hideNames leaves out of an attribute what only insiders may read.
func hideNames(_ []string, a slog.Attr) slog.Attr {
	if a.Key == "who" {
		return slog.Attr{}
	}
	if err, ok := a.Value.Any().(error); ok {
		return slog.String(a.Key, finding.Public(err))
	}
	return a
}
