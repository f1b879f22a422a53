package main

import (
	"strings"
	"testing"
)

// TestDoctorNamesEachFault makes one thing wrong at a time, and wants that named and nothing else.
func TestDoctorNamesEachFault(t *testing.T) {
	t.Parallel()
	for want, wrong := range map[string]func(*inside){
		"":                 func(*inside) {},
		"slack":            func(i *inside) { i.slack.Kick(slackChannel) },
		"proxy":            func(i *inside) { i.env["LITELLM_BASE_URL"] = "http://127.0.0.1:1" },
		"management key":   func(i *inside) { i.env["LITELLM_MASTER_KEY"] = "not-a-key-of-this-proxy" },
		"target":           func(i *inside) { i.env["OPENCLAW_LITELLM_SECRET_ENVIRONMENT"] = "nowhere" },
		"issue repository": func(i *inside) { i.env["OPENCLAW_LITELLM_ISSUE_REPOSITORY"] = "acme/nowhere" },
	} {
		i := newInside(t)
		wrong(i)
		code := exitFailed
		if want == "" {
			code = exitOK
		}
		out, _ := i.run(code, "doctor")
		for line := range strings.Lines(out) {
			if rest, fault := strings.CutPrefix(line, "fault    "); fault && (want == "" || !strings.HasPrefix(rest, want)) {
				t.Errorf("with %q wrong: %s", want, line)
			}
		}
	}
}
