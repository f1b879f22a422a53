package github

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v62/github"
)

// ActionsLogin is who GITHUB_TOKEN writes as.
const ActionsLogin = "github-actions[bot]"

// appToken starts the token of an app, GITHUB_TOKEN included.
const appToken = "ghs_"

// Viewer returns the login that the token writes as, for telling our own issues from others'; it asks once. GET /user
// answers for a person's token. The token of an app (GITHUB_TOKEN is one) has no user and would be refused with 403;
// GraphQL tells the bot's login. Where that is refused, too, Viewer returns ActionsLogin. Client.Login, if set, goes
// before all of this.
func (c *Client) Viewer(ctx context.Context) (string, error) {
	c.mu.Lock()
	login := cmp.Or(c.Login, c.login)
	c.mu.Unlock()
	if login != "" {
		return login, nil
	}
	ask := c.user
	if strings.HasPrefix(c.Token.Reveal(), appToken) {
		ask = c.bot
	}
	login, err := ask(ctx)
	if KindOf(err) == Forbidden {
		login, err = c.bot(ctx)
	}
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.login = login
	return login, nil
}

const askingLogin = "reading our own login"

// user asks who the token belongs to.
func (c *Client) user(ctx context.Context) (string, error) {
	var answer gh.User
	if _, err := c.do(ctx, call{op: askingLogin, method: http.MethodGet, path: "user", out: &answer, repeat: true}); err != nil {
		return "", err
	}
	if answer.GetLogin() == "" {
		return "", &Error{Op: askingLogin, Kind: Malformed, Err: errors.New("the answer has no login")}
	}
	return answer.GetLogin(), nil
}

// bot asks which app the token belongs to; only trouble that may pass is an error.
func (c *Client) bot(ctx context.Context) (string, error) {
	path := "graphql"
	if strings.HasSuffix(strings.TrimRight(c.APIURL, "/"), "/api/v3") {
		path = "../graphql"
	}
	query := map[string]string{"query": "{viewer{login}}"}
	var answer struct {
		Data struct {
			Viewer struct {
				Login string `json:"login"`
			} `json:"viewer"`
		} `json:"data"`
	}
	_, err := c.do(ctx, call{op: askingLogin, method: http.MethodPost, path: path, body: query, out: &answer, query: true, repeat: true})
	switch KindOf(err) {
	case Forbidden, NotFound, Validation, Malformed:
		err = nil
	}
	return cmp.Or(answer.Data.Viewer.Login, ActionsLogin), err
}
