package report

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// Memory is what people were told, and where. The zero Memory has told nothing. It is bounded, holds no secret and no
// text that may not be shown where it is kept, and means the same wherever it is kept.
type Memory struct {
	Version int       `json:"v"`
	Saved   time.Time `json:"saved,omitzero"`
	Stories []Story   `json:"stories,omitempty"` // what was told to be so and is not told to be over
	Done    []string  `json:"done,omitempty"`    // keys of the latest events told
	Shown   string    `json:"shown,omitempty"`   // fingerprint of the state that the living surfaces show
	// Senders holds what is known of each sender by its name.
	Senders map[string]SenderMemory `json:"senders,omitempty"`
}

// SenderMemory is what one sender still has to tell, and what it may edit.
type SenderMemory struct {
	Anchor  string    `json:"anchor,omitempty"` // of the living message; "" for none
	Posted  time.Time `json:"posted,omitzero"`  // when that message was posted
	Shown   string    `json:"shown,omitempty"`  // fingerprint of the state that message shows
	Pending []Notice  `json:"pending,omitempty"`
	Dropped int       `json:"dropped,omitempty"` // pending notices that went because there were too many
	Refused string    `json:"refused,omitempty"` // why it takes no messages, as far as everybody may know; "": it does
}

// Story is one finding that was told and is not over.
type Story struct {
	Key      string           `json:"k"`
	Rule     string           `json:"r"`
	Kind     string           `json:"s"`
	Name     string           `json:"n"`
	Severity finding.Severity `json:"sev"`
	Peak     finding.Severity `json:"p,omitempty"` // the gravest that it was told at
	Level    string           `json:"l,omitempty"`
	First    time.Time        `json:"first"`       // when it was first told
	Told     time.Time        `json:"told"`        // when it was last told
	Again    int              `json:"a,omitempty"` // how often it was repeated since it was new or grew graver
	Summary  string           `json:"t,omitempty"` // as last told
}

const (
	memoryVersion = 1
	maxStories    = 1000
	maxDone       = 50
	maxPending    = 100
	maxMemory     = 1 << 20 // bytes that Decode takes, unpacked
	maxKey        = 200
)

// storyKey is the finding's key, in bounded length.
func storyKey(f finding.Finding) string {
	key := f.Key()
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return clip(f.Rule, 50) + "|" + hex.EncodeToString(sum[:])
}

func (m Memory) story(key string) (Story, bool) {
	i := slices.IndexFunc(m.Stories, func(s Story) bool { return s.Key == key })
	if i < 0 {
		return Story{}, false
	}
	return m.Stories[i], true
}

// yields reports whether m has n stories that are less grave, to be forgotten for graver ones.
func (m Memory) yields(to finding.Severity, n int) bool {
	for _, s := range m.Stories {
		if s.Severity < to {
			n--
		}
	}
	return n <= 0
}

func (m Memory) clone() Memory {
	m.Version = memoryVersion
	m.Stories, m.Done = slices.Clone(m.Stories), slices.Clone(m.Done)
	senders := make(map[string]SenderMemory, len(m.Senders))
	for name, s := range m.Senders {
		s.Pending = slices.Clone(s.Pending)
		senders[name] = s
	}
	m.Senders = senders
	return m
}

// skew is how far the clocks of two runs may differ.
const skew = 5 * time.Minute

// ahead reports whether at is further in the future than two clocks differ: a clock recorded it that has since been set
// back.
func ahead(at, now time.Time) bool { return at.After(now.Add(skew)) }

// asOf returns m with now in place of times in the future.
func (m Memory) asOf(now time.Time) Memory {
	m.Stories = slices.Clone(m.Stories)
	for i := range m.Stories {
		s := &m.Stories[i]
		if ahead(s.First, now) {
			s.First = now
		}
		if ahead(s.Told, now) {
			s.Told = now
		}
	}
	return m
}

// bound keeps the latest of everything, and of what is pending the gravest.
func (m *Memory) bound() {
	m.Stories = m.Stories[:min(len(m.Stories), maxStories)]
	m.Done = m.Done[max(0, len(m.Done)-maxDone):]
	for name, s := range m.Senders {
		if n := len(s.Pending) - maxPending; n > 0 {
			var kept []Notice
			for _, i := range gravest(s.Pending, nil, 0, maxPending) {
				kept = append(kept, s.Pending[i])
			}
			s.Pending, s.Dropped = kept, s.Dropped+n
			m.Senders[name] = s
		}
	}
}

// Encode returns the memory as bytes that Decode reads: versioned JSON, packed.
func (m Memory) Encode() ([]byte, error) {
	m.Version = memoryVersion
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding the notice memory: %w", err)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("packing the notice memory: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote. Of anything else it returns an empty memory and an error; no data is no error.
func Decode(data []byte) (Memory, error) {
	if len(data) == 0 {
		return Memory{}, nil
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxMemory+1))
	if err != nil {
		return Memory{}, fmt.Errorf("unpacking the notice memory: %w", err)
	}
	if len(text) > maxMemory {
		return Memory{}, fmt.Errorf("unpacking the notice memory: longer than %d bytes", maxMemory)
	}
	var m Memory
	if err := json.Unmarshal(text, &m); err != nil {
		return Memory{}, fmt.Errorf("reading the notice memory: %w", err)
	}
	if m.Version != memoryVersion {
		return Memory{}, fmt.Errorf("reading the notice memory: version %d is not known, want %d", m.Version, memoryVersion)
	}
	m = m.clone()
	m.bound()
	return m, nil
}
