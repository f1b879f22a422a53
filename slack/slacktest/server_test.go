package slacktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

// call makes one API call with a form, as curl would.
func call(t *testing.T, s *slacktest.Server, method string, args url.Values) map[string]any {
	t.Helper()
	if args == nil {
		args = url.Values{}
	}
	args.Set("token", s.Token().Reveal())
	resp, err := http.PostForm(s.URL()+method, args)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	out["status"] = resp.StatusCode
	return out
}

func repeat(n int, block string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(block+",", n), ",") + "]"
}

func TestBlockLimits(t *testing.T) {
	section := func(n int) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", n) + `"}}`
	}
	tests := map[string]struct{ blocks, want string }{
		"fine":              {repeat(2, section(3000)), ""},
		"50 blocks":         {repeat(50, `{"type":"divider"}`), ""},
		"51 blocks":         {repeat(51, `{"type":"divider"}`), "invalid_blocks"},
		"section too long":  {repeat(1, section(3001)), "invalid_blocks"},
		"section empty":     {repeat(1, section(0)), "invalid_blocks"},
		"section bare":      {`[{"type":"section"}]`, "invalid_blocks"},
		"all too long":      {repeat(5, section(2900)), "msg_blocks_too_long"},
		"header 150":        {`[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 150) + `"}}]`, ""},
		"header 151":        {`[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 151) + `"}}]`, "invalid_blocks"},
		"header of mrkdwn":  {`[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`, "invalid_blocks"},
		"11 fields":         {`[{"type":"section","fields":` + repeat(11, `{"type":"mrkdwn","text":"x"}`) + `}]`, "invalid_blocks"},
		"long field":        {`[{"type":"section","fields":[{"type":"mrkdwn","text":"` + strings.Repeat("x", 2001) + `"}]}]`, "invalid_blocks"},
		"11 elements":       {`[{"type":"context","elements":` + repeat(11, `{"type":"mrkdwn","text":"x"}`) + `}]`, "invalid_blocks"},
		"alert":             {`[{"type":"alert"}]`, "invalid_blocks"},
		"made-up type":      {`[{"type":"sparkline"}]`, "invalid_blocks"},
		"not a list":        {`{"type":"divider"}`, "invalid_blocks_format"},
		"same id twice":     {`[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, "invalid_blocks"},
		"two tables":        {repeat(2, `{"type":"table","rows":[[{"type":"raw_text","text":"x"}]]}`), "invalid_attachments"},
		"101 rows":          {`[{"type":"table","rows":` + repeat(101, `[{"type":"raw_text","text":"x"}]`) + `}]`, "invalid_blocks"},
		"data table":        {`[{"type":"data_table","rows":` + repeat(2, `[{"type":"raw_text","text":"x"}]`) + `}]`, ""},
		"pie":               {`[{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"a","value":1}]}}]`, ""},
		"pie, 7 segments":   {`[{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":` + repeat(7, `{"label":"a","value":1}`) + `}}]`, "invalid_blocks"},
		"line, long label":  {`[{"type":"data_visualization","title":"t","chart":{"type":"line","series":[{"name":"s","data":[{"label":"` + strings.Repeat("x", 21) + `","value":1}]}]}}]`, "invalid_blocks"},
		"three charts":      {repeat(3, `{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"a","value":1}]}}`), "invalid_blocks"},
		"image without alt": {`[{"type":"image","image_url":"https://example.com/a.png"}]`, "invalid_blocks"},
	}
	s := slacktest.New(slacktest.Options{})
	defer s.Close()
	for name, tt := range tests {
		out := call(t, s, "chat.postMessage", url.Values{"channel": {"C0000000001"}, "text": {"t"}, "blocks": {tt.blocks}})
		if got, _ := out["error"].(string); got != tt.want || out["ok"] != (tt.want == "") {
			t.Errorf("%s: got %v, want %q", name, out, tt.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	s := slacktest.New(slacktest.Options{})
	defer s.Close()
	if out := call(t, s, "auth.test", nil); out["ok"] != true || out["bot_id"] == "" {
		t.Errorf("auth.test: %v", out)
	}
	if out := call(t, s, "chat.postMessage", url.Values{"channel": {"#litellm"}, "text": {" "}}); out["error"] != "no_text" {
		t.Errorf("empty text: %v", out)
	}
	if out := call(t, s, "chat.postMessage", url.Values{"channel": {"#litellm"}, "text": {strings.Repeat("x", 40_001)}}); out["error"] != "msg_too_long" {
		t.Errorf("long text: %v", out)
	}
	if out := call(t, s, "chat.delete", nil); out["error"] != "unknown_method" {
		t.Errorf("unknown method: %v", out)
	}
	resp, err := http.Post(s.URL()+"auth.test", "application/x-www-form-urlencoded", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.Contains(string(body), "not_authed") {
		t.Errorf("without a token: %s", body)
	}
}

func TestUpdateTakesIDsOnlyAndDropsBlocks(t *testing.T) {
	s := slacktest.New(slacktest.Options{})
	defer s.Close()
	blocks := `[{"type":"divider"}]`
	ts := call(t, s, "chat.postMessage", url.Values{"channel": {"#litellm"}, "text": {"a"}, "blocks": {blocks}})["ts"].(string)
	if out := call(t, s, "chat.update", url.Values{"channel": {"#litellm"}, "ts": {ts}, "text": {"b"}}); out["error"] != "channel_not_found" {
		t.Errorf("by name: %v", out)
	}
	if out := call(t, s, "chat.update", url.Values{"channel": {"C0000000001"}, "ts": {ts}, "text": {"b"}}); out["ok"] != true {
		t.Errorf("by ID: %v", out)
	}
	m := s.Messages()[0]
	if len(m.Versions) != 2 || string(m.Versions[0].Blocks) != blocks || m.Last().Blocks != nil {
		t.Errorf("history %+v", m.Versions)
	}
}

func TestUpdatesAreLimited(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := slacktest.New(slacktest.Options{Updates: 2, Now: func() time.Time { return now }})
	defer s.Close()
	ts := call(t, s, "chat.postMessage", url.Values{"channel": {"C0000000001"}, "text": {"a"}})["ts"].(string)
	update := func() any {
		return call(t, s, "chat.update", url.Values{"channel": {"C0000000001"}, "ts": {ts}, "text": {"b"}})["status"]
	}
	if a, b, c := update(), update(), update(); a != 200 || b != 200 || c != 429 {
		t.Errorf("got %v %v %v", a, b, c)
	}
	now = now.Add(time.Minute)
	if got := update(); got != 200 {
		t.Errorf("a minute later: %v", got)
	}
}

func TestWebhookMessagesAreNotTheBots(t *testing.T) {
	s := slacktest.New(slacktest.Options{})
	defer s.Close()
	resp, err := http.Post(s.WebhookURL().Reveal(), "application/json", strings.NewReader(`{"text":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "ok" {
		t.Fatalf("got %s", body)
	}
	m := s.Messages()[0]
	out := call(t, s, "chat.update", url.Values{"channel": {m.Channel}, "ts": {m.TS}, "text": {"b"}})
	if out["error"] != "cant_update_message" || !m.Webhook {
		t.Errorf("got %v", out)
	}
}

func TestLostAnswerIsCarriedOut(t *testing.T) {
	s := slacktest.New(slacktest.Options{})
	defer s.Close()
	s.Fail(slacktest.Fault{Method: "chat.postMessage", Skip: 1, Lost: true})
	args := url.Values{"channel": {"C0000000001"}, "text": {"a"}, "token": {s.Token().Reveal()}}
	for i, wantErr := range []bool{false, true, false} {
		resp, err := http.PostForm(s.URL()+"chat.postMessage", args)
		if err == nil {
			resp.Body.Close()
		}
		if (err != nil) != wantErr {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if n := len(s.Messages()); n != 3 {
		t.Errorf("%d messages", n)
	}
	for _, r := range s.Requests() {
		if strings.Contains(r.Text+r.Channel+r.Method, s.Token().Reveal()) {
			t.Error("the request log holds the token")
		}
	}
}
