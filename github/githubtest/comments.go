package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (s *Server) listComments(r *request) reply {
	i := r.repository.issue(r.vars["number"])
	if i == nil {
		return notFound()
	}
	var all []map[string]any
	for _, c := range i.comments {
		all = append(all, c.json(r.repository, i.Number))
	}
	page, header := paginate(r, all)
	return reply{status: http.StatusOK, body: page, header: header}
}

func (s *Server) createComment(r *request) reply {
	i := r.repository.issue(r.vars["number"])
	if i == nil {
		return notFound()
	}
	var body struct {
		Body string `json:"body"`
	}
	if refused, ok := r.read(&body); !ok {
		return refused
	}
	if body.Body == "" || utf8.RuneCountInString(body.Body) > maxBody {
		return refuse(http.StatusUnprocessableEntity, "Validation Failed",
			problemItem{Resource: "IssueComment", Field: "body", Code: "custom", Message: "body is too long (maximum is 65536 characters)"})
	}
	c := Comment{ID: s.id(), Body: body.Body, Author: r.token.login(), CreatedAt: s.second()}
	i.comments = append(i.comments, c)
	i.UpdatedAt = s.second()
	return reply{status: http.StatusCreated, body: c.json(r.repository, i.Number)}
}

func (s *Server) getLabel(r *request) reply {
	l := r.repository.label(r.vars["name"])
	if l == nil {
		return notFound()
	}
	return reply{status: http.StatusOK, body: l}
}

func (s *Server) createLabel(r *request) reply {
	var l label
	if refused, ok := r.read(&l); !ok {
		return refused
	}
	item := problemItem{Resource: "Label", Field: "name", Code: "missing_field"}
	if r.repository.label(l.Name) != nil {
		item.Code = "already_exists"
	} else if l.Name != "" {
		l.ID = s.id()
		r.repository.labels = append(r.repository.labels, l)
		return reply{status: http.StatusCreated, body: l}
	}
	return refuse(http.StatusUnprocessableEntity, "Validation Failed", item)
}

func (s *Server) getUser(r *request) reply {
	if r.token.App {
		return refuse(http.StatusForbidden, "Resource not accessible by integration")
	}
	return reply{status: http.StatusOK, body: map[string]any{"login": r.token.login(), "type": "User"}}
}

// graphql answers the one query there is: who is asking.
func (s *Server) graphql(r *request) reply {
	var body struct {
		Query string `json:"query"`
	}
	if refused, ok := r.read(&body); !ok {
		return refused
	}
	if strings.Join(strings.Fields(body.Query), "") != "{viewer{login}}" {
		return reply{status: http.StatusOK, body: map[string]any{"errors": []problemItem{{Message: "the sandbox only answers {viewer{login}}"}}}}
	}
	viewer := map[string]any{"login": r.token.login()}
	return reply{status: http.StatusOK, body: map[string]any{"data": map[string]any{"viewer": viewer}}}
}

func (s *Server) getRepository(r *request) reply {
	return reply{status: http.StatusOK, body: r.repository.json()}
}

func (s *Server) listRepositories(r *request) reply {
	org := s.organizations[strings.ToLower(r.vars["org"])]
	if org == nil {
		return notFound()
	}
	page, header := paginate(r, s.visible(r, org.name))
	return reply{status: http.StatusOK, body: page, header: header}
}

// json is the repository in GitHub's form.
func (r *repository) json() map[string]any {
	owner, name, _ := strings.Cut(r.Name, "/")
	topics := r.Topics
	if topics == nil {
		topics = []string{}
	}
	return map[string]any{
		"id": r.ID, "name": name, "full_name": r.Name, "owner": map[string]any{"login": owner},
		"private": r.Visibility != "public", "visibility": r.Visibility, "archived": r.Archived, "fork": r.Fork,
		"is_template": r.Template, "topics": topics, "default_branch": r.DefaultBranch,
	}
}

func (s *Server) dispatch(r *request) reply {
	var body struct {
		EventType string          `json:"event_type"`
		Payload   json.RawMessage `json:"client_payload"`
	}
	if refused, ok := r.read(&body); !ok {
		return refused
	}
	var payload map[string]any
	if len(body.Payload) > 0 && json.Unmarshal(body.Payload, &payload) != nil {
		return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\nFor 'properties/client_payload', it is not an object.")
	}
	if body.EventType == "" || len(body.EventType) > 100 {
		return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\n\"event_type\" wasn't supplied or is too long.")
	}
	if len(payload) > 10 {
		return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\nNo more than 10 properties are allowed.")
	}
	r.repository.dispatches = append(r.repository.dispatches, Dispatch{EventType: body.EventType, Payload: payload, At: s.second()})
	return reply{status: http.StatusNoContent}
}

// cursor cuts the page that r asks for out of all as GitHub does for issues: the way on is an opaque "after" and page
// numbers are refused. It never returns nil.
func cursor[T any](r *request, all []T) ([]T, http.Header, bool) {
	if r.query.Has("page") {
		return nil, nil, false
	}
	size := number(r.query.Get("per_page"), 30, 100)
	from := 0
	if raw, err := base64.URLEncoding.DecodeString(r.query.Get("after")); err == nil {
		from = min(len(all), number(string(raw), 1, 1<<20)-1)
	}
	to := min(len(all), from+size)
	header := http.Header{}
	if to < len(all) {
		query := r.url.Query()
		query.Set("after", base64.URLEncoding.EncodeToString([]byte(strconv.Itoa(to+1))))
		header.Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, r.base, r.url.EscapedPath(), query.Encode()))
	}
	return append([]T{}, all[from:to]...), header, true
}

// paginate cuts the page that r asks for out of all, with GitHub's Link header. It never returns nil.
func paginate[T any](r *request, all []T) ([]T, http.Header) {
	size := number(r.query.Get("per_page"), 30, 100)
	page := number(r.query.Get("page"), 1, 1<<20)
	last := max(1, (len(all)+size-1)/size)
	var links []string
	link := func(to int, rel string) {
		query := r.url.Query()
		query.Set("page", strconv.Itoa(to))
		links = append(links, fmt.Sprintf("<%s%s?%s>; rel=%q", r.base, r.url.EscapedPath(), query.Encode(), rel))
	}
	if page > 1 {
		link(page-1, "prev")
	}
	if page < last {
		link(page+1, "next")
		link(last, "last")
	}
	from := min(len(all), (page-1)*size)
	to := min(len(all), from+size)
	return append([]T{}, all[from:to]...), http.Header{"Link": {strings.Join(links, ", ")}}
}

// number parses text, or returns fallback; most is the largest.
func number(text string, fallback, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fallback
	}
	return min(n, most)
}
