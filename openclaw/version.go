package openclaw

import (
	"regexp"
	"strconv"
)

// versionShape is a release of OpenClaw, such as 2026.9.6 or 2026.7.1-2.
var versionShape = regexp.MustCompile(`\b(20\d\d)\.(\d{1,2})\.\d+(-\d+)?\b`)

// FindVersion returns the first release that a text names, such as what "openclaw --version" prints; "" if it names none.
func FindVersion(text string) string { return versionShape.FindString(text) }

// Older reports whether a release takes the image model as imageGenerationModel: 2026.7 does and refuses
// mediaModels.image, 2026.8 the other way round. What is no release is taken for the newest.
func Older(version string) bool {
	m := versionShape.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	year, _ := strconv.Atoi(m[1]) // digits alone
	month, _ := strconv.Atoi(m[2])
	return year < 2026 || year == 2026 && month < 8
}
