package githubtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxRequest is the largest body read.
const maxRequest = 1 << 20

// route is one endpoint.
type route struct {
	method     string
	pattern    string                 // segments, {name} for a variable
	permission string                 // "secrets=write"; "" for none
	answer     func(r *request) reply // the lock is held
}

// request is one request on its way through a route.
type request struct {
	vars       map[string]string
	query      url.Values
	body       []byte
	url        *url.URL
	base       string // scheme and host the request came to
	token      Token
	repository *repository // of {owner} and {repo}
}

// reply is one answer.
type reply struct {
	status int
	body   any // nil: none
	header http.Header
}

// problem is GitHub's form of an error.
type problem struct {
	Message       string        `json:"message"`
	Errors        []problemItem `json:"errors,omitempty"`
	Documentation string        `json:"documentation_url"`
	Status        string        `json:"status"`
}

type problemItem struct {
	Resource string `json:"resource,omitempty"`
	Field    string `json:"field,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message,omitempty"`
}

// refuse returns an error in GitHub's form.
func refuse(status int, message string, items ...problemItem) reply {
	return reply{status: status, body: problem{
		Message: message, Errors: items, Documentation: "https://docs.github.com/rest", Status: fmt.Sprint(status),
	}}
}

func notFound() reply { return refuse(http.StatusNotFound, "Not Found") }

// serve answers one request: fault, token, limits, route, log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return
	}
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	fault := s.takeFault(r)
	if fault != nil && fault.instead() {
		s.note(r, fault.Status)
	}
	if fault != nil && fault.before(w, r) {
		return
	}
	answer := s.apply(r, body)
	s.note(r, answer.status)
	if fault != nil && fault.after(w, r) {
		return
	}
	s.write(w, answer)
}

// apply does what r asks under the lock.
func (s *Server) apply(r *http.Request, body []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, presented, refusal := s.authenticate(r)
	if refusal != "" {
		return refuse(http.StatusUnauthorized, refusal)
	}
	if limited, over := s.meter(presented, isRead(r.Method, r.URL.Path)); over {
		return limited
	}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "api/v3/")
	for _, route := range s.routes {
		vars, matches := match(route.pattern, path)
		if !matches || route.method != r.Method {
			continue
		}
		req := &request{vars: vars, query: r.URL.Query(), body: body, url: r.URL, base: baseOf(r), token: token}
		if refused, stop := s.admit(req, route, path); stop {
			return token.tell(refused)
		}
		return token.tell(route.answer(req))
	}
	return notFound()
}

// admit finds the request's repository and checks whether the token may do this.
func (s *Server) admit(r *request, route route, path string) (reply, bool) {
	if r.vars["owner"] != "" {
		found, moved := s.find(r.vars["owner"] + "/" + r.vars["repo"])
		if found == nil || !r.token.sees(found) {
			return notFound(), true
		}
		if moved {
			return s.moved(r, found, path), true
		}
		r.repository = found
	}
	if org := r.vars["org"]; org != "" && r.token.owner != "" && !strings.EqualFold(org, r.token.owner) {
		return notFound(), true
	}
	if id := r.vars["id"]; id != "" {
		if r.repository = s.findID(id); r.repository == nil || !r.token.sees(r.repository) {
			return notFound(), true
		}
	}
	if !r.token.allows(route.permission) {
		return r.token.forbidden(route.permission), true
	}
	if r.repository != nil && r.repository.Archived && route.method != http.MethodGet {
		return refuse(http.StatusForbidden, "Repository was archived so is read-only."), true
	}
	return reply{}, false
}

// moved redirects from a repository's old name to its number, as GitHub does.
func (s *Server) moved(r *request, to *repository, path string) reply {
	rest := strings.SplitN(path, "/", 4)
	location := fmt.Sprintf("%s/repositories/%d", r.base, to.ID)
	if len(rest) == 4 {
		location += "/" + rest[3]
	}
	if r.url.RawQuery != "" {
		location += "?" + r.url.RawQuery
	}
	answer := refuse(http.StatusMovedPermanently, "Moved Permanently")
	answer.header = http.Header{"Location": {location}}
	return answer
}

// baseOf returns the scheme and host that r was sent to.
func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// match compares path, still escaped, with pattern and returns the variables unescaped.
func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars := map[string]string{}
	for i, segment := range want {
		value, err := url.PathUnescape(got[i])
		if err != nil || value == "" {
			return nil, false
		}
		name, isVar := strings.CutPrefix(segment, "{")
		if isVar {
			vars[strings.TrimSuffix(name, "}")] = value
		} else if segment != value {
			return nil, false
		}
	}
	return vars, true
}

// write sends answer with GitHub's usual headers.
func (s *Server) write(w http.ResponseWriter, answer reply) {
	h := w.Header()
	for name, values := range answer.header {
		h[name] = values
	}
	h.Set("X-GitHub-Request-Id", "0000:SANDBOX")
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(answer.status)
	_ = json.NewEncoder(w).Encode(answer.body)
}

// read parses the request's body into v; a body that is no JSON gets GitHub's answer.
func (r *request) read(v any) (reply, bool) {
	if err := json.Unmarshal(r.body, v); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON"), false
	}
	return reply{}, true
}
