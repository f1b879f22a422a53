package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
)

// shellBlock is one block of commands in a document.
var shellBlock = regexp.MustCompile("(?m)^```sh\n((?s:.*?))^```$")

// document runs every block of commands of docs/openclaw.md as it stands there, but for the key's name, one after the other
// in one shell, and looks at what came of it.
func document(c *claw, stand *standIn) {
	text, err := os.ReadFile("../../docs/openclaw.md")
	if err != nil {
		c.Fatal(err)
	}
	script := "set -euo pipefail\n"
	blocks := shellBlock.FindAllSubmatch(text, -1)
	for i, b := range blocks {
		script += "echo '== block " + strconv.Itoa(i+1) + "'\n" + strings.ReplaceAll(string(b[1]), "name: agent\n", "name: "+c.key+"\n")
	}
	c.freePort()
	pictures := stand.count("/v1/images/generations")
	began := time.Now()
	ctx, cancel := context.WithTimeout(c.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env, cmd.WaitDelay = c.home, c.env(), 10*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the gateway runs in its background
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	c.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) })
	if err != nil {
		c.Fatalf("a command of docs/openclaw.md fails: %v\n%s", err, tail(out.String()))
	}
	c.Logf("%d blocks of docs/openclaw.md in %s", len(blocks), time.Since(began).Round(time.Second))

	if n := strings.Count(out.String(), "pong of stand-in-reasoning"); n != 2 {
		c.Errorf("the agent answered %d times, not twice:\n%s", n, tail(out.String()))
	}
	if !strings.Contains(out.String(), "ok       gateway 127.0.0.1:") || strings.Contains(out.String(), "fault    ") {
		c.Errorf("doctor does not find the gateway ready, or finds a fault:\n%s", tail(out.String()))
	}
	user, err := c.look.User(c.Context(), rotate.HolderID(c.key))
	if err != nil || len(user.Keys) != 2 {
		c.Fatalf("the key has not two generations: %v", err)
	}
	value := c.value().SHA256()
	for _, k := range user.Keys {
		rows := c.rows(k.Token, began, 1)
		if k.Token == value && !hasModel(rows, "reasoning") {
			c.Errorf("the agent did not use the rotated key: %+v", rows)
		}
	}
	if png, err := os.ReadFile(filepath.Join(c.home, "lighthouse.png")); err != nil || !bytes.HasPrefix(png, []byte("\x89PNG")) {
		c.Errorf("there is no picture: %v", err)
	}
	if n := stand.count("/v1/images/generations") - pictures; n != 2 {
		c.Errorf("the provider was asked for %d pictures, not for two", n)
	}
	if bytes.Contains(out.Bytes(), []byte(c.value().Reveal())) {
		c.Error("the key was printed")
	}
}

func hasModel(rows []litellm.SpendLog, group string) bool {
	for _, r := range rows {
		if r.ModelGroup == group && r.Status == "success" {
			return true
		}
	}
	return false
}

// freePort gives the home's gateway a port of its own: the usual one may be somebody's.
func (c *claw) freePort() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c.write(filepath.Join(c.home, "gateway.port"), port+"\n", 0o600)
}
