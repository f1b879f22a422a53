package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/openclaw"
)

// openclaw judges OpenClaw's configuration, by what the proxy serves where that is known, and asks the gateway that it
// describes whether it is ready.
func (x *examination) openclaw(ctx context.Context) {
	file := x.openclawConfig()
	if file == "" {
		return
	}
	well := true
	for _, p := range x.linter(ctx, x.models).Lint(file, x.openclawReader()) {
		if p.Severity < finding.Warning {
			continue // that is for lint
		}
		state := stateWarning
		if p.Severity >= finding.Critical {
			state = stateFault
		}
		x.note("openclaw", p.At.String(), state, p.What, p.Mend)
		well = false
	}
	if well {
		x.note("openclaw", file, stateOK, "nothing found", "")
	}
	x.gateway(ctx, file)
}

// openclawConfig is the file that the settings name, or else the one that OpenClaw itself reads, if there is one; "" for
// none.
func (x *examination) openclawConfig() string {
	if x.set.OpenClawConfig != "" || x.set.Sandbox {
		return x.set.OpenClawConfig
	}
	file := x.getenv("OPENCLAW_CONFIG_PATH")
	if dir := x.getenv("OPENCLAW_STATE_DIR"); file == "" && dir != "" {
		file = filepath.Join(dir, "openclaw.json")
	}
	if home := cmp.Or(x.getenv("OPENCLAW_HOME"), x.getenv("HOME")); file == "" && home != "" {
		file = filepath.Join(home, ".openclaw", "openclaw.json")
	}
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return ""
	}
	return file
}

// gateway asks whether the gateway on this machine is ready. That none runs is a warning: agents can do without, but no
// rotation reaches them then.
func (x *examination) gateway(ctx context.Context, file string) {
	root, _ := openclaw.Read(file, openclaw.IncludeRoots(x.getenv), x.openclawReader())
	if root == nil {
		return // said above
	}
	if root.Get("gateway", "mode").String() == "remote" {
		x.note("gateway", "", stateOK, "it runs on another machine, and is not asked", "")
		return
	}
	address := "127.0.0.1:" + openclaw.GatewayPort(root, x.getenv)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		x.judge("gateway", address, err, "", "see gateway.port")
		return
	}
	const start = "start it: openclaw gateway run, or install it as a service"
	answer, err := x.http.Do(request)
	if err != nil {
		x.note("gateway", address, stateWarning, "none answers there, so that no rotation reaches agents that run", start)
		return
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10)) // what is missing makes it unreadable
	var ready struct {
		Ready   *bool    `json:"ready"`
		Failing []string `json:"failing"`
	}
	switch {
	case json.Unmarshal(body, &ready) != nil || ready.Ready == nil:
		x.note("gateway", address, stateWarning, "what answers there is no gateway of OpenClaw", "see gateway.port and "+start)
	case !*ready.Ready:
		x.note("gateway", address, stateFault, fmt.Sprintf("it is not ready [%s]", strings.Join(ready.Failing, ", ")), "see openclaw gateway status --deep, and its log")
	default:
		x.note("gateway", address, stateOK, "it is ready", "")
	}
}
