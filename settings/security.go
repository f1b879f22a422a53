package settings

import (
	"path/filepath"
	"slices"
	"strings"
)

// trustedEvents are the events on which credentials are used: only people with write access cause them, and what they
// check out was pushed by such a person. In a reusable workflow (workflow_call) the runner names the caller's event.
func trustedEvents() []string {
	return []string{"schedule", "workflow_dispatch", "push", "repository_dispatch", "release"}
}

// TrustedEvent reports whether credentials are used on an event of GitHub Actions. There is no override.
func TrustedEvent(event string) bool { return slices.Contains(trustedEvents(), event) }

// checkEvent refuses to use credentials in a job that another event started. Where no event is named no runner started the
// program: it always names one, and a workflow cannot change that (docs.github.com, "default environment variables").
func (l *loader) checkEvent() *problem {
	if !l.out.InActions || l.out.Event == "" || TrustedEvent(l.out.Event) {
		return nil
	}
	return bad("start the job on "+strings.Join(trustedEvents(), ", "),
		"commands that use credentials do not run on event %s: someone without write access may have caused it",
		quote(l.out.Event))
}

// checkDestination refuses to send a management key to an address that the checkout chose: one from a file, if the file
// was only found in the working directory or if this is an Action, whose files all come from the checkout.
func checkDestination(base Source, inActions, fileNamed bool) *problem {
	if base.Layer != File || fileNamed && !inActions {
		return nil
	}
	remedy := "give input litellm-base-url or environment LITELLM_BASE_URL"
	if !inActions {
		remedy = "give flag --litellm-base-url or environment LITELLM_BASE_URL, or name the file with --config"
	}
	return bad(remedy, "the management key is not sent to an address that a checkout can choose")
}

// checkReload refuses a file's command in Actions, where the file comes from the checkout.
func checkReload(inActions bool) *problem {
	if !inActions {
		return nil
	}
	return bad("leave reload out, and reload in a step of the workflow", "a command from a file is not run in Actions")
}

// checkKeyFile keeps key files in Actions below the workspace, outside of which the container's files are lost or the
// runner's own. It judges the path as written; whoever writes the file has to mind links.
func checkKeyFile(path, workspace string, inActions bool) *problem {
	if !inActions || belowWorkspace(path, workspace) {
		return nil
	}
	return bad("write a path inside the workspace, such as .openclaw/litellm.key",
		"in Actions a key file outside the workspace is not written")
}

func belowWorkspace(path, workspace string) bool {
	if !filepath.IsAbs(path) {
		return filepath.IsLocal(path) && filepath.Clean(path) != "."
	}
	below, err := filepath.Rel(workspace, path)
	return err == nil && workspace != "" && filepath.IsLocal(below) && below != "."
}
