package openclaw

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// The places from which a configuration takes the key.
const (
	KeyInFile  = "file"
	KeyInEnv   = "env"
	KeyInStore = "store" // of OpenClaw's own
)

// Options say what Generate writes.
type Options struct {
	BaseURL string   // the proxy's address, without /v1
	Key     string   // where OpenClaw finds the key: KeyInFile (also if ""), KeyInEnv or KeyInStore
	KeyFile string   // absolute path of the file that holds the key
	KeyName string   // the name of the variable, or of the store's entry
	Models  []string // which of the served to write, the primary first; nil: all
	Part    string   // "provider": only what belongs below models.providers.litellm; "": all of it
	Older   bool     // an OpenClaw that has imageGenerationModel in place of mediaModels.image
}

// Generate writes a configuration in JSON5 for what the proxy serves, the same for the same input. Comments say where
// numbers come from, and what the proxy does not tell: that is left out, never guessed. A model asked for that is not
// served, or is of no use to OpenClaw, is an error, and so is that there is none.
func Generate(s *Served, o Options) (string, error) {
	models, err := chosen(s, o.Models)
	if err != nil {
		return "", err
	}
	w := &writer{}
	if o.Part == "provider" {
		w.line("// LiteLLM for OpenClaw; take it in: models: {providers: {litellm: {$include: \"./this-file.json5\"}}}")
		if o.inFile() {
			w.line("// and declare the key file: secrets: {providers: {litellm: {source: \"file\", path: %s, mode: \"singleValue\"}}}", quote(o.KeyFile))
		}
		w.open("{")
		w.provider(models, o)
		w.close("}")
		return w.String(), nil
	}
	w.line("// OpenClaw with the LiteLLM proxy %s", comment(o.BaseURL))
	w.open("{")
	if o.inFile() {
		w.line("secrets: { providers: { litellm: { source: \"file\", path: %s, mode: \"singleValue\" } } }, // mode 0600", quote(o.KeyFile))
	}
	w.open("models: {")
	w.line("mode: \"merge\",")
	w.open("providers: {")
	w.open("litellm: {")
	w.provider(models, o)
	w.close("},")
	w.close("},")
	w.close("},")
	w.agents(models, o)
	w.close("}")
	return w.String(), nil
}

func (o Options) inFile() bool { return o.Key == "" || o.Key == KeyInFile }

// chosen are the models to write, in the order asked for.
func chosen(s *Served, names []string) ([]Model, error) {
	if len(names) == 0 {
		if !slices.ContainsFunc(s.Models, func(m Model) bool { return m.Chat() || m.Image() }) {
			return nil, errors.New("the proxy serves no model to this key that answers chats or makes pictures")
		}
		return s.Models, nil
	}
	var models []Model
	for i, name := range names {
		m, ok := s.Find(name)
		switch {
		case slices.Contains(names[:i], name):
			continue
		case !ok && !s.Serves(name):
			return nil, fmt.Errorf("the proxy serves no model %q to this key", name)
		case !ok:
			m = Model{ID: name, Source: "a wildcard of the proxy's, which tells no numbers"}
		case !m.Chat() && !m.Image():
			return nil, fmt.Errorf("%q is of mode %s: it answers no chats and makes no pictures", name, m.Mode)
		}
		models = append(models, m)
	}
	return models, nil
}

// writer writes indented lines.
type writer struct {
	strings.Builder
	depth int
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprint(w, strings.Repeat("  ", w.depth), fmt.Sprintf(format, args...), "\n")
}

func (w *writer) open(text string) {
	w.line("%s", text)
	w.depth++
}

func (w *writer) close(text string) {
	w.depth--
	w.line("%s", text)
}

func (w *writer) provider(models []Model, o Options) {
	w.line("baseUrl: %s,", quote(o.BaseURL+"/v1"))
	w.line("api: \"openai-completions\",")
	w.line("auth: \"api-key\", // this key is sent, whatever OpenClaw has stored itself")
	switch o.Key {
	case KeyInEnv:
		w.line("apiKey: { source: \"env\", provider: \"default\", id: %s }, // read once: restart OpenClaw after a rotation", quote(o.KeyName))
	case KeyInStore:
		w.line("apiKey: { source: \"store\", provider: \"default\", id: %s }, // see openclaw secrets store", quote(o.KeyName))
	default:
		w.line("apiKey: { source: \"file\", provider: \"litellm\", id: \"value\" },")
	}
	if privateHost(o.BaseURL) {
		w.line("request: { allowPrivateNetwork: true }, // the proxy is on a private network")
	}
	w.open("models: [")
	for _, m := range models {
		if m.Chat() {
			w.model(m)
		}
	}
	w.close("],")
}

