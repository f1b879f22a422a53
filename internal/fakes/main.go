// Command fakes serves GitHub and Slack in memory, for tests that run the program in a container of its own.
//
// It prints the addresses and credentials as shell assignments, one a line, and serves until it is told to stop. On
// STATE_URL it says what came in: GET /secrets/NAME the plaintext of a secret of the one repository, GET /told what
// people would see, as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"syscall"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

const repository = "acme/agents"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := newWorld()
	defer w.close()
	fmt.Print(w.assignments())
	<-ctx.Done()
}

// world is everything outside of the program but LiteLLM.
type world struct {
	github *githubtest.Server
	slack  *slacktest.Server
	state  *httptest.Server

	issuesToken, secretsToken secret.Value
}

// newWorld starts the servers, with one repository and two tokens that may do no more than the README asks for.
func newWorld() *world {
	w := &world{
		github: githubtest.New(githubtest.Options{}), slack: slacktest.New(slacktest.Options{}),
		issuesToken: secret.New("fakes-issues-token"), secretsToken: secret.New("fakes-secrets-token"),
	}
	w.github.AddRepository(githubtest.Repository{Name: repository})
	w.github.AddToken(w.issuesToken, githubtest.Token{App: true, Permissions: []string{"issues=write", "contents=read"}})
	w.github.AddToken(w.secretsToken, githubtest.Token{Permissions: []string{"secrets=write"}, Repositories: []string{repository}})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /secrets/{name}", w.showSecret)
	mux.HandleFunc("GET /told", w.showTold)
	w.state = httptest.NewServer(mux)
	return w
}

func (w *world) close() {
	w.state.Close()
	w.slack.Close()
	_ = w.github.Close()
}

// assignments is what a shell needs to know.
func (w *world) assignments() string {
	return fmt.Sprintf("GITHUB_API_URL=%s\nSLACK_API_URL=%s\nSTATE_URL=%s\nREPOSITORY=%s\nISSUES_TOKEN=%s\nSECRETS_TOKEN=%s\nSLACK_BOT_TOKEN=%s\nSLACK_CHANNEL=C0000000001\n",
		w.github.URL(), w.slack.URL(), w.state.URL, repository, w.issuesToken.Reveal(), w.secretsToken.Reveal(), w.slack.Token().Reveal())
}

func (w *world) showSecret(out http.ResponseWriter, in *http.Request) {
	value, ok := w.github.Secret(githubtest.Scope{Repository: repository}, in.PathValue("name"))
	if !ok {
		http.NotFound(out, in)
		return
	}
	fmt.Fprint(out, value.Reveal()) // #nosec G705 -- for tests on this machine, and no browser
}

// showTold gives the issues with their comments, and the Slack messages as they read now.
func (w *world) showTold(out http.ResponseWriter, _ *http.Request) {
	type issue struct {
		githubtest.Issue
		Comments []githubtest.Comment
	}
	told := struct {
		Issues   []issue
		Messages []slacktest.Version
	}{Issues: []issue{}, Messages: []slacktest.Version{}}
	for _, i := range w.github.Issues(repository) {
		told.Issues = append(told.Issues, issue{i, w.github.Comments(repository, i.Number)})
	}
	for _, m := range w.slack.Messages() {
		told.Messages = append(told.Messages, m.Last())
	}
	if err := json.NewEncoder(out).Encode(told); err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
	}
}
