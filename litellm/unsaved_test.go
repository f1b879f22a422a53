package litellm

import (
	"slices"
	"testing"
)

// The texts are what 1.106.10, and 1.93.2 as well as 1.81.13, wrote of a request whose model and fallback both failed.
func TestUnsaved(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		message, asked string
		failed         []string
	}{
		"1.106": {"litellm.InternalServerError: this is a mock internal server error\n\nLiteLLM: model group 'claude opus' failed with " +
			"the error above. Fallback to gpt-4o also failed: litellm.InternalServerError: this is a mock internal server error",
			"claude opus", []string{"gpt-4o"}},
		"1.93": {"litellm.InternalServerError: this is a mock internal server error. Received Model Group=claude\n" +
			"Available Model Group Fallbacks=['gpt-4o', 'small']\nError doing the fallback: litellm.InternalServerError: x. " +
			"Received Model Group=gpt-4o\nAvailable Model Group Fallbacks=None\nError doing the fallback: y", "claude", []string{"gpt-4o", "small"}},
		"no fallback is there":  {"x. Received Model Group=claude\nAvailable Model Group Fallbacks=None", "", nil},
		"another failure":       {"Budget has been exceeded! Current cost: 1, Max budget: 1", "", nil},
		"nothing":               {"", "", nil},
		"as somebody claims it": {"Fallback to x also failed", "", nil},
	} {
		if asked, failed := unsaved(tc.message); asked != tc.asked || !slices.Equal(failed, tc.failed) {
			t.Errorf("%s: %q, %q", name, asked, failed)
		}
	}
}
