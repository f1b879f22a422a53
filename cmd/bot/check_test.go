package main

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestCheckKnowsItsKeys: a check that rotated nothing counts the calls that the proxy refused, which name the key's hash
// alone on 1.81, and sees that the key is blocked, in a team too.
func TestCheckKnowsItsKeys(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"1.106.10", "1.93.2", "1.81.13"} {
		for name, options := range map[string]string{"own": "", "team": "    key_options: {team_id: agents}\n"} {
			t.Run(release+" "+name, func(t *testing.T) {
				t.Parallel()
				i := newInside(t)
				i.release(release)
				i.config = "keys:\n  - name: openclaw\n    max_budget: 0.02\n    budget_duration: monthly\n" + options +
					"    targets: [{repository: acme/agents, secret: LITELLM_API_KEY}]\n"
				i.post("/team/new", `{"team_id": "agents"}`)
				i.run(exitOK, "rotate")
				v, _ := i.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
				agent := &litellm.Client{BaseURL: i.env["LITELLM_BASE_URL"], Key: secret.New(i.env["LITELLM_MASTER_KEY"])}
				refused := 0
				for n := 0; n < 40 && refused < 20; n++ {
					if _, err := agent.Chat(t.Context(), v, "backup", 10); litellm.IsKind(err, litellm.BudgetExceeded) {
						refused++
					}
				}
				if printed, _ := i.run(exitOK, "check"); refused < 20 || !strings.Contains(printed, "mostly BudgetExceededError") {
					t.Errorf("after %d refusals check says:\n%s", refused, printed)
				}
				if err := agent.BlockKey(t.Context(), v.SHA256()); err != nil {
					t.Fatal(err)
				}
				if printed, _ := i.run(exitOK, "check"); !strings.Contains(printed, "the current key of openclaw is blocked") {
					t.Errorf("of a blocked key check says:\n%s", printed)
				}
			})
		}
	}
}

// TestCheckBeforeTheTeam: a key whose team is new in the configuration is there all the same.
func TestCheckBeforeTheTeam(t *testing.T) {
	t.Parallel()
	i := newInside(t)
	i.config = "keys:\n  - name: openclaw\n    max_budget: 5\n    targets: [{repository: acme/agents, secret: LITELLM_API_KEY}]\n"
	i.run(exitOK, "rotate")
	i.config += "    key_options: {team_id: agents}\n"
	if _, logged := i.run(exitFailed, "check"); !strings.Contains(logged, `key "openclaw" is not in its team yet; rotate puts it there, if there is such a team: bot rotate`) {
		t.Errorf("it says %s", logged)
	}
}

// post writes to the proxy with the master key.
func (i *inside) post(path, body string) {
	i.Helper()
	req, err := http.NewRequestWithContext(i.Context(), http.MethodPost, cmp.Or(i.env["LITELLM_BASE_URL"], i.urls["litellm"])+path, strings.NewReader(body))
	if err != nil {
		i.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+i.env["LITELLM_MASTER_KEY"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		i.Fatalf("POST %s: %s", path, res.Status)
	}
}
