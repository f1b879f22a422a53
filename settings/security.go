package settings

import (
	"path/filepath"
	"strings"
)

// UntrustedEvent reports whether an event of GitHub can be caused by somebody who may not write to the repository, with
// a checkout or texts of theirs. On such an event nothing that uses credentials runs; there is no override.
func UntrustedEvent(event string) bool {
	event = strings.ToLower(strings.TrimSpace(event))
	switch event {
	case "issue_comment", "issues", "workflow_run":
		return true
	}
	return strings.HasPrefix(event, "pull_request") || strings.HasPrefix(event, "discussion")
}

// checkEvent refuses to use credentials on an untrusted event.
func checkEvent(event string) *problem {
	if !UntrustedEvent(event) {
		return nil
	}
	return bad("start it from schedule, workflow_dispatch or push",
		"on %s, which outsiders can cause, nothing that uses credentials runs", event)
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

// checkIssueRepository refuses that a file in the checkout sends notices to another repository.
func checkIssueRepository(from Source, issues, this string, inActions bool) *problem {
	if !inActions || from.Layer != File || strings.EqualFold(issues, this) {
		return nil
	}
	return bad("give input issue-repository", "in Actions a file cannot send notices to another repository")
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
