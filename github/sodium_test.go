package github_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/secret"
)

// opener opens a sealed value with libsodium, which GitHub uses, and prints what is in it.
const opener = `
const sodium = require('libsodium-wrappers');
let text = '';
process.stdin.on('data', d => text += d).on('end', async () => {
  await sodium.ready;
  const open = k => sodium.from_base64(JSON.parse(text)[k], sodium.base64_variants.ORIGINAL);
  process.stdout.write(sodium.to_string(sodium.crypto_box_seal_open(open('sealed'), open('public'), open('private'))));
});`

// vaultOf answers as GitHub does for one repository's secret, with a key pair of the test's.
type vaultOf struct {
	public *[32]byte
	sealed string
}

// RoundTrip answers a request for the public key, the secret, or to put it.
func (v *vaultOf) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	status, body := http.StatusNotFound, `{"message": "Not Found"}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/public-key"):
		status, body = http.StatusOK, fmt.Sprintf(`{"key_id": "1", "key": %q}`, base64.StdEncoding.EncodeToString(v.public[:]))
	case r.Method == http.MethodPut:
		var sent struct {
			Sealed string `json:"encrypted_value"`
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return nil, err
		}
		status, body, v.sealed = http.StatusCreated, "{}", sent.Sealed
	case v.sealed != "":
		status, body = http.StatusOK, fmt.Sprintf(`{"name": "A", "updated_at": %q}`, now.Format(time.RFC3339))
	}
	header := http.Header{"Date": {now.Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestLibsodiumOpensWhatIsSealed wants values to arrive as they were: GitHub opens them with libsodium.
func TestLibsodiumOpensWhatIsSealed(t *testing.T) {
	modules := os.Getenv("LIBSODIUM")
	if modules == "" {
		t.Skip("LIBSODIUM does not name a folder with libsodium-wrappers; .ci/github-openapi fetches it")
	}
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{fakeValue, "ünïcödé\n with lines\n", strings.Repeat("x", github.MaxSecretSize)} {
		vault := &vaultOf{public: public}
		c := &github.Client{Token: secret.New(fakeToken), APIURL: "https://github.test", HTTP: &http.Client{Transport: vault}}
		target := &github.SecretTarget{Client: c, Scope: github.Scope{Repository: "acme/agents"}, Name: "A"}
		if _, own, err := target.Write(t.Context(), secret.New(value)); err != nil || !own {
			t.Fatal(own, err)
		}
		in, err := json.Marshal(map[string]string{
			"sealed": vault.sealed, "public": base64.StdEncoding.EncodeToString(public[:]), "private": base64.StdEncoding.EncodeToString(private[:]),
		})
		if err != nil {
			t.Fatal(err)
		}
		open := exec.CommandContext(t.Context(), "node", "-e", opener)
		open.Env, open.Stdin = append(os.Environ(), "NODE_PATH="+modules), bytes.NewReader(in)
		got, err := open.CombinedOutput()
		if err != nil || string(got) != value {
			t.Errorf("%d bytes were sealed, %d came out: %v\n%.300s", len(value), len(got), err, got)
		}
	}
}
