package litellm_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/litellm"
)

// TestPublicErrorsNameNobody: whatever an answer says, in whichever envelope, is left out of what everybody can read; the
// route, the kind and the status stay.
func TestPublicErrorsNameNobody(t *testing.T) {
	const name = "Mallory Miller"
	ctx := context.Background()
	for _, answer := range []reply{
		{status: 400, body: `{"error":{"message":"ExceededBudget: User=` + name + ` over budget","type":"` + name + `","code":"400"}}`},
		{status: 400, body: `{"error":"` + name + `"}`},
		{status: 400, body: `{"detail":{"error":"` + name + `"}}`},
		{status: 422, body: `{"detail":[{"loc":["body","` + name + `"],"msg":"` + name + `"}]}`},
		{status: 500, body: "Internal Server Error " + name},
		{status: 404, body: name},
		{status: 302, header: map[string]string{"Location": "https://mallory-miller.example.com/" + name}},
		{status: 200, body: `{"info":{"spend":"` + name + `"},"keys":[{"spend":"` + name + `"}],"data":"` + name + `"}`},
		{status: 503, body: `{"status":"` + name + `","db":"` + name + `"}`},
	} {
		c := client(serve(t, answer), nil)
		_, find := c.FindKey(ctx, token)
		_, list := c.Keys(ctx, "u")
		_, chat := c.Chat(ctx, mintedKey, "m", 1)
		_, release := c.Release(ctx)
		for _, err := range []error{find, list, chat, release, block(c), verify(c)} {
			var e *litellm.Error
			if !errors.As(err, &e) {
				continue
			}
			if text := e.Public(); strings.Contains(strings.ToLower(text), "miller") || !strings.Contains(text, string(e.Kind)) {
				t.Errorf("%d: in public it says %q", answer.status, text)
			}
			if all := e.Public() + e.Said(); len(all) < len(e.Message) {
				t.Errorf("%q and %q leave something out of %q", e.Public(), e.Said(), e)
			}
		}
	}
}

// TestPublicErrorsNameNoAddress: our own words about the network stay, the address goes.
func TestPublicErrorsNameNoAddress(t *testing.T) {
	s := serve(t, reply{})
	s.Close()
	var e *litellm.Error
	if err := verify(client(s, nil)); !errors.As(err, &e) {
		t.Fatal(err)
	}
	if e.Public() != "verifying a key: GET /v1/models: proxy down: network: nothing listens there" || !strings.Contains(e.Said(), "127.0.0.1") {
		t.Errorf("public %q, said %q", e.Public(), e.Said())
	}
	elsewhere := serve(t, reply{status: http.StatusFound, header: map[string]string{"Location": "https://litellm.internal/x"}})
	if err := verify(client(elsewhere, nil)); !errors.As(err, &e) {
		t.Fatal(err)
	}
	if !strings.HasSuffix(e.Public(), "the address answers with a redirect, which is not followed") || !strings.Contains(e.Said(), "litellm.internal") {
		t.Errorf("public %q, said %q", e.Public(), e.Said())
	}
}

// TestNotAskedInPublic: that nothing was sent to a proxy whose address leads nowhere is said without the address.
func TestNotAskedInPublic(t *testing.T) {
	gone := serve(t, done)
	gone.Close()
	c := client(gone, nil)
	c.System = &netx.System{Name: "the proxy"}
	var last *litellm.Error
	for range 3 {
		if err := verify(c); !errors.As(err, &last) {
			t.Fatal(err)
		}
	}
	full, public := last.Error(), last.Public()
	if last.Kind != litellm.NotAsked || !strings.Contains(full, "127.0.0.1") || strings.Contains(public, "127.0.0.1") {
		t.Errorf("%s; %s", full, public)
	}
	if !strings.HasSuffix(public, "not asked: the proxy cannot be reached (GET /v1/models)") || !errors.Is(last, syscall.ECONNREFUSED) {
		t.Errorf("%s; %v", public, last)
	}
}
