package repo

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/org/openclaw-litellm-action/settings"
)

// ourAction is how an example names the Action.
const ourAction = "org/openclaw-litellm-action@"

// workflow is what the tests read of one.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"` // of jobs that list none of their own; nil: not given
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel any    `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]job `yaml:"jobs"`
}

type job struct {
	Permissions map[string]string `yaml:"permissions"` // nil: not given
	Steps       []step            `yaml:"steps"`
}

type step struct {
	ID   string         `yaml:"id"`
	Uses string         `yaml:"uses"`
	With map[string]any `yaml:"with"`
}

// action is what the tests read of action.yml.
type action struct {
	Inputs  map[string]any `yaml:"inputs"`
	Outputs map[string]any `yaml:"outputs"`
}

func readYAML(t *testing.T, name string, into any) (text string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(content)
}

// exampleWorkflows are the files of examples that are workflows.
func exampleWorkflows(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(root), "examples/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "openclaw-litellm.yml") })
	if len(files) == 0 {
		t.Fatal("no example workflows")
	}
	return files
}

// TestExampleWorkflows holds examples to the Action as it is: inputs and outputs that exist, settings that are accepted
// together with the example's configuration file, one run at a time, and no more permissions than needed.
func TestExampleWorkflows(t *testing.T) {
	var act action
	readYAML(t, "action.yml", &act)
	for _, name := range exampleWorkflows(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var w workflow
			checkWorkflow(t, w, act, readYAML(t, name, &w))
		})
	}
	for _, s := range snippets(t) {
		if !s.whole {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			var w workflow
			if err := yaml.Unmarshal([]byte(s.text), &w); err != nil {
				t.Fatal(err)
			}
			checkWorkflow(t, w, act, s.text)
		})
	}
}

// checkWorkflow does so for one.
func checkWorkflow(t *testing.T, w workflow, act action, text string) {
	t.Helper()
	if w.Concurrency.Group == "" || w.Concurrency.Cancel != false {
		t.Error("concurrency has to name a group and never cancel")
	}
	if w.Permissions == nil || len(w.Permissions) > 0 {
		t.Errorf("permissions of the whole workflow are %v and have to be {}: each job lists its own", w.Permissions)
	}
	used := 0
	for name, j := range w.Jobs {
		checkPermissions(t, name, j)
		for _, s := range j.Steps {
			if strings.HasPrefix(s.Uses, ourAction) {
				used++
				checkStep(t, name, s, act, text)
			}
		}
	}
	if used == 0 {
		t.Error("the Action is not used")
	}
}

// checkPermissions wants of a job exactly what its steps need: contents to check out, issues to write the one issue.
func checkPermissions(t *testing.T, name string, j job) {
	t.Helper()
	needs := map[string]string{}
	for _, s := range j.Steps {
		if strings.HasPrefix(s.Uses, "actions/checkout@") {
			needs["contents"] = "read"
		}
		if _, told := s.With["issue-repository"]; told && strings.HasPrefix(s.Uses, ourAction) {
			needs["issues"] = "write"
		}
	}
	if !maps.Equal(j.Permissions, needs) {
		t.Errorf("job %s has permissions %v and needs %v", name, j.Permissions, needs)
	}
}

func checkStep(t *testing.T, job string, s step, act action, text string) {
	t.Helper()
	for input := range s.With {
		if _, known := act.Inputs[input]; !known {
			t.Errorf("job %s: action.yml has no input %s", job, input)
		}
	}
	for _, m := range regexp.MustCompile(`steps\.([\w-]+)\.outputs\.([\w-]+)`).FindAllStringSubmatch(text, -1) {
		if _, known := act.Outputs[m[2]]; !known && m[1] == s.ID {
			t.Errorf("job %s: action.yml has no output %s", job, m[2])
		}
	}
	set, err := settings.Load(nil, runner(s.With), exampleFile("examples", s.With), nil)
	if err != nil || len(set.Keys) == 0 {
		t.Errorf("job %s: its settings give %d keys and are refused: %v", job, len(set.Keys), err)
	}
}

// runner returns the environment that GitHub's runner gives the step.
func runner(with map[string]any) func(string) string {
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_REPOSITORY": "acme/agents",
		"GITHUB_API_URL": "https://api.github.com", "GITHUB_WORKSPACE": "/github/workspace", "INPUT_GITHUB-TOKEN": "made-up-token",
	}
	for input, value := range with {
		env["INPUT_"+strings.ToUpper(input)] = expand(fmt.Sprint(value))
	}
	return func(name string) string { return env[name] }
}

// expand puts something credible in place of the expressions that examples use.
func expand(text string) string {
	return regexp.MustCompile(`\$\{\{ *([^ }]+) *\}\}`).ReplaceAllStringFunc(text, func(expression string) string {
		switch {
		case strings.Contains(expression, "BASE_URL"):
			return "https://litellm.example.com"
		case strings.Contains(expression, "github.repository"):
			return "acme/agents"
		case strings.Contains(expression, "inputs.rotate"):
			return "openclaw, openclaw-ci"
		}
		return "made-up-" + strings.Trim(strings.ToLower(expression), "${} ")
	})
}

// exampleFile gives the example configuration of a folder, unless one key is described by inputs.
func exampleFile(folder string, with map[string]any) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if _, single := with["max-budget"]; single || filepath.Base(name) != name && !filepath.IsAbs(name) {
			return nil, fs.ErrNotExist
		}
		return os.ReadFile(filepath.Join(root, folder, filepath.Base(name)))
	}
}

// TestExampleService runs the command line of the compose file through the settings.
func TestExampleService(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Command []string `yaml:"command"`
		} `yaml:"services"`
	}
	readYAML(t, "examples/service/compose.yml", &compose)
	env := map[string]string{"LITELLM_MASTER_KEY": "made-up-key", "SLACK_BOT_TOKEN": "made-up-token"}
	for name, service := range compose.Services {
		set, err := settings.Load(service.Command, func(name string) string { return env[name] }, exampleFile("examples/service", nil), nil)
		if err != nil {
			t.Errorf("service %s: its settings are refused: %v", name, err)
			continue
		}
		if set.Command != settings.CommandServe || len(set.Keys) == 0 {
			t.Errorf("service %s: runs %q for %d keys", name, set.Command, len(set.Keys))
		}
	}
	if len(compose.Services) == 0 {
		t.Error("no service in the compose file")
	}
}
