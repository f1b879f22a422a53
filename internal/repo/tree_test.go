package repo

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// unwanted is what no file of the repository may contain: what looks like a credential, so that a real one is noticed
// at once, and what is true of one machine only. The expressions are written so as not to match themselves.
var unwanted = []struct {
	what string
	text *regexp.Regexp
}{
	{"a LiteLLM key", regexp.MustCompile(`\bsk-[A-Za-z0-9_-]{24,}`)},
	{"a GitHub token", regexp.MustCompile(`\bgh[a-z]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{22,}`)},
	{"a Slack token", regexp.MustCompile(`\bxox[a-z]-[A-Za-z0-9-]{10,}`)},
	{"a Slack webhook", regexp.MustCompile(`hooks\.slack\.com/services/T[A-Z0-9]{7,}/B[A-Z0-9]{7,}/[A-Za-z0-9]{20,}`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"a path of one machine", regexp.MustCompile(`(^|[^A-Za-z0-9_.~-])/(work|root|farm|home/[a-z]+)/`)},
	{"a package index's host", regexp.MustCompile(
		`proxy\.golang\.org|sum\.golang\.org|pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|static\.crates\.io|repo1?\.maven|deb\.debian\.org`)},
	{"a merge's leftovers", regexp.MustCompile(`(?m)^(<{7}|>{7}) `)},
}

func TestNoFileHoldsCredentialsOrMachinePaths(t *testing.T) {
	err := walk(func(name string) error {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		for _, u := range unwanted {
			for _, hit := range u.text.FindAllIndex(text, -1) {
				if !madeUp(text[hit[0]:hit[1]]) {
					// The text itself is left out: it could be real.
					t.Errorf("%s:%d: has what looks like %s", name, 1+bytes.Count(text[:hit[0]], []byte("\n")), u.what)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// madeUp reports whether what looks like a credential says of itself that it is none, by a run of eight zeros.
func madeUp(text []byte) bool { return bytes.Contains(text, []byte("00000000")) }

// TestUnwantedIsSeen proves that the expressions find what they are for.
func TestUnwantedIsSeen(t *testing.T) {
	letters := "aB3dEfGh1jKlMnOpQrStUvWxYz0123456789"
	for i, sample := range []string{
		"key: sk-" + letters, "ghp" + "_" + letters, "xoxb" + "-" + letters,
		"https://hooks.slack.com/services/" + "T0123456/B0123456/" + letters, "-----BEGIN RSA " + "PRIVATE KEY-----",
		"cd /work" + "/main", "https://pypi" + ".org/simple", "<<<<<<" + "< HEAD",
	} {
		if !unwanted[i].text.MatchString(sample) {
			t.Errorf("%s is not seen in a sample of it", unwanted[i].what)
		}
	}
}
