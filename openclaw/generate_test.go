package openclaw

import (
	"os"
	"strings"
	"testing"
)

// TestGenerated holds that what Generate writes is what Linter wants, for every part and address.
func TestGenerated(t *testing.T) {
	t.Parallel()
	served := testServed()
	served.Models[0].Fallbacks = []string{"small", "elsewhere"}
	for _, base := range []string{"https://litellm.example.com", "http://10.1.2.3:4000"} {
		text, err := Generate(served, Options{BaseURL: base, KeyFile: "/run/litellm.key"})
		if err != nil {
			t.Fatal(err)
		}
		if found := lintText(testLinter(), text); len(found) > 0 {
			t.Errorf("%s\n%v", text, found)
		}
		n, _ := Parse("f", []byte(text))
		model := n.Get("agents", "defaults", "model")
		if model.Get("primary").String() != "litellm/gpt-4o" || len(model.Get("fallbacks").Items) != 1 {
			t.Errorf("the chain is wrong:\n%s", text)
		}
		if again, _ := Generate(served, Options{BaseURL: base, KeyFile: "/run/litellm.key"}); again != text {
			t.Error("not the same again")
		}
	}
}

// TestGeneratedChain holds which model comes first, and what is said of its fallbacks.
func TestGeneratedChain(t *testing.T) {
	t.Parallel()
	model := func(id string, fallbacks ...string) Model { return Model{ID: id, Mode: "chat", Fallbacks: fallbacks} }
	wild := Model{ID: "a/wild", Mode: "chat", Fallbacks: []string{"b"}, Wildcard: true}
	for _, c := range []struct {
		models []Model
		asked  []string
		want   string
	}{
		{[]Model{model("a"), model("b")}, nil, `// the proxy has no fallbacks for it model: { primary: "litellm/a", fallbacks: [] },`},
		{[]Model{model("a", "b"), model("b"), model("c", "a")}, nil, `// the fallbacks are those of the proxy model: { primary: "litellm/c", fallbacks: ["litellm/a"] },`},
		{[]Model{model("a"), model("b", "c"), model("c", "b")}, nil, `// the fallbacks are those of the proxy model: { primary: "litellm/b", fallbacks: ["litellm/c"] },`},
		{[]Model{wild, model("b"), model("c")}, nil, `// the proxy has no fallbacks for it model: { primary: "litellm/b", fallbacks: [] },`},
		{[]Model{wild}, nil, `// the fallbacks are those of the proxy, but for what has no row here: b model: { primary: "litellm/a/wild", fallbacks: [] },`},
		{[]Model{wild, model("b")}, []string{"a/wild", "b"}, `// the fallbacks are those of the proxy model: { primary: "litellm/a/wild", fallbacks: ["litellm/b"] },`},
		{[]Model{model("a", "a")}, nil, `// the proxy has no fallbacks for it model: { primary: "litellm/a", fallbacks: [] },`},
	} {
		text, err := Generate(&Served{Models: c.models}, Options{BaseURL: "https://litellm.example.com", KeyFile: "/k", Models: c.asked})
		if err != nil || !strings.Contains(strings.Join(strings.Fields(text), " "), "agents: { defaults: { "+c.want+" }, }, }") {
			t.Errorf("%v: want %s\n%s", err, c.want, text)
		}
	}
}

