package openclaw

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

const fileMend = `use a key file: apiKey: {source: "file", provider: "litellm", id: "value"}, with secrets.providers.litellm naming it`

// baseURL judges the proxy's address.
func (c *check) baseURL(provider Member) {
	m := provider.Value.Member("baseUrl")
	if m.Value == nil {
		if c.Provider != "litellm" {
			c.add(provider.At, "base-url", finding.Critical, "the provider has no baseUrl", "give the proxy's address")
		}
		return
	}
	text, known := c.expand(m.Value)
	if !known {
		return // which variable is not set is said elsewhere
	}
	u, err := url.Parse(text)
	path := ""
	if err == nil {
		path = strings.TrimRight(u.Path, "/")
	}
	at := m.Value.At
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.add(at, "base-url", finding.Critical, "baseUrl is no http or https address", "write it as https://litellm.example.com/v1")
	case strings.HasSuffix(path, "/v1/v1"):
		c.add(at, "base-url", finding.Critical, "baseUrl ends in /v1 twice", "remove one /v1")
	case strings.HasSuffix(path, "/chat/completions") || strings.HasSuffix(path, "/models"):
		c.add(at, "base-url", finding.Critical, "baseUrl names one route of the proxy", "end it at /v1")
	}
	if err == nil && privateHost(text) {
		c.network(provider.Value, at)
	}
}

// network wants leave for a private network.
func (c *check) network(provider *Node, at Position) {
	allow := provider.Member("request").Value.Member("allowPrivateNetwork")
	switch {
	case allow.Value.Is(Boolean) && allow.Value.Text == "true":
		return
	case allow.Value != nil:
		at = allow.Value.At
	}
	c.add(at, "private-network", finding.Warning, "the proxy is on a private network, where OpenClaw refuses image requests",
		"set request: {allowPrivateNetwork: true} on the provider")
}

// api wants the interface that LiteLLM serves to every model.
func (c *check) api(provider *Node) {
	m := provider.Member("api")
	if m.Value == nil {
		return // the bundled provider knows its own
	}
	if got := m.Value.String(); got != "openai-completions" {
		c.add(m.Value.At, "api", finding.Warning, fmt.Sprintf("api is %q, which LiteLLM does not serve for every model", got),
			`use api: "openai-completions"`)
	}
}

// key judges where the key comes from, and whether it is the one that is sent.
func (c *check) key(provider Member) {
	auth, key := provider.Value.Member("auth"), provider.Value.Member("apiKey")
	if key.Value == nil {
		c.add(provider.At, "missing-key", finding.Warning, "the provider has no apiKey, so a key stored by OpenClaw itself is sent, which no rotation reaches", fileMend)
		return
	}
	switch {
	case auth.Value == nil:
		c.add(key.At, "missing-auth", finding.Warning, "without auth a stored profile or LITELLM_API_KEY silently beats this apiKey",
			`add auth: "api-key" to the provider`)
	case auth.Value.String() != "api-key":
		c.add(auth.Value.At, "missing-auth", finding.Warning, "with this auth the apiKey is not what is sent", `use auth: "api-key"`)
	}
	switch key.Value.Kind {
	case String:
		c.textKey(key.Value)
	case Object:
		c.refKey(key.Value)
	default:
		c.add(key.Value.At, "secret-ref", finding.Critical, "apiKey is neither text nor a reference", fileMend)
	}
}

// textKey judges a key written as text: a variable, or the key itself.
func (c *check) textKey(n *Node) {
	name, ok := strings.CutPrefix(n.Text, "${")
	name, end := strings.CutSuffix(name, "}")
	if !ok || !end {
		c.add(n.At, "plaintext-key", finding.Critical, "the key stands in the configuration in plain text", fileMend+", and rotate the key: it may have been read")
		return
	}
	c.add(n.At, "no-rotation", finding.Warning,
		fmt.Sprintf("a running gateway never reads ${%s} again, so it goes on with the old key after a rotation", name), fileMend)
	c.variable(n.At, name)
}

