package github

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// maxHops is how many redirects one request follows.
const maxHops = 3

// expiryHeader tells when a personal access token expires.
const expiryHeader = "GitHub-Authentication-Token-Expiration"

// refusal is a request or redirect that was not sent because of where it would have gone.
type refusal struct{ text string }

// Error says where the token would have gone.
func (r *refusal) Error() string { return r.text }

// transport adds the token, follows redirects on the same host, and bounds answers. It exists below go-github so that
// no path of that package can send the token elsewhere.
type transport struct {
	client *Client
	token  secret.Value
	base   *url.URL
	next   http.RoundTripper // nil: http.DefaultTransport
}

// RoundTrip sends req and follows redirects with method and body unchanged, as GitHub asks for.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	to := req.URL
	for hop := 0; ; hop++ {
		if !t.home(to) {
			closeBody(req)
			return nil, &refusal{fmt.Sprintf("refusing to send the token to %s://%s: it belongs to %s", to.Scheme, to.Host, t.base.Host)}
		}
		resp, err := t.send(req, to, hop)
		if err != nil {
			return nil, err
		}
		if to = location(resp, to); to == nil {
			return resp, nil
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		_ = resp.Body.Close()
		if hop == maxHops {
			return nil, &refusal{fmt.Sprintf("stopping after %d redirects", maxHops)}
		}
	}
}

// send sends req once, to a URL that may be another than its own.
func (t *transport) send(req *http.Request, to *url.URL, hop int) (*http.Response, error) {
	r := req.Clone(req.Context())
	r.URL, r.Host = to, ""
	if hop > 0 && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, fmt.Errorf("repeating the request: %w", err)
		}
		r.Body = body
	}
	if !t.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+t.token.Reveal())
	}
	t.client.requests.Add(1)
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	t.noteExpiry(resp.Header)
	t.client.noteScopes(resp.Header)
	limit := cmp.Or(t.client.MaxAnswer, DefaultMaxAnswer)
	resp.Body = &bounded{ReadCloser: resp.Body, left: limit, limit: limit}
	return resp, nil
}

// home reports whether u is on the host the token belongs to.
func (t *transport) home(u *url.URL) bool {
	return u.Scheme == t.base.Scheme && strings.EqualFold(u.Host, t.base.Host)
}

func (t *transport) noteExpiry(h http.Header) {
	text := h.Get(expiryHeader)
	for _, layout := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			at = at.UTC()
			t.client.expires.Store(&at)
			return
		}
	}
}

// location returns where a redirect leads, nil if resp is none.
func location(resp *http.Response, from *url.URL) *url.URL {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	text := resp.Header.Get("Location")
	if text == "" {
		return nil
	}
	to, err := from.Parse(text)
	if err != nil {
		return nil
	}
	return to
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// bounded is a body that fails once more than limit bytes are read from it.
type bounded struct {
	io.ReadCloser
	left, limit int64
}

// Read reads on, or fails with *netx.TooLarge; what is over the limit is not returned.
func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &netx.TooLarge{Limit: b.limit}
	}
	return n, err
}

var _ http.RoundTripper = (*transport)(nil)