func TestGeneratedSaysWhereThePriceEnds(t *testing.T) {
	t.Parallel()
	served := testServed()
	served.Models[0].Above = "200k"
	text, err := Generate(served, Options{BaseURL: "https://litellm.example.com", KeyFile: "/k"})
	if err != nil || strings.Count(text, "// for prompts above 200k tokens the proxy has other prices, which are not written here\n") != 1 {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestGeneratedSaysWhatIsUnknown(t *testing.T) {
	t.Parallel()
	text, err := Generate(&Served{Models: []Model{{ID: "odd\"\n", Source: "GET /model/info"}}}, Options{BaseURL: "http://127.0.0.1:4000", KeyFile: "/k"})
	if err != nil || strings.Count(text, "UNKNOWN") != 3 || strings.Contains(text, "cost:") || strings.Contains(text, "contextWindow:") {
		t.Errorf("%v\n%s", err, text)
	}
	if _, errs := Parse("f", []byte(text)); len(errs) > 0 {
		t.Error(errs)
	}
	if _, err := Generate(testServed(), Options{Models: []string{"nobody"}}); err == nil {
		t.Error("an unserved model is no error")
	}
	for _, none := range []*Served{{}, {Models: []Model{{ID: "sorter", Mode: "embedding"}}, Wildcards: []string{"openai/*"}}} {
		if text, err := Generate(none, Options{BaseURL: "http://127.0.0.1:4000", KeyFile: "/k"}); err == nil {
			t.Errorf("nothing to write is no error:\n%s", text)
		}
	}
}

// TestGeneratedKey holds that each source of the key is one that Linter has nothing against but what is true of it.
func TestGeneratedKey(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{"": "", KeyInFile: "", KeyInStore: "", KeyInEnv: "no-rotation unset-variable"} {
		for _, part := range []string{"", "provider"} {
			text, err := Generate(testServed(), Options{
				BaseURL: "https://litellm.example.com", Key: source, KeyFile: "/run/litellm.key", KeyName: "AGENT_KEY", Part: part,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(lintText(testLinter(), text)); part == "" && got != want {
				t.Errorf("%q: %s, want %s\n%s", source, got, want, text)
			}
			if inFile := source == "" || source == KeyInFile; strings.Contains(text, "/run/litellm.key") != inFile || strings.Contains(text, "AGENT_KEY") == inFile {
				t.Errorf("%q: the key is taken from elsewhere:\n%s", source, text)
			}
		}
	}
}

// TestGeneratedForPictures holds that a proxy with image models alone gives a configuration of an image agent.
func TestGeneratedForPictures(t *testing.T) {
	t.Parallel()
	served := &Served{Models: []Model{{ID: "painter", Mode: "image_generation"}}}
	for older, want := range map[bool]string{false: "mediaModels.image", true: "imageGenerationModel"} {
		text, err := Generate(served, Options{BaseURL: "https://litellm.example.com", KeyFile: "/run/litellm.key", Older: older})
		if err != nil {
			t.Fatal(err)
		}
		for judged, want := range map[bool]string{older: "", !older: "obsolete-key"} {
			if found := rules(lintText(Linter{Served: served, Mode: testMode, Older: judged}, text)); found != want {
				t.Errorf("older %v, judged as older %v: %s\n%s", older, judged, found, text)
			}
		}
		n, _ := Parse("f", []byte(text))
		path := append([]string{"agents", "defaults"}, strings.Split(want, ".")...)
		if n.Get(append(path, "primary")...).String() != "litellm/painter" || n.Get("agents", "defaults", "model") != nil {
			t.Errorf("older %v: the image model is not at %s:\n%s", older, want, text)
		}
	}
}

// handKept is a configuration of somebody's own that takes the provider in.
const handKept = `{ secrets: { providers: { litellm: { source: "file", path: "/run/litellm.key", mode: "singleValue" } } },
  models: { providers: { litellm: { $include: "./litellm.json5" } } },
  agents: { defaults: { model: { primary: "litellm/small" } } } }
`

func TestGeneratedPartIsTakenIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	part, err := Generate(testServed(), Options{BaseURL: "https://litellm.example.com", KeyFile: "/run/litellm.key", Part: "provider"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"litellm.json5": part, "openclaw.json": handKept} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := testLinter().Lint(dir+"/openclaw.json", ReadDisk); len(found) > 0 {
		t.Error(found)
	}
}

func TestPrivateHost(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]bool{
		"http://10.1.2.3:4000": true, "http://192.168.0.7": true, "http://[fd00::7]:4000": true, "http://100.101.102.103:4000": true,
		"http://169.254.1.1": true, "http://litellm:4000": true, "http://litellm.ai.svc": true, "http://litellm.ai.svc.cluster.local": true,
		"https://litellm.tailnet.ts.net": true, "http://nas.home.arpa": true,
		"http://127.0.0.1:4000": false, "http://[::1]:4000": false, "http://[::ffff:127.0.0.1]": false, "http://localhost:4000": false,
		"http://host.docker.internal:4000": false, "https://litellm.example.com": false, "https://8.8.8.8": false, "https://100.128.0.1": false,
		"": false,
	} {
		if got := privateHost(base); got != want {
			t.Errorf("%s: %v", base, got)
		}
	}
}