// entryName is what OpenClaw takes as the name of a variable, and of an entry of its store.
var entryName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,127}$`)

func (c *check) variable(at Position, name string) {
	if !entryName.MatchString(name) {
		c.add(at, "secret-ref", finding.Critical, fmt.Sprintf("%q is no name of a variable that OpenClaw reads", name), "use upper case letters, digits and _")
		return
	}
	if c.Getenv != nil && !c.set(name) {
		c.add(at, "unset-variable", finding.Warning, "the variable "+name+" is not set", "set it where OpenClaw runs, or use a key file")
	}
}

// refKey judges a secret reference.
func (c *check) refKey(n *Node) {
	for _, name := range []string{"source", "provider", "id"} {
		if n.Get(name).String() == "" {
			c.add(n.At, "secret-ref", finding.Critical, "the reference has no "+name, "give source, provider and id, all three")
			return
		}
	}
	source, provider := n.Get("source"), n.Get("provider")
	switch source.Text {
	case "env":
		c.declared(source, provider)
		c.add(source.At, "no-rotation", finding.Warning, "a running gateway never reads its environment again, so it goes on with the old key after a rotation", fileMend)
		c.variable(n.Get("id").At, n.Get("id").Text)
	case "file", "exec":
		if declared := c.declared(source, provider); declared != nil && source.Text == "file" {
			c.fileID(declared, n.Get("id"))
			c.keyFile(declared)
		}
	case "store":
		c.declared(source, provider)
		if id := n.Get("id"); !entryName.MatchString(id.Text) {
			c.add(id.At, "secret-ref", finding.Critical, fmt.Sprintf("%q is no name of an entry of OpenClaw's store", id.Text), "use upper case letters, digits and _")
		}
	default:
		c.add(source.At, "secret-ref", finding.Critical, fmt.Sprintf("there is no source %q", source.Text), "use file, env, store or exec")
	}
}

// declared is what secrets.providers says of a reference's provider; nil if it says nothing, or speaks of another source.
// The provider "default" of the environment and of the store is there without saying.
func (c *check) declared(source, provider *Node) *Node {
	found := c.root.Get("secrets", "providers", provider.Text)
	switch {
	case found == nil && provider.Text == "default" && (source.Text == "env" || source.Text == "store"):
		return nil
	case found == nil:
		c.add(provider.At, "undeclared-provider", finding.Critical, fmt.Sprintf("secrets.providers has no %q", provider.Text),
			"declare it there, or the gateway has no key")
	case found.Get("source").String() != source.Text:
		c.add(provider.At, "undeclared-provider", finding.Critical, fmt.Sprintf("secrets.providers.%s is not of source %q", provider.Text, source.Text), "use the same source in both")
	default:
		return found
	}
	return nil
}

// fileID wants the id that goes with the mode of the file: OpenClaw's validator takes either with both.
func (c *check) fileID(declared, id *Node) {
	switch single := declared.Get("mode").String() == "singleValue"; {
	case single && id.Text != "value":
		c.add(id.At, "secret-ref", finding.Critical, fmt.Sprintf("a file of mode singleValue has no %q", id.Text), `use id: "value"`)
	case !single && !strings.HasPrefix(id.Text, "/"):
		c.add(id.At, "secret-ref", finding.Critical, fmt.Sprintf("%q is no pointer into a JSON file", id.Text),
			`give mode: "singleValue" to the file's provider, or an id such as "/litellm"`)
	}
}

// keyFile looks at the file that holds the key.
func (c *check) keyFile(declared *Node) {
	path := declared.Get("path")
	if path.String() == "" {
		c.add(declared.At, "key-file", finding.Critical, "the file provider names no path", "give the absolute path of the key file")
		return
	}
	c.unset(path)
	text, known := c.expand(path)
	if rest, ok := strings.CutPrefix(text, "~"); ok && (rest == "" || rest[0] == '/') {
		home := c.home()
		text, known = filepath.Join(home, rest), known && home != ""
	}
	switch {
	case !known:
	case !filepath.IsAbs(text):
		c.add(path.At, "key-file", finding.Warning, "the path of the key file starts from the folder in which OpenClaw is started", "give the absolute path, or one that begins with ~/")
	case c.Mode != nil:
		c.keyFileMode(path.At, text)
	}
}

func (c *check) keyFileMode(at Position, path string) {
	mode, err := c.Mode(path)
	switch {
	case err != nil:
		c.add(at, "key-file", finding.Critical, "the key file is not there, or cannot be looked at", "write the key to it with bot rotate, mode 0600")
	case !mode.IsRegular():
		c.add(at, "key-file", finding.Critical, "the key file is no regular file", "write the key to a file, mode 0600")
	case mode.Perm()&0o077 != 0:
		c.add(at, "key-file", finding.Critical, fmt.Sprintf("the key file has mode %04o, and OpenClaw refuses a file that others can read", mode.Perm()),
			"chmod 600 it")
	}
}

// shadowed finds the variable that OpenClaw's discovery prefers to the configured key.
func (c *check) shadowed(provider *Node) {
	key := provider.Member("apiKey")
	const name = "LITELLM_API_KEY"
	set := c.Getenv != nil && c.Getenv(name) != ""
	at := key.At
	if v := c.root.Get("env", "vars").Member(name); v.Value != nil {
		set, at = true, v.At
	}
	if set && key.Value.Is(Object) && key.Value.Get("source").String() != "env" {
		c.add(at, "shadowed-key", finding.Warning, name+" is set and beats apiKey when OpenClaw asks the proxy for its models", "unset "+name)
	}
}
