package slack_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

func TestLivingMessage(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	ctx := t.Context()
	ref, err := w.bot.Post(ctx, "#litellm", message("80% used"))
	if err != nil {
		t.Fatal(err)
	}
	if ref.Channel != channel || ref.IsZero() {
		t.Errorf("posted to %+v", ref)
	}
	w.Rename(channel, "money")
	if err := w.bot.Update(ctx, ref, message("95% used")); err != nil {
		t.Fatal(err)
	}
	reply, err := w.bot.Reply(ctx, ref, message("crossed 95%"))
	if err != nil {
		t.Fatal(err)
	}
	ms := w.Messages()
	if len(ms) != 2 || ms[1].ThreadTS != ref.TS || ms[1].TS != reply.TS {
		t.Fatalf("messages: %+v", ms)
	}
	if v := ms[0].Versions; len(v) != 2 || v[0].Text != "80% used" || v[1].Text != "95% used" || v[1].Blocks == nil {
		t.Errorf("versions: %+v", v)
	}
	if len(w.notes) > 0 {
		t.Errorf("notes: %q", w.notes)
	}
}

func TestUpdateWithoutBlocksClearsThem(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	ref, err := w.bot.Post(t.Context(), channel, message("a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.bot.Update(t.Context(), ref, slack.Message{Text: "b"}); err != nil {
		t.Fatal(err)
	}
	if last := w.Requests()[1]; string(last.Blocks) != "[]" {
		t.Errorf("sent blocks %q", last.Blocks)
	}
	if v := w.Messages()[0].Last(); v.Text != "b" || v.Blocks != nil {
		t.Errorf("message now %+v", v)
	}
}

func TestKinds(t *testing.T) {
	tests := map[string]struct {
		o    slacktest.Options
		do   func(*world)
		want slack.Kind
		code string
	}{
		"no channel":    {do: func(w *world) { w.Remove(channel) }, want: slack.ChannelNotFound, code: "channel_not_found"},
		"archived":      {do: func(w *world) { w.Archive(channel) }, want: slack.ChannelArchived, code: "is_archived"},
		"kicked":        {do: func(w *world) { w.Kick(channel) }, want: slack.NotInChannel, code: "not_in_channel"},
		"revoked":       {do: func(w *world) { w.Revoke() }, want: slack.TokenInvalid, code: "token_revoked"},
		"missing scope": {o: slacktest.Options{Scopes: []string{"channels:read"}}, want: slack.MissingScope, code: "missing_scope"},
		"wrong token":   {do: func(w *world) { w.bot.Token = secret.New("another") }, want: slack.TokenInvalid, code: "invalid_auth"},
		"deleted": {do: func(w *world) {
			for _, m := range w.Messages() {
				w.Delete(m.Channel, m.TS)
			}
		}, want: slack.MessageGone, code: "message_not_found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.o)
			ref, _ := w.bot.Post(t.Context(), channel, message("before"))
			if tt.do != nil {
				tt.do(w)
			}
			err := w.bot.Update(t.Context(), ref, message("after"))
			var e *slack.Error
			if !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Code != tt.code {
				t.Errorf("got %v, want %s (%s)", err, tt.want, tt.code)
			}
			if len(w.slept) > 0 {
				t.Errorf("waited %v for something that will not change", w.slept)
			}
		})
	}
}

func TestReplyToDeleted(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	ref, _ := w.bot.Post(t.Context(), channel, message("a"))
	w.Delete(channel, ref.TS)
	if _, err := w.bot.Reply(t.Context(), ref, message("b")); err != nil {
		t.Fatal(err)
	}
	if len(w.notes) != 1 || !strings.Contains(w.notes[0], "message is gone") {
		t.Errorf("notes %q", w.notes)
	}
}

func TestRateLimit(t *testing.T) {
	w := newWorld(t, slacktest.Options{PostGap: 5 * time.Second})
	for range 3 {
		if _, err := w.bot.Post(t.Context(), channel, message("a")); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.Messages()) != 3 || len(w.slept) != 2 || w.slept[0] != 5*time.Second {
		t.Errorf("%d messages after waits %v", len(w.Messages()), w.slept)
	}
}

func TestRateLimitTooLong(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	w.Fail(slacktest.Fault{Status: 429, RetryAfter: 2 * time.Minute})
	_, err := w.bot.Post(t.Context(), channel, message("a"))
	var e *slack.Error
	if !errors.As(err, &e) || e.Kind != slack.RateLimited || e.RetryAfter != 2*time.Minute || e.MaybeSent {
		t.Errorf("got %v", err)
	}
	if len(w.slept) > 0 {
		t.Errorf("waited %v though the wait goes over the limit", w.slept)
	}
}

func TestRateLimitWithoutHeader(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	for range 4 {
		w.Fail(slacktest.Fault{Status: 429})
	}
	_, err := w.bot.Post(t.Context(), channel, message("a"))
	if !errors.Is(err, slack.RateLimited) || len(w.slept) != 3 {
		t.Errorf("got %v after waits %v", err, w.slept)
	}
}

func TestLostAnswers(t *testing.T) {
	t.Run("a post is not repeated", func(t *testing.T) {
		for name, f := range map[string]slacktest.Fault{
			"lost": {Lost: true}, "half": {Lost: true, Half: true}, "500": {Status: 500}, "not Slack": {Status: 200},
		} {
			w := newWorld(t, slacktest.Options{})
			w.Fail(f)
			_, err := w.bot.Post(t.Context(), channel, message("a"))
			var e *slack.Error
			if !errors.As(err, &e) || !e.MaybeSent || len(w.Requests()) != 1 {
				t.Errorf("%s: got %v after %d requests", name, err, len(w.Requests()))
			}
		}
	})
	t.Run("an update is", func(t *testing.T) {
		w := newWorld(t, slacktest.Options{})
		ref, _ := w.bot.Post(t.Context(), channel, message("a"))
		w.Fail(slacktest.Fault{Lost: true})
		w.Fail(slacktest.Fault{Status: 503})
		w.Fail(slacktest.Fault{Status: 200, Body: "{}"})
		if err := w.bot.Update(t.Context(), ref, message("b")); err != nil {
			t.Fatal(err)
		}
		wantStrings(t, "requests", w.answers(), "chat.postMessage ok", "chat.update ok", "chat.update 503",
			"chat.update 200", "chat.update ok")
	})
	t.Run("what was never sent is", func(t *testing.T) {
		w := newWorld(t, slacktest.Options{})
		w.Close()
		_, err := w.bot.Post(t.Context(), channel, message("a"))
		var e *slack.Error
		if !errors.As(err, &e) || e.Kind != slack.Network || e.MaybeSent || len(w.slept) != 2 {
			t.Errorf("got %v after waits %v", err, w.slept)
		}
	})
}

// TestLastingFaultsAreNotRetried: a certificate that is not trusted is the same a second later.
func TestLastingFaultsAreNotRetried(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	w := newWorld(t, slacktest.Options{})
	w.bot.APIURL = server.URL
	_, err := w.bot.Post(t.Context(), channel, message("a"))
	if !errors.Is(err, slack.Network) || len(w.slept) > 0 {
		t.Errorf("got %v after waits %v", err, w.slept)
	}
}

// TestSilence: Slack is given up after one call that was not answered, for everybody who sends there.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		silent := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			requests++
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		system := &netx.System{Name: "Slack"}
		one := &slack.Bot{Token: secret.New("t-t-t-t"), HTTP: silent, System: system}
		other := &slack.Webhook{URL: secret.New("https://hooks.example.com/services/a/b/c"), HTTP: silent, System: system}
		start := time.Now()
		_, first := one.Post(t.Context(), channel, message("a"))
		probe := other.Post(t.Context(), message("b"))
		err := one.Update(t.Context(), slack.Ref{Channel: channel, TS: "1"}, message("c"))
		if !errors.Is(first, slack.Network) || !errors.Is(probe, slack.Network) || !errors.Is(err, slack.NotAsked) || requests != 2 {
			t.Errorf("%d requests: %v; %v; %v", requests, first, probe, err)
		}
		if took := time.Since(start); took != 15*time.Second || !strings.Contains(err.Error(), "not asked: Slack does not answer") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

// roundTrip is a transport of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectNotFollowed(t *testing.T) {
	w, other := newWorld(t, slacktest.Options{}), newWorld(t, slacktest.Options{})
	w.Fail(slacktest.Fault{Status: http.StatusTemporaryRedirect, Location: other.URL() + "chat.postMessage"})
	if _, err := w.bot.Post(t.Context(), channel, message("a")); !errors.Is(err, slack.Refused) {
		t.Errorf("got %v", err)
	}
	w.Fail(slacktest.Fault{Status: http.StatusPermanentRedirect, Location: other.WebhookURL().Reveal()})
	if err := w.hook.Post(t.Context(), message("a")); !errors.Is(err, slack.Refused) {
		t.Errorf("got %v", err)
	}
	if n := len(other.Requests()); n != 0 {
		t.Errorf("%d requests followed the redirect", n)
	}
}

