package litellm_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// verify asks with a key of no standing, block writes about a row: the two ways in which answers are about a key.
func verify(c *litellm.Client) error { return c.VerifyKey(context.Background(), mintedKey) }
func block(c *litellm.Client) error  { return c.BlockKey(context.Background(), token) }

// The bodies are those of docs/facts.md: of real proxies, with made-up keys.
func TestKinds(t *testing.T) {
	tests := []struct {
		name   string
		do     func(*litellm.Client) error
		answer reply
		want   litellm.Kind
	}{
		{"alias_taken", block, reply{status: 400, body: `{"error":{"message":"Key with alias 'x' already exists. Unique key aliases across all keys are required.","type":"bad_request_error","param":"key_alias","code":"400"}}`}, litellm.AliasTaken},
		{"dead_key", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error, Invalid proxy server token passed. Received API Key = sk-...CQWQ, Key Hash (Token) =` + mintedKey.SHA256() + `. Unable to find token in cache or ` + "`LiteLLM_VerificationTokenTable`" + `","type":"token_not_found_in_db","param":"key","code":"401"}}`}, litellm.UnknownKey},
		{"dead_key_1.108", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error, Invalid API key provided.","type":"token_not_found_in_db","param":"key","code":"401"}}`}, litellm.UnknownKey},
		{"no_key_of_litellm", verify, reply{status: 401, body: `{"error":{"message":"LiteLLM Virtual Key expected. Received=****, expected to start with 'sk-'.","type":"auth_error","param":"None","code":"401"}}`}, litellm.UnknownKey},
		{"dead_management_key", block, reply{status: 401, body: `{"error":{"message":"Authentication Error, Invalid proxy server token passed. Key Hash (Token) =` + managementKey.SHA256() + `.","type":"token_not_found_in_db","param":"key","code":"401"}}`}, litellm.UnknownKey},
		{"unknown_row_1.81_block", block, reply{status: 401, body: `{"error":{"message":"Authentication Error, Invalid proxy server token passed. key=` + token + `, not found in db. Create key via ` + "`/key/generate`" + ` call.","type":"token_not_found_in_db","param":"key","code":"401"}}`}, litellm.NotFound},
		{"unknown_row_1.81_update", block, reply{status: 401, body: `{"error":{"message":"Authentication Error: invalid user key - user key does not exist in db. User Key=` + token + `","type":"auth_error","param":"None","code":"401"}}`}, litellm.NotFound},
		{"unknown_row", block, reply{status: 404, body: `{"error":{"message":"Key not found.","type":"not_found_error","param":"key","code":"404"}}`}, litellm.NotFound},
		{"no_keys_found", block, reply{status: 404, body: `{"error":{"message":"{'error': 'No keys found'}","type":"internal_server_error","param":"None","code":"404"}}`}, litellm.NotFound},
		{"no_such_route", block, reply{status: 404, body: `{"detail":"Not Found"}`}, litellm.NotFound},
		{"blocked", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error, Key is blocked. Update via ` + "`/key/unblock`" + ` if you're an admin.","type":"auth_error","param":"None","code":"401"}}`}, litellm.KeyBlocked},
		{"expired_1.81", verify, reply{status: 400, body: `{"error":{"message":"Authentication Error - Expired Key.","type":"expired_key","param":"sk-...","code":"400"}}`}, litellm.KeyExpired},
		{"expired", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error - Expired Key.","type":"expired_key","param":null,"code":"401"}}`}, litellm.KeyExpired},
		{"no_key", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error, No api key passed in.","type":"auth_error","param":"None","code":"401"}}`}, litellm.Forbidden},
		{"database_down_1.81", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error, Can't reach database server at 127.0.0.1:5432","type":"auth_error","param":"None","code":"401"}}`}, litellm.DatabaseDown},
		{"database_down", verify, reply{status: 503, body: `{"error":{"message":"Service unavailable","type":"no_db_connection","param":null,"code":"503"}}`}, litellm.DatabaseDown},
		{"database_starting", block, reply{status: 500, body: `{"error":{"message":"Internal Server Error, FATAL: the database system is starting up","type":"internal_server_error","param":"None","code":"500"}}`}, litellm.DatabaseDown},
		{"database_closed", verify, reply{status: 401, body: `{"error":{"message":"Authentication Error, database \"litellm\" is not currently accepting connections","type":"auth_error","param":"None","code":"401"}}`}, litellm.DatabaseDown},
		{"database_down_500", block, reply{status: 500, body: `{"error":{"message":"Internal Server Error, Can't reach database server at localhost:5432","type":"internal_server_error","param":"None","code":"500"}}`}, litellm.DatabaseDown},
		{"plain_text_500", block, reply{status: 500, body: `Internal Server Error`}, litellm.ServerFault},
		{"500_without_code", block, reply{status: 500, body: `{"error":{"message":"oops","type":null}}`}, litellm.ServerFault},
		{"enterprise", block, reply{status: 500, body: `{"error":{"message":"Internal Server Error, Regenerating Virtual Keys is an Enterprise feature, You must be a LiteLLM Enterprise user to use this feature.","type":"internal_server_error","param":"None","code":"500"}}`}, litellm.EnterpriseOnly},
		{"premium", block, reply{status: 500, body: `{"error":{"message":"Only premium users can add tags to keys","type":"internal_server_error","code":"500"}}`}, litellm.EnterpriseOnly},
		{"route_not_allowed", block, reply{status: 403, body: `{"detail":"Virtual key is not allowed to call this route. Only allowed to call routes: ['/user/info']"}`}, litellm.Forbidden},
		{"not_admin", block, reply{status: 401, body: `{"error":{"message":"Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=/key/generate. Your role=unknown.","type":"auth_error","param":"None","code":"401"}}`}, litellm.Forbidden},
		{"rate_limited", block, reply{status: 429, body: `{"error":{"message":"Rate limit exceeded","type":"throttling_error","code":"429"}}`}, litellm.RateLimited},
		{"user_exists", block, reply{status: 409, body: `{"error":{"message":"{'error': 'User with id x already exists'}","type":"internal_server_error","param":null,"code":"409"}}`}, litellm.AlreadyExists},
		{"member_exists", block, reply{status: 400, body: `{"error":{"message":"User already in team. Member: user_id=x","type":"team_member_already_in_team","param":"member","code":"400"}}`}, litellm.AlreadyExists},
		{"no_such_team", block, reply{status: 400, body: `{"detail":{"error":"Team id=x does not exist in db"}}`}, litellm.NotFound},
		{"validation", block, reply{status: 422, body: `{"detail":[{"type":"list_type","loc":["body","models",0],"msg":"Input should be a valid list","input":"x"}]}`}, litellm.BadRequest},
		{"negative_budget", block, reply{status: 400, body: `{"error":{"message":"{'error': 'max_budget cannot be negative. Received: -1.0'}","type":"internal_server_error","code":"400"}}`}, litellm.BadRequest},
		{"balancer_html", block, reply{status: 502, body: `<html><body><h1>502 Bad Gateway</h1></body></html>`}, litellm.ProxyDown},
		{"balancer_text", block, reply{status: 503, body: `no healthy upstream`}, litellm.ProxyDown},
		{"html_page", verify, reply{status: 200, body: `<!doctype html><title>Welcome</title>`}, litellm.NotLiteLLM},
		{"html_404", verify, reply{status: 404, body: `<!doctype html><title>Not found</title>`}, litellm.NotLiteLLM},
		{"other_json", verify, reply{status: 200, body: `{"hello":"world"}`}, litellm.NotLiteLLM},
		{"other_json_404", verify, reply{status: 404, body: `{"message":"no Route matched with those values"}`}, litellm.NotLiteLLM},
		{"bare_list", verify, reply{status: 200, body: `[]`}, litellm.NotLiteLLM},
		{"redirect", verify, reply{status: 307, header: map[string]string{"Location": "https://login.example.com/?next=secret"}}, litellm.NotLiteLLM},
		{"known", verify, reply{status: 200, body: `{"data":[]}`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantKind(t, tt.do(client(serve(t, tt.answer), nil)), tt.want)
		})
	}
}

// The status of a spent budget differs by release; only the type is the same.
func TestBudgetExceededByAnyStatus(t *testing.T) {
	body := `{"error":{"message":"Budget has been exceeded! Key=ci (sk-...uYyQ) Current cost: 0.02, Max budget: 0.01","type":"budget_exceeded","param":null,"code":"422"}}`
	for _, status := range []int{400, 422, 429} {
		var naps []time.Duration
		c := client(serve(t, reply{status: status, body: body}), &naps)
		_, err := c.Chat(context.Background(), mintedKey, "gpt", 5)
		wantKind(t, err, litellm.BudgetExceeded)
		wantNil(t, c.VerifyKey(context.Background(), mintedKey))
		if len(naps) != 0 {
			t.Errorf("status %d was repeated after %v", status, naps)
		}
	}
}

func TestErrorText(t *testing.T) {
	s := serve(t, reply{status: 422, body: `{"detail":[{"loc":["body","models",0],"msg":"Input should be a valid list","input":"x"}]}`})
	err := block(client(s, nil))
	want := "blocking key 01234567…: POST /key/block: bad request (status 422): body.models.0: Input should be a valid list"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	var e *litellm.Error
	if !errors.As(err, &e) || e.Status != 422 || e.Route != "POST /key/block" {
		t.Errorf("fields: %+v", e)
	}
	if litellm.IsKind(nil, "") || litellm.KindOf(errors.New("x")) != "" {
		t.Error("an error of another package has a kind")
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := serve(t, reply{body: `{"data":[]}`})
	s := serve(t, reply{status: 307, header: map[string]string{"Location": elsewhere.URL + "/v1/models?token=hidden"}})
	c := client(s, nil)
	c.HTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	err := c.GenerateKey(context.Background(), litellm.NewKey{Value: mintedKey})
	wantKind(t, err, litellm.NotLiteLLM)
	if len(elsewhere.asked) != 0 {
		t.Error("the redirect was followed")
	}
	if text := err.Error(); !strings.Contains(text, elsewhere.URL) || strings.Contains(text, "hidden") || !strings.Contains(text, "base URL") {
		t.Errorf("the error should name the host and the remedy, and nothing else of the location: %s", text)
	}
}

func TestAnswerSizeIsBounded(t *testing.T) {
	s := serve(t, reply{body: `{"data":[` + strings.Repeat(" ", 5000) + `]}`})
	c := client(s, nil)
	c.MaxBytes = 1000
	wantKind(t, verify(c), litellm.TooLarge)
	c = client(s, nil)
	c.MaxBytes = 6000
	wantNil(t, verify(c))
}

func TestPlaintextIsNoToken(t *testing.T) {
	s := serve(t, reply{body: `{}`})
	c := client(s, nil)
	ctx := context.Background()
	for _, err := range []error{c.BlockKey(ctx, mintedKey.Reveal()), c.DeleteKey(ctx, ""), c.UpdateKey(ctx, strings.ToUpper(token), nil)} {
		wantKind(t, err, litellm.BadRequest)
		if strings.Contains(err.Error(), "sk-m") {
			t.Error("the error holds the plaintext's beginning:", err)
		}
	}
	_, err := c.FindKey(ctx, "sk-x")
	wantKind(t, err, litellm.BadRequest)
	if len(s.asked) != 0 {
		t.Error("sent", s.asked)
	}
}

// Nothing an answer or the network can say brings a secret into an error.
func TestErrorsLeakNoSecret(t *testing.T) {
	odd := "no-prefix-master-key-made-up"
	echo := "You sent Bearer " + managementKey.Reveal() + " and " + mintedKey.Reveal() + ", abbreviated sk-...CQWQ; hash " + mintedKey.SHA256()
	bodies := []reply{
		{status: 401, body: `{"error":{"message":"` + echo + `","type":"` + mintedKey.Reveal() + `","code":"401"}}`},
		{status: 400, body: `{"detail":{"error":"` + echo + `"}}`},
		{status: 422, body: `{"detail":[{"loc":["body","` + mintedKey.Reveal() + `"],"msg":"` + echo + `","input":"` + mintedKey.Reveal() + `"}]}`},
		{status: 500, body: "Internal Server Error " + echo},
		{status: 404, body: echo},
		{status: 302, header: map[string]string{"Location": "https://user:" + mintedKey.Reveal() + "@x.example.com/" + mintedKey.Reveal()}},
		{status: 200, body: `{"info":{"spend":"` + mintedKey.Reveal() + `"},"keys":[{"spend":"` + mintedKey.Reveal() + `"}]}`},
	}
	ctx := context.Background()
	for _, answer := range bodies {
		c := client(serve(t, answer), nil)
		_, find := c.FindKey(ctx, token)
		_, list := c.Keys(ctx, "u")
		_, chat := c.Chat(ctx, mintedKey, "m", 1)
		for _, err := range []error{find, list, chat, c.GenerateKey(ctx, litellm.NewKey{Value: mintedKey}), c.VerifyKey(ctx, mintedKey)} {
			noLeak(t, err, managementKey.Reveal(), mintedKey.Reveal(), mintedKey.SHA256(), "CQWQ")
		}
	}
	c := client(serve(t, reply{status: 400, body: `{"detail":"key ` + odd + ` is odd"}`}), nil)
	c.Key = secretOf(odd)
	noLeak(t, c.BlockKey(ctx, token), odd)
	c.BaseURL = "https://user:" + odd + "@litellm.example.com"
	noLeak(t, c.BlockKey(ctx, token), odd)
}

func noLeak(t *testing.T, err error, secrets ...string) {
	t.Helper()
	if err == nil {
		return
	}
	var e *litellm.Error
	if !errors.As(err, &e) {
		t.Errorf("no *Error: %v", err)
		return
	}
	text := err.Error() + "\x00" + e.Message + "\x00" + e.Type
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		text += "\x00" + cause.Error()
	}
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("leaked: %s", strings.ReplaceAll(text, "\x00", " | "))
		}
	}
	if len(e.Message) > 400 || strings.ContainsAny(e.Message, "\n\r\t") {
		t.Errorf("no sane line: %q", e.Message)
	}
}
