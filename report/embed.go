package report

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
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

// ErrForged says that a memory in an issue does not carry our signature.
var ErrForged = errors.New("the memory in the issue is not signed by this tool: somebody edited it, an earlier release " +
	"wrote it, or the management key is another one now; jobs that write one issue with different management keys need " +
	"the same issue-secret")

// memoryForm is a memory's block: the memory, a dot and the signature, which earlier releases did not write.
var memoryForm = regexp.MustCompile(
	regexp.QuoteMeta(memoryBegin) + `([A-Za-z0-9+/=]*)(?:\.([A-Za-z0-9+/=]*))?` + regexp.QuoteMeta(memoryEnd))

// Signer returns a signature of data that only this tool can make, the same in each run: a MAC that is bound to the
// place where the memory is kept. Anyone who may edit an issue may write what is not signed.
type Signer func(data []byte) []byte

// signOnce returns a Signer whose signatures no other one makes.
func signOnce() Signer {
	key := []byte(rand.Text())
	return func(data []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(data)
		return mac.Sum(nil)
	}
}

// EmbedMemory returns body with mem in a hidden block that is signed, in place of one that is there. The block goes
// into our part, before its end mark if there is one.
func EmbedMemory(body string, mem Memory, sign Signer) (string, error) {
	data, err := mem.Encode()
	if err != nil {
		return "", err
	}
	encode := base64.StdEncoding.EncodeToString
	block := memoryBegin + encode(data) + "." + encode(sign(data)) + memoryEnd
	body = memoryForm.ReplaceAllString(body, "")
	if head, tail, ok := strings.Cut(body, markerEnd); ok {
		return strings.TrimRight(head, "\n") + "\n\n" + block + "\n" + markerEnd + tail, nil
	}
	return strings.TrimRight(body, "\n") + "\n\n" + block + "\n", nil
}

// ExtractMemory returns the memory hidden in our part of body. What cannot be read, or is not signed, gives an empty
// memory and an error.
func ExtractMemory(body string, sign Signer) (Memory, error) {
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
	if signature, err := base64.StdEncoding.DecodeString(m[2]); err != nil || !hmac.Equal(signature, sign(data)) {
		return Memory{}, ErrForged
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
