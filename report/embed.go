package report

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Marker begins our part of an issue's body. With the author it tells that an issue is ours.
const Marker = "<!-- openclaw-litellm:begin -->"

const (
	markerEnd   = "<!-- openclaw-litellm:end -->"
	memoryBegin = "<!-- openclaw-litellm:memory:"
	memoryEnd   = " -->"
)

// ErrNoMemory says that a body of ours holds no memory: somebody took it out.
var ErrNoMemory = errors.New("the issue holds no notice memory")

var memoryForm = regexp.MustCompile(regexp.QuoteMeta(memoryBegin) + `([A-Za-z0-9+/=]*)` + regexp.QuoteMeta(memoryEnd))

// EmbedMemory returns body with mem in a hidden block, in place of one that is there. The block goes into our part, before
// its end mark if there is one.
func EmbedMemory(body string, mem Memory) (string, error) {
	data, err := mem.Encode()
	if err != nil {
		return "", err
	}
	block := memoryBegin + base64.StdEncoding.EncodeToString(data) + memoryEnd
	body = memoryForm.ReplaceAllString(body, "")
	if head, tail, ok := strings.Cut(body, markerEnd); ok {
		return strings.TrimRight(head, "\n") + "\n\n" + block + "\n" + markerEnd + tail, nil
	}
	return strings.TrimRight(body, "\n") + "\n\n" + block + "\n", nil
}

// ExtractMemory returns the memory hidden in our part of body. What cannot be read gives an empty memory and an error.
func ExtractMemory(body string) (Memory, error) {
	_, ours, _, found := cutOurs(body)
	if !found {
		return Memory{}, ErrNoMemory
	}
	m := memoryForm.FindStringSubmatch(ours)
	if m == nil {
		return Memory{}, ErrNoMemory
	}
	data, err := base64.StdEncoding.DecodeString(m[1])
	if err != nil {
		return Memory{}, fmt.Errorf("reading the notice memory: %w", err)
	}
	if len(data) == 0 {
		return Memory{}, ErrNoMemory
	}
	return Decode(data)
}

// ReplaceOurs returns body with our part replaced by ours, which is put between our marks. What people wrote before and
// after stays as it is; where no part of ours is left, it goes to the end.
func ReplaceOurs(body, ours string) string {
	part := Marker + "\n" + strings.Trim(ours, "\n") + "\n" + markerEnd
	before, _, after, found := cutOurs(body)
	if !found {
		if strings.TrimSpace(body) == "" {
			return part + "\n"
		}
		return strings.TrimRight(body, "\n") + "\n\n" + part + "\n"
	}
	return before + part + after
}

// cutOurs splits body around our part. An end mark that is missing, because somebody cut it away, ends the part at the
// memory, or else at the body's end. GitHub turns line ends into CRLF when a person edits; the marks do not mind.
func cutOurs(body string) (before, ours, after string, found bool) {
	begin := strings.Index(body, Marker)
	if begin < 0 {
		return body, "", "", false
	}
	rest := body[begin:]
	if end := strings.Index(rest, markerEnd); end >= 0 {
		end += len(markerEnd)
		return body[:begin], rest[:end], rest[end:], true
	}
	if m := memoryForm.FindStringIndex(rest); m != nil {
		return body[:begin], rest[:m[1]], rest[m[1]:], true
	}
	return body[:begin], rest, "", true
}