// model writes one row.
func (w *writer) model(m Model) {
	w.line("// from %s; cost in USD per million tokens", comment(m.Source))
	for _, u := range unknown(m) {
		w.line("// %s", u)
	}
	w.open("{")
	w.line("id: %s,", quote(m.ID))
	w.line("name: %s,", quote(m.ID))
	w.line("reasoning: %t,", m.Reasoning)
	input := `["text"]`
	if m.Vision {
		input = `["text", "image"]`
	}
	w.line("input: %s,", input)
	if m.Input.Valid && m.Output.Valid {
		cost := "input: " + m.Input.Decimal.String() + ", output: " + m.Output.Decimal.String()
		cost += optional(", cacheRead: ", m.CacheRead) + optional(", cacheWrite: ", m.CacheWrite)
		w.line("cost: { %s },", cost)
	}
	if m.Window > 0 {
		w.line("contextWindow: %d,", m.Window)
	}
	if m.MaxTokens > 0 {
		w.line("maxTokens: %d,", m.MaxTokens)
	}
	w.close("},")
}

func optional(name string, d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return name + d.Decimal.String()
}

// unknown says what the proxy does not tell, and what its deployments disagree on.
func unknown(m Model) []string {
	var out []string
	if !m.Input.Valid || !m.Output.Valid {
		out = append(out, "UNKNOWN: price. OpenClaw counts it as free; add cost, or set input_cost_per_token on the proxy")
	}
	if m.Input.Valid && m.Output.Valid && !m.CacheRead.Valid {
		out = append(out, "UNKNOWN: price of cached tokens. OpenClaw counts them as free, where the proxy tells no cost with its answer")
	}
	if m.Above != "" {
		out = append(out, "for prompts above "+comment(m.Above)+" tokens the proxy has other prices, which are not written here")
	}
	if m.Window == 0 {
		out = append(out, "UNKNOWN: contextWindow. OpenClaw guesses; add it, or set max_input_tokens on the proxy")
	}
	if m.MaxTokens == 0 {
		out = append(out, "UNKNOWN: maxTokens. OpenClaw takes 8192; add it, or set max_output_tokens on the proxy")
	}
	for _, d := range m.Differ {
		out = append(out, "its deployments differ in "+d)
	}
	return out
}

func (w *writer) agents(models []Model, o Options) {
	chats := slices.DeleteFunc(slices.Clone(models), func(m Model) bool { return !m.Chat() })
	images := slices.DeleteFunc(slices.Clone(models), func(m Model) bool { return !m.Image() })
	if len(chats) == 0 && len(images) == 0 {
		return
	}
	w.open("agents: {")
	w.open("defaults: {")
	if len(chats) > 0 {
		w.chain(primary(chats, o.Models), chats)
	}
	if len(images) > 0 {
		if len(o.Models) == 0 {
			images = ofTheirOwn(images)
		}
		image := "{ primary: " + quote("litellm/"+images[0].ID) + ", timeoutMs: 180000 }"
		if o.Older {
			w.line("imageGenerationModel: %s,", image)
		} else {
			w.line("mediaModels: { image: %s },", image)
		}
	}
	w.close("},")
	w.close("},")
}

// chain writes the primary with those of its fallbacks that have a row.
func (w *writer) chain(first Model, chats []Model) {
	fallbacks, left := []string{}, []string{}
	for _, name := range first.Fallbacks {
		if name == first.ID {
			continue // of the one that default_fallbacks names
		}
		if slices.ContainsFunc(chats, func(m Model) bool { return m.ID == name }) {
			fallbacks = append(fallbacks, quote("litellm/"+name))
		} else {
			left = append(left, comment(name))
		}
	}
	switch {
	case len(left) > 0:
		w.line("// the fallbacks are those of the proxy, but for what has no row here: %s", strings.Join(left, ", "))
	case len(fallbacks) > 0:
		w.line("// the fallbacks are those of the proxy")
	default:
		w.line("// the proxy has no fallbacks for it")
	}
	w.line("model: { primary: %s, fallbacks: [%s] },", quote("litellm/"+first.ID), strings.Join(fallbacks, ", "))
}

// primary is the first that was asked for, or else the first at the head of a chain of fallbacks, or amid one, or the first.
func primary(chats []Model, asked []string) Model {
	if len(asked) > 0 {
		return chats[0]
	}
	chats = ofTheirOwn(chats)
	later := map[string]bool{}
	for _, m := range chats {
		for _, f := range m.Fallbacks {
			later[f] = true
		}
	}
	for _, head := range []bool{true, false} {
		for _, m := range chats {
			if len(m.Fallbacks) > 0 && !(head && later[m.ID]) {
				return m
			}
		}
	}
	return chats[0]
}

// ofTheirOwn are those that have a name of their own on the proxy, or all if none has.
func ofTheirOwn(models []Model) []Model {
	if named := slices.DeleteFunc(slices.Clone(models), func(m Model) bool { return m.Wildcard }); len(named) > 0 {
		return named
	}
	return models
}

// quote writes a JSON5 string.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// comment makes text fit on a comment's line.
func comment(text string) string { q := strconv.Quote(text); return q[1 : len(q)-1] }
