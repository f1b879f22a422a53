package litellm_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
)

// release answers who asks which release this is.
func release(version string) reply {
	return reply{body: `{"status":"healthy","db":"connected","litellm_version":"` + version + `"}`}
}

// rows is n rows as a list in field, numbered from first.
func rows(field string, n, first int, row func(i int) string, more string) reply {
	list := make([]string, n)
	for i := range list {
		list[i] = row(first + i)
	}
	return reply{body: `{"` + field + `":[` + strings.Join(list, ",") + `]` + more + `}`}
}

func TestKeysReadsEveryPageOnce(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf(`{"token":"%d","user_id":"u","key_alias":"a"}`, i) }
	s := serve(t, rows("keys", 100, 0, row, `,"total_pages":3`), rows("keys", 100, 99, row, `,"total_pages":3`), rows("keys", 5, 199, row, `,"total_pages":3`))
	keys, err := client(s, nil).Keys(context.Background(), "u")
	if wantNil(t, err); len(keys) != 204 || len(s.asked) != 3 {
		t.Errorf("%d keys in %d requests", len(keys), len(s.asked))
	}
	if want := "GET /key/list?page=2&return_full_object=true&size=100&sort_by=created_at&sort_order=asc&user_id=u"; !slices.Contains(s.asked, want) {
		t.Error(s.asked)
	}
	s = serve(t, rows("keys", 100, 0, row, `,"total_pages":1`))
	if keys, err = client(s, nil).KeysByAlias(context.Background(), "a"); err != nil || len(keys) != 100 || len(s.asked) != 1 {
		t.Errorf("%d keys in %d requests, %v", len(keys), len(s.asked), err)
	}
	if keys, err = client(s, nil).KeysByAlias(context.Background(), "A"); err != nil || len(keys) != 0 {
		t.Errorf("another alias: %v, %v", keys, err)
	}
}

func TestHalfAListIsAnError(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf(`{"token":"%d"}`, i) }
	keys, err := client(serve(t, rows("keys", 100, 0, row, ""), down), nil).Keys(context.Background(), "")
	if wantKind(t, err, litellm.DatabaseDown); keys != nil {
		t.Errorf("%d keys of a list that broke off", len(keys))
	}
}

func TestUsersByPrefix(t *testing.T) {
	s := serve(t, reply{body: `{"users":[{"user_id":"openclaw-litellm/a","spend":1.5},{"user_id":"x/openclaw-litellm/b"}],"total_pages":1}`})
	users, err := client(s, nil).Users(context.Background(), "openclaw-litellm/")
	if wantNil(t, err); len(users) != 1 || users[0].ID != "openclaw-litellm/a" || !users[0].Spend.Equal(usd("1.5")) || users[0].Keys != nil {
		t.Errorf("%+v", users)
	}
}

func logRow(i int) string {
	start := noon.Add(time.Duration(i) * time.Second).Format("2006-01-02T15:04:05.000-07:00")
	return fmt.Sprintf(`{"request_id":"%d","api_key":"h","spend":0.05,"startTime":%q,"model":"openai/x","model_group":"backup","status":"success",`+
		`"request_tags":"[\"a\"]","cache_hit":"True","metadata":{"user_api_key_alias":"k","attempted_fallbacks":1,"original_model_group":"primary"}}`, i, start)
}

func collect(t *testing.T, c *litellm.Client, q litellm.LogQuery) []litellm.SpendLog {
	t.Helper()
	var out []litellm.SpendLog
	for row, err := range c.SpendLogs(context.Background(), q) {
		wantNil(t, err)
		out = append(out, row)
	}
	return out
}

