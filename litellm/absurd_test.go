package litellm_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// absurd is a proxy that answers lists as it likes: answer gets the number of the page that was asked for.
func absurd(t *testing.T, answer func(page int) string) *litellm.Client {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/health") {
			release("1.106.10").write(w)
			return
		}
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		fmt.Fprint(w, answer(page))
	}))
	t.Cleanup(s.Close)
	return client(&script{Server: s}, nil)
}

// full is a page of so many rows that differ from page to page.
func full(field string, n, page int, row func(i int) string, more string) string {
	return rows(field, n, page*n, row, more).body
}

func keyRow(i int) string { return fmt.Sprintf(`{"token":"%d","user_id":"u"}`, i) }

// TestAbsurdLists: whatever a proxy says of how long a list is, reading it ends after few requests, with a clear error where
// the list cannot be right.
func TestAbsurdLists(t *testing.T) {
	t.Parallel()
	same := func(more string) func(int) string {
		return func(int) string { return full("keys", 100, 0, keyRow, more) }
	}
	for name, c := range map[string]struct {
		answer   func(page int) string
		requests int64 // at most
		want     string
	}{
		"nine thousand pages":      {same(`,"total_pages":9000`), 1, "the list has 9000 pages; at most 1000 are read"},
		"as many pages as fit":     {same(`,"total_pages":999999999999999`), 1, "the list has 999999999999999 pages"},
		"more pages than fit":      {same(`,"total_pages":9223372036854775808`), 1, "it is not a whole number of sane size"},
		"more pages than any":      {same(`,"total_pages":1e400`), 1, "it is not a number of sane size"},
		"pages to fill the memory": {same(`,"total_pages":1e999999999`), 1, "it is not a number of sane size"},
		"fewer than no pages":      {same(`,"total_pages":-1`), 1, "it is not a whole number from 0 on"},
		"not a number of pages":    {same(`,"total_pages":"NaN"`), 1, "it is not a number of sane size"},
		"half a page":              {same(`,"total_pages":1.5`), 1, "it is not a whole number of sane size"},
		"the same page again":      {same(`,"total_pages":900,"current_page":1,"total_count":1000000000`), 6, "page 2 of the list is page 1 again"},
		"for ever the same":        {same(""), 2, "page 2 of the list is page 1 again"},
		"for ever another":         {func(page int) string { return full("keys", 100, page, keyRow, "") }, 1000, "the list does not end within 1000 pages"},
		"far fewer than was said":  {func(page int) string { return full("keys", 100*max(2-page, 0), page, keyRow, `,"total_pages":900`) }, 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := absurd(t, c.answer)
			keys, err := client.Keys(context.Background(), "u")
			if c.want == "" && (err != nil || len(keys) != 100) {
				t.Errorf("%d keys, %v", len(keys), err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if n := client.Requests(); n > c.requests {
				t.Errorf("%d requests, at most %d make sense", n, c.requests)
			}
		})
	}
}

// TestAbsurdLogs: rows that nobody asked for are not read for ever.
func TestAbsurdLogs(t *testing.T) {
	t.Parallel()
	q := litellm.LogQuery{From: noon.Add(-time.Hour), To: noon, Limit: 1000} // the rows are of later
	for name, c := range map[string]struct {
		answer func(page int) string
		want   string
	}{
		"rows of another time":  {func(page int) string { return full("data", 1000, page, logRow, "") }, "11 pages in a row hold nothing that was asked for"},
		"the same rows again":   {func(int) string { return full("data", 1000, 0, logRow, "") }, "page 2 of the list is page 1 again"},
		"a spend beyond bounds": {func(int) string { return `{"data":[{"request_id":"a","spend":1e999999999}]}` }, "it is not a number of sane size"},
		"tokens beyond bounds":  {func(int) string { return `{"data":[{"request_id":"a","prompt_tokens":9e18}]}` }, "it is not a whole number of sane size"},
		"fewer than no tokens":  {func(int) string { return `{"data":[{"request_id":"a","completion_tokens":-1}]}` }, "it is not a whole number from 0 on"},
	} {
		t.Run(name, func(t *testing.T) {
			client := absurd(t, c.answer)
			var last error
			for _, err := range client.SpendLogs(context.Background(), q) {
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), c.want) || client.Requests() > 13 {
				t.Errorf("%d requests: %v, want %q", client.Requests(), last, c.want)
			}
		})
	}
}

// TestAbsurdActivity: days that do not end, and counts that do not fit, neither hang nor wrap around.
func TestAbsurdActivity(t *testing.T) {
	t.Parallel()
	q := litellm.ActivityQuery{From: "2026-11-01", To: "2026-11-30"}
	day := func(n int, metrics string) string {
		return fmt.Sprintf(`{"date":"2026-11-22","metrics":%s,"breakdown":{"n":{"%d":{}}}}`, metrics, n)
	}
	more := `],"metadata":{"has_more":true}}`
	for name, c := range map[string]struct {
		answer   func(page int) string
		requests int64
		want     string
	}{
		"always more of the same": {func(int) string { return `{"results":[` + day(0, metrics("1", 1)) + more }, 2, "page 2 of the list is page 1 again"},
		"always more":             {func(page int) string { return `{"results":[` + day(page, metrics("1", 1)) + more }, 200, "does not end within 200 pages"},
		"more of nothing":         {func(int) string { return `{"results":[` + more }, 1, "page 1 is empty, and not the last"},
		"nine thousand pages": {func(page int) string {
			return `{"results":[` + day(page, metrics("1", 1)) + `],"metadata":{"total_pages":9000}}`
		}, 1, "has 9000 pages; at most 200 are read"},
		"too many tokens": {func(int) string { return `{"results":[` + day(0, `{"prompt_tokens":1e30}`) + `]}` }, 1, "it is not a whole number of sane size"},
	} {
		t.Run(name, func(t *testing.T) {
			client := absurd(t, c.answer)
			_, err := client.Activity(context.Background(), q)
			if err == nil || !strings.Contains(err.Error(), c.want) || client.Requests() > c.requests {
				t.Errorf("%d requests: %v, want %q", client.Requests(), err, c.want)
			}
		})
	}

	// As many tokens as are believed, ten thousand times over.
	many := strings.Repeat(day(0, `{"prompt_tokens":1e15,"completion_tokens":1e15}`)+",", 10_000)
	a, err := absurd(t, func(int) string { return `{"results":[` + strings.TrimSuffix(many, ",") + `]}` }).Activity(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if m := a.Days[0].Metrics; m.PromptTokens != 1<<63-1 || m.Tokens() != 1<<63-1 {
		t.Errorf("%d prompt tokens, %d in all", m.PromptTokens, m.Tokens())
	}
}

// TestAbsurdBodies: a body without end is not read to its end, and what a header asks for in years is not waited for.
func TestAbsurdBodies(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/user/info" {
			w.Header().Set("Retry-After", "99999999")
			w.Header().Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		for r.Context().Err() == nil {
			fmt.Fprint(w, strings.Repeat("[", 1000))
		}
	}))
	defer s.Close()
	c := client(&script{Server: s}, nil)
	_, err := c.Models(context.Background())
	wantKind(t, err, litellm.TooLarge)
	if !strings.Contains(err.Error(), "larger than 33554432 bytes") || c.Requests() != 1 {
		t.Errorf("%d requests: %v", c.Requests(), err)
	}
	_, err = c.User(context.Background(), "u")
	wantKind(t, err, litellm.RateLimited)
	if c.Requests() != 2 {
		t.Errorf("%d requests", c.Requests())
	}
}
