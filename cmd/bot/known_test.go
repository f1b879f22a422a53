package main

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/secret"
)

// TestCredentialsOfTheNetworksProxyAreKnown: an error of the network may repeat them, as they are or as they are sent.
func TestCredentialsOfTheNetworksProxyAreKnown(t *testing.T) {
	for _, tt := range []struct{ variable, text, says string }{
		{"HTTPS_PROXY", "http://user:pass-word@proxy.internal:3128", "407 for user:pass-word"},
		{"https_proxy", "user:pass-word@proxy.internal:3128", "password pass-word is wrong"},
		{"ALL_PROXY", "socks5://user:pass%2Dword@proxy.internal", "pass-word and pass%2Dword"},
		{"http_proxy", "http://pass-word@proxy.internal", "user pass-word is not known"},
		{"HTTP_PROXY", "http://user:pass-word@bad host", `invalid proxy address "http://user:pass-word@bad host"`},
		{"HTTPS_PROXY", "http://user:pass-word@proxy.internal",
			"Proxy-Authorization=" + base64.StdEncoding.EncodeToString([]byte("user:pass-word"))},
	} {
		known := &secret.Set{}
		for _, v := range proxySecrets(func(name string) string { return map[string]string{tt.variable: tt.text}[name] }) {
			known.Add(v)
		}
		got := known.Redact(tt.says)
		if !strings.Contains(got, secret.Redacted) || strings.Contains(got, "word@") || strings.Contains(got, "pass") && !strings.Contains(got, "password") ||
			strings.Contains(got, "cGFzcy") {
			t.Errorf("%s=%s: %q is shown", tt.variable, tt.text, got)
		}
	}
	if got := proxySecrets(func(string) string { return "http://proxy.internal:3128" }); got != nil {
		t.Errorf("a proxy without credentials has %d secrets", len(got))
	}
}