func TestSpendLogsPages(t *testing.T) {
	q := litellm.LogQuery{From: noon, To: noon.Add(time.Hour), Token: "h", Status: "success"}
	// A row that comes in between pages shifts the second one: row 99 comes again.
	s := serve(t, release("1.81.13"), rows("data", 100, 0, logRow, ""), rows("data", 50, 99, logRow, ""))
	got := collect(t, client(s, nil), q)
	if len(got) != 149 || len(s.asked) != 3 {
		t.Errorf("%d rows in %d requests", len(got), len(s.asked))
	}
	want := "GET /spend/logs/v2?api_key=h&end_date=2026-11-23+13%3A00%3A00&page=1&page_size=100&sort_by=startTime&sort_order=asc" +
		"&start_date=2026-11-23+12%3A00%3A00&status_filter=success"
	if s.asked[1] != want {
		t.Error(s.asked[1])
	}
	if r := got[1]; r.AttemptedFallbacks != 1 || r.OriginalModelGroup != "primary" || r.KeyAlias != "k" || !r.CacheHit || !slices.Equal(r.Tags, []string{"a"}) {
		t.Errorf("%+v", r)
	}

	q.Limit = 7
	s = serve(t, release("1.106.10"), rows("data", 7, 0, logRow, ""))
	if got = collect(t, client(s, nil), q); len(got) != 7 || len(s.asked) != 2 || !strings.Contains(s.asked[1], "page_size=7&") {
		t.Errorf("%d rows, %v", len(got), s.asked)
	}
}

func TestSpendLogsEnds(t *testing.T) {
	s := serve(t, release("1.106.10"), rows("data", 4, 0, logRow, ""))
	q := litellm.LogQuery{From: noon.Add(time.Second), To: noon.Add(3 * time.Second)}
	got := collect(t, client(s, nil), q)
	if len(got) != 2 || got[0].RequestID != "1" || got[1].RequestID != "2" {
		t.Errorf("[From, To) gave %+v", got)
	}
}

func TestSpendLogsGoesOverToSmallPages(t *testing.T) {
	refused := reply{status: 422, body: `{"detail":[{"loc":["query","page_size"],"msg":"Input should be less than or equal to 100"}]}`}
	s := serve(t, release("1.106.10"), rows("data", 1000, 0, logRow, ""), refused, rows("data", 3, 1000, logRow, ""))
	got := collect(t, client(s, nil), litellm.LogQuery{From: noon, To: noon.Add(time.Hour)})
	if len(got) != 1003 || !strings.Contains(s.asked[3], "page=11&page_size=100") {
		t.Errorf("%d rows, %v", len(got), s.asked)
	}
}

func TestSpendLogsStopsAtAnError(t *testing.T) {
	s := serve(t, release("1.81.13"), rows("data", 100, 0, logRow, ""), reply{body: `{"data":[{"spend":"much"}]}`})
	n, failed := 0, 0
	for _, err := range client(s, nil).SpendLogs(context.Background(), litellm.LogQuery{From: noon, To: noon.Add(time.Hour)}) {
		if n++; err != nil {
			failed++
			wantKind(t, err, litellm.BadAnswer)
		}
	}
	if n != 101 || failed != 1 {
		t.Errorf("%d rows, %d errors", n, failed)
	}
}

func TestSpendLogRowOfOldReleaseAndFailure(t *testing.T) {
	body := `{"data":[{"request_id":"f","startTime":"2026-11-23T12:00:01.5+00:00","spend":0,"status":"failure","cache_hit":"None","metadata":` +
		`{"attempted_fallbacks":null,"error_information":{"error_class":"X","error_message":"key sk-abcdefgh is bad\n at line 1"}}}]}`
	got := collect(t, client(serve(t, release("1.106.10"), reply{body: body}), nil), litellm.LogQuery{From: noon, To: noon.Add(time.Hour)})
	if r := got[0]; r.AttemptedFallbacks != -1 || r.Status != "failure" || r.ErrorMessage != "key [redacted] is bad at line 1" || r.ErrorClass != "X" || r.CacheHit {
		t.Errorf("%+v", r)
	}
}

func metrics(spend string, requests int) string {
	return fmt.Sprintf(`{"spend":%s,"prompt_tokens":10,"completion_tokens":20,"api_requests":%d,"successful_requests":%d,"failed_requests":0}`, spend, requests, requests)
}

