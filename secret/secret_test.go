package secret_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/secret"
)

const plain = "correct horse battery"

// holder has a secret in an unexported field, where fmt calls no method.
type holder struct{ v secret.Value }

func TestAValueNeverPrints(t *testing.T) {
	v := secret.New(plain)
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		fmt.Fprintf(&printed, verb+"\n", v)
		fmt.Fprintf(&printed, verb+"\n", &v)
		fmt.Fprintf(&printed, verb+"\n", holder{v})
		fmt.Fprintf(&printed, verb+"\n", []secret.Value{v})
		fmt.Fprintf(&printed, verb+"\n", map[string]secret.Value{"k": v})
	}
	raw, err := json.Marshal(map[string]any{"v": v, "p": &v})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(raw)
	slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "v", v, "h", holder{v})
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "v", v, "h", holder{v})
	for _, leak := range []string{plain, fmt.Sprintf("%x", plain), fmt.Sprintf("%X", plain), "horse"} {
		if strings.Contains(printed.String(), leak) {
			t.Errorf("%q shows in:\n%s", leak, printed.String())
		}
	}
	if !strings.Contains(printed.String(), secret.Redacted) {
		t.Error("nothing says that something was redacted")
	}
}

func TestRevealIsTheWayOut(t *testing.T) {
	if got := secret.New(plain).Reveal(); got != plain {
		t.Errorf("got %q", got)
	}
	var zero secret.Value
	if !zero.IsZero() || !secret.New("").IsZero() || zero.Reveal() != "" || zero.String() != "" {
		t.Error("the zero value is not empty")
	}
	if !secret.New(plain).Equal(secret.New(plain)) || secret.New(plain).Equal(secret.New(plain+"x")) || zero.Equal(secret.New(plain)) {
		t.Error("Equal compares something other than the texts")
	}
	// The digest LiteLLM calls the token of the key "abc".
	if got := secret.New("abc").SHA256(); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("digest %s", got)
	}
	// RFC 4231, test case 2.
	if got := secret.New("Jefe").MAC("what do ya want for nothing?"); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Errorf("MAC %s", got)
	}
	// Python's hashlib.pbkdf2_hmac says the same.
	if got := hex.EncodeToString(secret.New("Jefe").Derive("one purpose")); got != "e71207098955d39c03ea026623d98470652b1875636e10456203f1b77ad62d8c" {
		t.Errorf("derived %s", got)
	}
}
