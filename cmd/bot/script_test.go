package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Every user story is a script in testdata/script: settings in, a command, its exit code, what it printed, and every
// request it sent. The program runs as a process of its own; LiteLLM, GitHub and Slack are in the test's process, one set
// a script. Time stands still there, but for the command `advance`.
//
// Write what a run printed and sent into the scripts with go test ./cmd/bot -run TestScripts -update-scripts, and read
// the difference.

var updateScripts = flag.Bool("update-scripts", false, "write what the program did into the scripts")

// realBot is main itself, as a process of its own.
const realBot = "bot-as-it-is"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bot": asProcess, pausedBot: asPaused, realBot: main})
}

// clockVariable tells the program under test what time it is; waiting moves that time on and takes none.
const clockVariable = "BOT_TEST_TIME"

// asProcess is main with a clock that stands still.
func asProcess() {
	at, err := time.Parse(time.RFC3339, os.Getenv(clockVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, clockVariable+":", err)
		os.Exit(99)
	}
	clock := &stillClock{at: at}
	dir, _ := os.Getwd()
	os.Exit(run(process{
		args: os.Args[1:], getenv: os.Getenv, environ: os.Environ(), dir: dir,
		now: clock.now, sleep: clock.sleep, stop: context.Background().Done(), stdout: os.Stdout, stderr: os.Stderr,
	}))
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"), Setup: setUp, Cmds: scriptCommands(),
		UpdateScripts: *updateScripts, RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// worldKey finds a script's world.
type worldKey struct{}

// setUp gives a script its outside world and the environment that leads to it: the least that a person would set.
func setUp(env *testscript.Env) error {
	w := newWorld()
	env.Defer(w.close)
	env.Values[worldKey{}] = w
	w.dir = env.WorkDir
	for name, value := range w.environment() {
		env.Setenv(name, value)
	}
	return nil
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }
