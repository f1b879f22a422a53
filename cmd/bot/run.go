package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/sethvargo/go-githubactions"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/store"
)

// bot is one run of the program: what it was told, and the clients made of it.
type bot struct {
	process
	set    *settings.Settings
	known  *secret.Set           // every secret, taken out of all that is printed
	action *githubactions.Action // nil outside Actions
	log    *slog.Logger

	proxy     *litellm.Client
	secrets   secretsAPI
	issuesAPI *github.Client // writes the living issue
	pace      *paces
	http      *http.Client // for Slack and the heartbeat; follows no redirect
	state     *store.DB    // the state file; nil: none
}

// run is the program without the operating system. It returns the exit code.
func run(p process) (code int) {
	set, err := settings.Load(p.args, p.getenv, p.reader(settings.MaxFile), sandboxConfig)
	b := &bot{process: p, set: set, known: &secret.Set{}}
	if b.sleep == nil {
		b.sleep = sleep
	}
	flush := b.hideSecrets()
	defer func() {
		if err := flush(); err != nil && code == exitOK {
			code = exitFailed // what was asked for did not come out
		}
	}()
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
	if set.InActions { // from here on others' words may be in it
		b.stderr = publicLog{b.stderr, b.publicView()}
	}
	b.log = b.newLog()
	for _, w := range set.Warnings {
		b.log.Warn(w)
	}
	for _, name := range settings.UnknownVariables(p.environ) {
		b.log.Warn("environment " + name + ": there is no such setting; see bot --help")
	}
	if err := b.checkOutput(); err != nil {
		return b.refuse(err)
	}
	if set.SpendLogs != "" {
		return b.spendLogs()
	}
	ctx, cancel := context.WithCancel(context.Background())
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
	if set.Command == settings.CommandOpenClaw {
		return b.openclaw(ctx)
	}
	if set.Command == settings.CommandDoctor {
		return b.doctor(ctx)
	}
	if set.Does(settings.PartRotate) {
		b.warnOfKeyFiles()
	}
	if set.Command == settings.CommandServe {
		return b.serve(ctx)
	}
	closeState, err := b.openState(ctx)
	defer closeState()
	if err != nil {
		return b.refuse(err)
	}
	return b.once(ctx)
}

// hideSecrets masks every secret before anything else is printed, and from here on takes known ones out of both streams.
// flush prints what waits there for the end of its line.
func (b *bot) hideSecrets() (flush func() error) {
	b.known.Now = func() time.Time { return b.now() } // the sandbox has a clock of its own
	if b.set.InActions {
		b.action = githubactions.New(githubactions.WithWriter(b.stdout), githubactions.WithGetenv(b.getenv))
		mask := b.action
		b.known.OnAdd = func(v secret.Value) { mask.AddMask(v.Reveal()) }
	}
	for _, v := range append(b.set.Secrets(), proxySecrets(b.getenv)...) {
		b.known.Add(v)
	}
	stdout, stderr := b.known.Writer(b.stdout), b.known.Writer(b.stderr)
	b.stdout, b.stderr = stdout, stderr
	if b.set.InActions {
		b.action = githubactions.New(githubactions.WithWriter(b.stdout), githubactions.WithGetenv(b.getenv))
	}
	return func() error { return errors.Join(stdout.Flush(), stderr.Flush()) }
}

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

// publicLog is a log that everybody may read who can read the repository. It leaves out amounts, which are not names and
// are printed in one way. It is written to in whole lines.
type publicLog struct {
	io.Writer
	view report.Options
}

func (l publicLog) Write(text []byte) (int, error) {
	_, err := io.WriteString(l.Writer, l.view.Hide(string(text)))
	return len(text), err
}

// refuse prints what is wrong with the settings, a line each. Nothing was touched. GitHub shows ten annotations of a step.
func (b *bot) refuse(err error) int {
	const most = 10
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		fmt.Fprintln(b.stderr, "bot:", line)
		switch {
		case b.action == nil || i >= most:
		case i == most-1 && len(lines) > most:
			b.action.Errorf("and %d more, which the log has all", len(lines)-i)
		default:
			b.action.Errorf("%s", line)
		}
	}
	return exitUsage
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
		return slog.New(slog.NewJSONHandler(b.stderr, options))
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