// activityDay is one result of two keys, a and b, each spending on backup by openai.
func activityDay(date string) string {
	split := `"api_key_breakdown":{"a":{"metrics":` + metrics("0.1", 1) + `},"b":{"metrics":` + metrics("0.3", 2) + `}}`
	one := func(name string) string {
		return `{"` + name + `":{"metrics":` + metrics("0.4", 3) + `,` + split + `}}`
	}
	return `{"date":"` + date + `","metrics":` + metrics("0.4", 3) + `,"breakdown":{"models":` + one("openai/fake2") + `,"model_groups":` + one("backup") +
		`,"providers":` + one("openai") + `,"api_keys":{"a":{"metrics":` + metrics("0.1", 1) + `},"b":{"metrics":` + metrics("0.3", 2) + `}}}}`
}

func TestActivityPutsPagesTogether(t *testing.T) {
	page := func(more bool, days ...string) reply {
		return reply{body: `{"results":[` + strings.Join(days, ",") + `],"metadata":{"has_more":` + strconv.FormatBool(more) + `}}`}
	}
	s := serve(t, page(true, activityDay("2026-11-22"), activityDay("2026-11-21")), page(false, activityDay("2026-11-21")))
	a, err := client(s, nil).Activity(context.Background(), litellm.ActivityQuery{From: "2026-11-01", To: "2026-11-30"})
	wantNil(t, err)
	if len(a.Days) != 2 || a.Days[0].Date != "2026-11-21" || a.Truncated {
		t.Fatalf("%+v", a)
	}
	if d := a.Days[0]; !d.Metrics.Spend.Equal(usd("0.8")) || d.Metrics.Requests != 6 || !d.Models["backup"].Spend.Equal(usd("0.8")) ||
		!d.Keys["a"].Spend.Equal(usd("0.2")) || d.Providers["openai"].PromptTokens != 20 {
		t.Errorf("%+v", d)
	}
	if want := "GET /user/daily/activity?end_date=2026-11-30&page=2&page_size=1000&start_date=2026-11-01"; s.asked[1] != want {
		t.Error(s.asked[1])
	}
}

// Releases before 1.93 ignore user_id: the sums of the user's keys are taken.
func TestActivityOfUserOnOldRelease(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := release("1.81.13")
		switch r.URL.Path + "?" + r.URL.Query().Get("status") {
		case "/key/list?":
			answer = reply{body: `{"keys":[{"token":"a","user_id":"u"}],"total_pages":1}`}
		case "/key/list?deleted":
			answer = reply{body: `{"keys":[{"token":"gone","user_id":"u"}],"total_pages":1}`}
		case "/user/daily/activity?":
			answer = reply{body: `{"results":[` + activityDay("2026-11-22") + `],"metadata":{}}`}
		}
		answer.write(w)
	}))
	defer s.Close()
	c := client(&script{Server: s}, nil)
	a, err := c.Activity(context.Background(), litellm.ActivityQuery{From: "2026-11-01", To: "2026-11-30", UserID: "u"})
	wantNil(t, err)
	if len(a.Days) != 1 {
		t.Fatalf("%+v", a)
	}
	d := a.Days[0]
	if !d.Metrics.Spend.Equal(usd("0.1")) || len(d.Keys) != 1 || !d.Models["backup"].Spend.Equal(usd("0.1")) || d.Providers["openai"].Requests != 1 {
		t.Errorf("%+v", d)
	}
}

// TestModelsListsWildcardsOnce holds that every release tells its wildcards, each once.
func TestModelsListsWildcardsOnce(t *testing.T) {
	for _, version := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		proxy := litellmtest.New(litellmtest.Options{Release: version, Models: []litellmtest.ModelSpec{
			{Name: "openai/*"}, {Name: "openai/gpt-4o", Wildcard: "openai/*"}, {Name: "named"},
		}})
		t.Cleanup(proxy.Close)
		c := &litellm.Client{BaseURL: proxy.URL(), Key: proxy.MasterKey()}
		models, err := c.Models(context.Background())
		wantNil(t, err)
		var names []string
		for _, m := range models {
			names = append(names, m.Name)
		}
		if !slices.Equal(names, []string{"openai/*", "openai/gpt-4o", "named"}) {
			t.Errorf("%s: %q", version, names)
		}
	}
}
