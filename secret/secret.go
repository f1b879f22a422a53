// Package secret holds values that must never be printed.
//
// A Value is made the moment a secret is read or minted and stays one until the single place that sends it. Printing,
// logging or marshalling a Value gives "[redacted]"; Reveal is the only way out. A Set knows every secret of the
// process and takes them out of text from outside (error bodies, command output) before anyone sees it.
package secret

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// Redacted is what stands wherever a secret would have been printed.
const Redacted = "[redacted]"

// Value is one secret text. The zero Value is empty. It sits behind a pointer so that even fmt's reflection over an
// unexported field shows an address and not the text.
type Value struct{ text *string }

// New returns text as a secret. New("") is the zero Value.
func New(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{&text}
}

// Reveal returns the plaintext. A test lists every call of it.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether v is empty.
func (v Value) IsZero() bool { return v.text == nil }

// Equal reports whether both hold the same text, in constant time for equal lengths.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(w.Reveal())) == 1
}

// SHA256 returns the lower-case hex digest of the text, which is how LiteLLM names a key ("token"). It is no secret.
func (v Value) SHA256() string {
	sum := sha256.Sum256([]byte(v.Reveal()))
	return hex.EncodeToString(sum[:])
}

// MAC returns the lower-case hex HMAC-SHA256 of message under the text. It reveals nothing of the text, and only who has
// the text can compute it.
func (v Value) MAC(message string) string {
	mac := hmac.New(sha256.New, []byte(v.Reveal()))
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

// derivations is how many rounds Derive takes, some 20 ms.
const derivations = 20_000

// Derive returns a key of 32 bytes for one purpose (PBKDF2-HMAC-SHA256), which reveals nothing of the text or of the
// keys for other purposes. It is slow: a text that a person made up is not found by trying texts against what is
// published under the key.
func (v Value) Derive(purpose string) []byte {
	key, err := pbkdf2.Key(sha256.New, v.Reveal(), []byte(purpose), derivations, sha256.Size)
	if err != nil {
		panic(err) // only a FIPS module refuses sizes, and not these
	}
	return key
}

// String returns Redacted, or "" for the zero Value.
func (v Value) String() string {
	if v.IsZero() {
		return ""
	}
	return Redacted
}

// Format prints like String for every verb and flag, %x and %q included.
func (v Value) Format(s fmt.State, _ rune) { fmt.Fprint(s, v.String()) }

// MarshalText returns what String does; it also serves JSON and YAML.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// LogValue returns what String does, for log/slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }
