package litellm_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/shopspring/decimal"
)

var (
	down     = reply{status: 503, body: `{"error":{"message":"no","type":"no_db_connection","code":"503"}}`}
	limited  = reply{status: 429, body: `{"error":{"message":"slow down","type":"x","code":"429"}}`}
	models   = reply{body: `{"data":[]}`}
	done     = reply{body: `{}`}
	aliasOut = reply{status: 400, body: `{"error":{"message":"Key with alias 'a' already exists.","type":"bad_request_error","code":"400"}}`}
)

func TestRepeatsUntilItPasses(t *testing.T) {
	var naps []time.Duration
	s := serve(t, down, limited, reply{status: 500, body: "Internal Server Error"}, models)
	c := client(s, &naps)
	wantNil(t, verify(c))
	if c.Requests() != 4 || len(naps) != 3 {
		t.Fatalf("%d requests, naps %v", c.Requests(), naps)
	}
	for i, nap := range naps {
		longest := 500 * time.Millisecond << i
		if nap < longest/2 || nap > longest {
			t.Errorf("nap %d is %v, want %v to %v", i, nap, longest/2, longest)
		}
	}
}

func TestGivesUp(t *testing.T) {
	s := serve(t, down)
	err := verify(client(s, nil))
	wantKind(t, err, litellm.DatabaseDown)
	if len(s.asked) != litellm.DefaultAttempts || !strings.Contains(err.Error(), "sent 4 times") {
		t.Errorf("%d requests: %v", len(s.asked), err)
	}
	s = serve(t, limited)
	c := client(s, nil)
	c.Patience = 700 * time.Millisecond
	wantKind(t, verify(c), litellm.RateLimited)
	if len(s.asked) > 3 {
		t.Errorf("%d requests in 700 ms", len(s.asked))
	}
}

func TestHonoursRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, noon.Add(9 * time.Second).Format(time.RFC1123): 9 * time.Second} {
		var naps []time.Duration
		header = strings.Replace(header, "UTC", "GMT", 1)
		s := serve(t, reply{status: 429, body: limited.body, header: map[string]string{"Retry-After": header}}, models)
		wantNil(t, verify(client(s, &naps)))
		if len(naps) != 1 || naps[0] != want {
			t.Errorf("Retry-After %q: naps %v, want %v", header, naps, want)
		}
	}
	s := serve(t, reply{status: 429, body: limited.body, header: map[string]string{"Retry-After": "3600"}}, models)
	var e *litellm.Error
	if err := verify(client(s, nil)); !errors.As(err, &e) || e.RetryAfter != time.Hour || len(s.asked) != 1 {
		t.Errorf("an hour was waited for or forgotten: %v", err)
	}
}

func TestWhatIsNotRepeated(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 422} {
		s := serve(t, reply{status: status, body: `{"error":{"message":"no","type":"x","code":"0"}}`})
		if err := block(client(s, nil)); err == nil || len(s.asked) != 1 {
			t.Errorf("%d: %d requests, %v", status, len(s.asked), err)
		}
	}
	s := serve(t, down)
	_, err := client(s, nil).Chat(context.Background(), mintedKey, "m", 1)
	wantKind(t, err, litellm.DatabaseDown)
	if len(s.asked) != 1 {
		t.Error("a chat call, which costs, was repeated")
	}
}

func TestContextEndsWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := client(serve(t, down), nil)
	c.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	err := c.VerifyKey(ctx, mintedKey)
	wantKind(t, err, litellm.Interrupted)
	if !errors.Is(err, context.Canceled) || c.Requests() != 1 {
		t.Errorf("%d requests: %v", c.Requests(), err)
	}
}

// A repetition may be refused because the first try, whose answer was lost, had done it.
func TestRefusalsDueToOneself(t *testing.T) {
	ctx := context.Background()
	exists := reply{status: 409, body: `{"detail":{"error":"User with id u already exists"}}`}
	wantNil(t, client(serve(t, down, exists), nil).CreateUser(ctx, "u", nil))
	wantKind(t, client(serve(t, exists), nil).CreateUser(ctx, "u", nil), litellm.AlreadyExists)

	ours := reply{body: `{"info":{"key_alias":"a"}}`}
	theirs := reply{body: `{"info":{"key_alias":"b"}}`}
	k := litellm.NewKey{Value: mintedKey, Fields: litellm.Fields{"key_alias": "a"}}
	wantNil(t, client(serve(t, down, aliasOut, ours), nil).GenerateKey(ctx, k))
	wantKind(t, client(serve(t, down, aliasOut, theirs), nil).GenerateKey(ctx, k), litellm.AliasTaken)
	wantNil(t, client(serve(t, aliasOut, ours), nil).GenerateKey(ctx, k))
	wantKind(t, client(serve(t, aliasOut), nil).GenerateKey(ctx, k), litellm.AliasTaken)

	member := reply{status: 400, body: `{"error":{"message":"User already in team","type":"team_member_already_in_team"}}`}
	s := serve(t, down, member, done)
	wantNil(t, client(s, nil).AddTeamMember(ctx, "t", "u", decimal.NewNullDecimal(usd("5")), ""))
	if want := []string{"POST /team/member_add", "POST /team/member_add", "POST /team/member_update"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %v", s.asked)
	}
	s = serve(t, member)
	wantKind(t, client(s, nil).AddTeamMember(ctx, "t", "u", decimal.NullDecimal{}, ""), litellm.AlreadyExists)
}

func TestDeletingTheGoneIsNoError(t *testing.T) {
	gone := reply{status: 404, body: `{"error":{"message":"{'error': 'No keys found'}","type":"internal_server_error","code":"404"}}`}
	wantNil(t, client(serve(t, gone), nil).DeleteKey(context.Background(), token))
	gone = reply{status: 404, body: `{"detail":{"error":"User not found, passed user_id=u"}}`}
	wantNil(t, client(serve(t, gone), nil).DeleteUser(context.Background(), "u"))
}

func TestWhatIsSent(t *testing.T) {
	s := serve(t, done)
	c := client(s, nil)
	ctx := context.Background()
	fields := litellm.Fields{"max_budget": usd("12.50"), "spend": decimal.NewNullDecimal(usd("0.0000001")), "budget_duration": nil,
		"metadata": map[string]any{"cost": usd("1e-9"), "list": []any{usd("2")}}, "models": []string{"a"}}
	wantNil(t, c.GenerateKey(ctx, litellm.NewKey{Value: mintedKey, Fields: fields}))
	want := `{"budget_duration":null,"key":` + strconv.Quote(mintedKey.Reveal()) + `,"max_budget":12.5,` +
		`"metadata":{"cost":0.000000001,"list":[2]},"models":["a"],"spend":0.0000001}`
	if s.bodies[0] != want {
		t.Errorf("sent %s\nwant %s", s.bodies[0], want)
	}
	if _, set := fields["key"]; set {
		t.Error("the caller's fields were changed")
	}
	if s.auth[0] != "Bearer "+managementKey.Reveal() {
		t.Error("asked with another key")
	}
	for name, bad := range map[string]any{"duration": 15 * time.Minute, "note": mintedKey} {
		err := c.UpdateKey(ctx, token, litellm.Fields{name: bad})
		wantKind(t, err, litellm.BadRequest)
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the field is not named: %v", err)
		}
	}
	for _, bad := range []string{"", "sk-short", "no-prefix-but-long-enough"} {
		wantKind(t, c.GenerateKey(ctx, litellm.NewKey{Value: secretOf(bad)}), litellm.BadRequest)
	}
	if len(s.asked) != 1 {
		t.Error("sent", s.asked)
	}
}