func TestBlocksRefused(t *testing.T) {
	bad := slack.Message{Text: "fallback", Blocks: []slackgo.Block{&slackgo.AlertBlock{Type: slackgo.MBTAlert}}}
	w := newWorld(t, slacktest.Options{})
	ref, err := w.bot.Post(t.Context(), channel, bad)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.bot.Update(t.Context(), ref, bad); err != nil {
		t.Fatal(err)
	}
	if err := w.hook.Post(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	wantStrings(t, "requests", w.answers(), "chat.postMessage invalid_blocks", "chat.postMessage ok",
		"chat.update invalid_blocks", "chat.update ok", "webhook invalid_blocks", "webhook ok")
	for _, m := range w.Messages() {
		if v := m.Last(); v.Blocks != nil || !strings.HasPrefix(v.Text, "fallback\n_Slack refused") {
			t.Errorf("people see %+v", v)
		}
	}
	if len(w.notes) != 3 || !strings.Contains(w.notes[0], "invalid_blocks: [ERROR] unsupported type: alert") {
		t.Errorf("notes %q", w.notes)
	}
}

// TestPlainBlocks: where newer blocks are refused older ones are sent, and where those are too, the text.
func TestPlainBlocks(t *testing.T) {
	section := slackgo.NewSectionBlock(slackgo.NewTextBlockObject(slackgo.MarkdownType, "older", false, false), nil, nil)
	newer := &slackgo.AlertBlock{Type: slackgo.MBTAlert}
	w := newWorld(t, slacktest.Options{})
	for _, m := range []slack.Message{
		{Text: "fallback", Blocks: []slackgo.Block{newer}, Plain: []slackgo.Block{section}},
		{Text: "fallback", Blocks: []slackgo.Block{newer}, Plain: []slackgo.Block{newer}},
	} {
		if _, err := w.bot.Post(t.Context(), channel, m); err != nil {
			t.Fatal(err)
		}
	}
	first, second := w.Messages()[0].Last(), w.Messages()[1].Last()
	if !strings.Contains(string(first.Blocks), "older") || first.Text != "fallback" {
		t.Errorf("people see %s %q", first.Blocks, first.Text)
	}
	if second.Blocks != nil || !strings.Contains(second.Text, "Slack refused") {
		t.Errorf("people see %s %q", second.Blocks, second.Text)
	}
	if len(w.notes) != 2 || !strings.Contains(w.notes[0], "older ones were sent") {
		t.Errorf("notes %q", w.notes)
	}
}

// TestBroadcast: a grave reply shows in the channel, also when it had to be cut or sent as text.
func TestBroadcast(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	ref, err := w.bot.Post(t.Context(), channel, slack.Message{Text: "a message"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []slack.Message{
		{Text: "grave", Broadcast: true}, {Text: "grave", Broadcast: true, Blocks: []slackgo.Block{&slackgo.AlertBlock{Type: slackgo.MBTAlert}}},
		{Text: "less so"},
	} {
		if _, err := w.bot.Reply(t.Context(), ref, m); err != nil {
			t.Fatal(err)
		}
	}
	var got []bool
	for _, m := range w.Messages()[1:] {
		got = append(got, m.Broadcast)
	}
	if len(got) != 3 || !got[0] || !got[1] || got[2] {
		t.Errorf("in the channel: %v", got)
	}
}

func TestCheck(t *testing.T) {
	public := slacktest.Channel{ID: channel, Name: "litellm", BotAbsent: true}
	tests := map[string]struct {
		o       slacktest.Options
		channel string
		want    slack.Kind // "" for none
		note    string
	}{
		"fine":           {channel: channel},
		"missing":        {channel: "C0000000009", want: slack.ChannelNotFound},
		"by name":        {channel: "#litellm", note: "by ID only"},
		"archived":       {o: slacktest.Options{Channels: []slacktest.Channel{{ID: channel, Archived: true}}}, channel: channel, want: slack.ChannelArchived},
		"not a member":   {o: slacktest.Options{Channels: []slacktest.Channel{public}}, channel: channel, want: slack.NotInChannel},
		"need not be":    {o: slacktest.Options{Channels: []slacktest.Channel{public}, Scopes: []string{"chat:write", "chat:write.public", "channels:read"}}, channel: channel},
		"cannot look":    {o: slacktest.Options{Scopes: []string{"chat:write"}}, channel: channel, note: "channels:read"},
		"cannot write":   {o: slacktest.Options{Scopes: []string{"channels:read"}}, channel: channel, want: slack.MissingScope},
		"token is wrong": {o: slacktest.Options{Token: secret.New("other")}, channel: channel, want: slack.TokenInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.o)
			if tt.want == slack.TokenInvalid {
				w.Revoke()
			}
			err := w.bot.Check(t.Context(), tt.channel)
			if tt.want == "" && err != nil || tt.want != "" && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if got := strings.Join(w.notes, ""); !strings.Contains(got, tt.note) || tt.note == "" && got != "" {
				t.Errorf("notes %q", got)
			}
			if len(w.Messages()) > 0 {
				t.Error("checking posted a message")
			}
		})
	}
}

func TestInvalidSettings(t *testing.T) {
	bots := map[string]*slack.Bot{
		"no token":     {},
		"public http":  {Token: secret.New("t-t-t-t"), APIURL: "http://slack.example.com/api/"},
		"not a URL":    {Token: secret.New("t-t-t-t"), APIURL: "slack"},
		"other scheme": {Token: secret.New("t-t-t-t"), APIURL: "ftp://127.0.0.1/"},
	}
	for name, b := range bots {
		if _, err := b.Post(t.Context(), channel, message("a")); !errors.Is(err, slack.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	w := newWorld(t, slacktest.Options{})
	if _, err := w.bot.Post(t.Context(), channel, slack.Message{Blocks: message("a").Blocks}); !errors.Is(err, slack.Invalid) {
		t.Errorf("without a text: got %v", err)
	}
}

func TestCancelled(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.bot.Post(ctx, channel, message("a"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, slack.Network) || len(w.slept) > 0 {
		t.Errorf("got %v", err)
	}
}
