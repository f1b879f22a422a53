package repo

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	usesLine = regexp.MustCompile(`(?m)(?:^|[\s{,-])uses: *["']?([^\s"'},]+)["']?[ },]*(.*)$`)
	commit   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	release  = regexp.MustCompile(`^# v\d+\.\d+\.\d+$`)
	fromLine = regexp.MustCompile(`(?mi)^FROM +(?:--\S+ +)*(\S+)(?: +AS +(\S+))?`)
	digest   = regexp.MustCompile(`^\S+:\S+@sha256:[0-9a-f]{64}$`)
)

// TestActionsArePinned: workflows here, and those that people copy from here, name other people's Actions by commit,
// with the release in a comment: a tag can be moved to other code. A commit and a release always belong together.
func TestActionsArePinned(t *testing.T) {
	commits, releases := map[string]string{}, map[string]string{}
	found := 0
	eachFile(t, []string{".yml", ".yaml", ".md"}, func(name, text string) {
		for _, m := range usesLine.FindAllStringSubmatch(text, -1) {
			action, comment := m[1], strings.TrimSpace(m[2])
			if strings.HasPrefix(action, "./") || strings.HasPrefix(action, ourAction) {
				continue
			}
			found++
			if !pinnedAction(action, comment) {
				t.Errorf("%s: %q is not pinned: write OWNER/NAME@COMMIT # v1.2.3", name, strings.TrimSpace(m[0]))
				continue
			}
			owner, _, _ := strings.Cut(action, "@")
			if other := commits[owner+comment]; other != "" && other != action {
				t.Errorf("%s: %s is %s, and elsewhere %s", name, owner+" "+comment, action, other)
			}
			if other := releases[action]; other != "" && other != comment {
				t.Errorf("%s: %s is called %s, and elsewhere %s", name, action, comment, other)
			}
			commits[owner+comment], releases[action] = action, comment
		}
	})
	if found < 5 {
		t.Errorf("only %d uses of others' Actions were found", found)
	}
}

func pinnedAction(action, comment string) bool {
	if image, isImage := strings.CutPrefix(action, "docker://"); isImage {
		return digest.MatchString(image)
	}
	return commit.MatchString(action) && release.MatchString(comment)
}

// TestBaseImagesArePinned: a Dockerfile names its base images by tag and digest; the digest counts.
func TestBaseImagesArePinned(t *testing.T) {
	found := 0
	eachFile(t, nil, func(name, text string) {
		if !strings.HasPrefix(path.Base(name), "Dockerfile") {
			return
		}
		found++
		for _, image := range unpinnedImages(text) {
			t.Errorf("%s: FROM %s has no digest", name, image)
		}
	})
	if found == 0 {
		t.Error("no Dockerfile was found")
	}
}

// unpinnedImages returns what a Dockerfile starts from that could change: not scratch and not its own stages.
func unpinnedImages(text string) []string {
	var found []string
	stages := []string{"scratch"}
	for _, m := range fromLine.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(stages, m[1]) && !digest.MatchString(m[1]) {
			found = append(found, m[1])
		}
		if m[2] != "" {
			stages = append(stages, m[2])
		}
	}
	return found
}

// TestOneGoBuilds: go.mod names the release of Go, and the image is built by that one, though the base image's may be
// older.
func TestOneGoBuilds(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\d+\.\d+)\.\d+$`).FindStringSubmatch(string(mod))
	base := regexp.MustCompile(`FROM golang:(\d+\.\d+)\.\d+-`).FindStringSubmatch(string(image))
	if toolchain == nil || base == nil || toolchain[1] != base[1] {
		t.Errorf("go.mod has toolchain %q, the Dockerfile starts from %q", toolchain, base)
	}
	if !regexp.MustCompile(`GOTOOLCHAIN=auto go build`).Match(image) {
		t.Error("the Dockerfile builds with whatever Go its image has")
	}
}

// TestToolsArePinned: CI runs tools of a fixed release.
func TestToolsArePinned(t *testing.T) {
	latest := regexp.MustCompile(`@` + `latest\b`)
	pip := regexp.MustCompile(`pip"? install`)
	eachFile(t, nil, func(name, text string) {
		inCI := strings.HasPrefix(name, ".ci/") || strings.HasPrefix(name, ".github/")
		unhashed := pip.MatchString(text) && !strings.Contains(text, "--require-hashes")
		if inCI && (latest.MatchString(text) || unhashed) {
			t.Errorf("%s: runs whatever is newest", name)
		}
	})
}

// TestUnpinnedIsSeen proves that the checks above can fail.
func TestUnpinnedIsSeen(t *testing.T) {
	const sha = "0123456789abcdef0123456789abcdef01234567"
	for line, want := range map[string]bool{
		"      - uses: actions/checkout@" + sha + " # v4.2.2":        true,
		"      - uses: actions/checkout@" + sha:                      false,
		"      - uses: actions/checkout@" + sha + " # v4":            false,
		"      - uses: actions/checkout@v4":                          false,
		"      - uses: actions/checkout@v4.2.2 # v4.2.2":             false,
		"        uses: \"actions/cache/save@main\"":                  false,
		"      - {uses: actions/checkout@v4, with: {a: b}}":          false,
		"      - uses: docker://alpine:3":                            false,
		"      - uses: docker://alpine:3@sha256:" + sha + sha[:24]:   true,
		"- uses: actions/cache/save@" + sha[:39] + " # v4.2.2":       false,
		"      - uses: actions/checkout@" + sha + " # v4.2.2, I say": false,
	} {
		m := usesLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%q is not seen", line)
			continue
		}
		if got := pinnedAction(m[1], strings.TrimSpace(m[2])); got != want {
			t.Errorf("%q: pinned %t, want %t (%q %q)", line, got, want, m[1], m[2])
		}
	}
	for text, want := range map[string]string{
		"FROM golang:1.26 AS build\nFROM build\nFROM scratch\n":         "golang:1.26",
		"from --platform=$BUILDPLATFORM alpine\n":                       "alpine",
		"FROM golang:1.26@sha256:" + sha + sha[:24] + " AS a\nFROM a\n": "",
		"FROM golang@sha256:" + sha + "\n":                              "golang@sha256:" + sha,
	} {
		if got := strings.Join(unpinnedImages(text), " "); got != want {
			t.Errorf("%q: %q is not pinned, want %q", text, got, want)
		}
	}
}

// eachFile calls do with every text of the work tree whose name ends so; nil: any.
func eachFile(t *testing.T, endings []string, do func(name, text string)) {
	t.Helper()
	err := walk(func(name string) error {
		if endings != nil && !slices.Contains(endings, path.Ext(name)) {
			return nil
		}
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			do(name, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
