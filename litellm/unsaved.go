package litellm

import "regexp"

// A request that its fallbacks could not save leaves one row, a failure, and only the text of its error says that they
// were tried: newer releases name the group that failed last, older ones the group asked for and its fallbacks.
var (
	alsoFailed = regexp.MustCompile(`model group '([^']+)' failed with the error above\. Fallback to (\S+) also failed`)
	errorDoing = regexp.MustCompile(`Received Model Group=(\S+)\s+Available Model Group Fallbacks=\[([^\]]*)\]\s+Error doing the fallback`)
	groupName  = regexp.MustCompile(`'([^']+)'`)
)

// unsaved returns the model group that a failed request was for and the fallbacks that failed as well; nil for an error
// that tells of none.
func unsaved(message string) (asked string, failed []string) {
	if m := alsoFailed.FindStringSubmatch(message); m != nil {
		return m[1], []string{m[2]}
	}
	m := errorDoing.FindStringSubmatch(message)
	if m == nil {
		return "", nil
	}
	for _, name := range groupName.FindAllStringSubmatch(m[2], -1) {
		failed = append(failed, name[1])
	}
	return m[1], failed
}
