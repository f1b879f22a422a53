package github_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/secret"
)

// anything answers every request with one status, body and header, and after a few with an error, so that no list goes on
// for ever.
type anything struct {
	status       int
	header, body string
	left         int
}

func (a *anything) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Link": {a.header}, "Retry-After": {a.header}, "X-Ratelimit-Remaining": {a.header},
		"X-Ratelimit-Reset": {a.header}, "X-Accepted-Github-Permissions": {a.header}, "Github-Authentication-Token-Expiration": {a.header}, "Location": {a.header}}
	status := a.status
	if a.left--; a.left < 0 {
		status = http.StatusTeapot
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

// FuzzAnswers lets GitHub, or what stands before it, answer anything to whoever reads issues, comments and repositories and
// writes secrets: no panic, no work without bounds, and an error is one line that holds no secret.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []struct {
		status       int
		header, body string
	}{
		{200, `<https://api.github.com/x?page=2>; rel="next"`, `[{"number":3,"title":"t","body":"b","state":"open","user":{"login":"x[bot]","id":1},"labels":[{"name":"l"}],"updated_at":"2026-11-23T18:33:07Z"}]`},
		{200, "", `{"id":1,"private":true,"full_name":"acme/agents","name":"agents","topics":["a"],"owner":{"login":"acme"},"archived":false}`},
		{200, "", `{"key_id":"1","key":"2Sg8iYjAxxmI2LvUXpJjkYrMxURPc8r+dB7TJyvvcCU="}`}, {200, "", `{"key_id":"1","key":"AAAA"}`},
		{201, "2026-12-01 00:00:00 UTC", `{"name":"LITELLM_API_KEY","updated_at":"2026-11-23T18:33:07Z","visibility":"selected"}`},
		{403, "secrets=write", `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com"}`},
		{404, "", `{"message":"Not Found"}`}, {422, "", `{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing"}]}`},
		{429, "60", `{"message":"You have exceeded a secondary rate limit"}`}, {301, "https://evil.example/x", ""}, {500, "", "<html>"}, {200, "", "{"}, {200, "", "null"},
	} {
		f.Add(seed.status, seed.header, seed.body)
	}
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		if status < 200 || status > 599 || strings.ContainsAny(header, "\r\n") {
			return
		}
		ctx := context.Background()
		at := &clock{at: start}
		fresh := func() *github.Client {
			return &github.Client{Token: secret.New(fakeToken), APIURL: "https://github.example.com/api/v3", Now: at.now, Sleep: at.sleep,
				HTTP: &http.Client{Transport: &anything{status, header, body, 6}}}
		}
		said := func(what string, err error) {
			if err == nil {
				return
			}
			var e *github.Error
			if text := err.Error(); strings.Contains(text, fakeToken) || strings.Contains(text, fakeValue) || len(text) > 4000 || strings.ContainsAny(text, "\n\x1b\x00") {
				t.Errorf("%s: %q", what, text)
			} else if !errors.As(err, &e) && text == "" {
				t.Errorf("%s: an error that says nothing", what)
			}
		}
		_, err := fresh().Issues(ctx, "acme/ops", "litellm")
		said("listing issues", err)
		_, err = fresh().Issue(ctx, "acme/ops", 3)
		said("reading an issue", err)
		_, err = fresh().Comments(ctx, "acme/ops", 3)
		said("listing comments", err)
		_, err = fresh().Repository(ctx, "acme", "ops")
		said("reading a repository", err)
		_, err = fresh().Repositories(ctx, "acme", true)
		said("listing repositories", err)
		_, err = fresh().Viewer(ctx)
		said("asking who we are", err)
		said("making a label", fresh().EnsureLabel(ctx, "acme/ops", "l", "ffffff", "d"))
		said("dispatching", fresh().Dispatch(ctx, "acme/ops", "e", map[string]string{"a": "b"}))
	})
}
