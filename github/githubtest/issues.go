package githubtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is the longest text of an issue or comment, in characters.
const maxBody = 65536

// Issue is one issue, to add or to look at.
type Issue struct {
	Number      int // given by the server
	Title       string
	Body        string
	State       string // "open" or "closed"; "": "open"
	Author      string // login; "": "octocat"
	Labels      []string
	PullRequest bool // GitHub lists pull requests among the issues
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Comment is one comment on an issue.
type Comment struct {
	ID        int64
	Body      string
	Author    string
	CreatedAt time.Time
}

type issue struct {
	Issue
	id       int64
	comments []Comment
}

type label struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Color       string `json:"color"`
	Description string `json:"description"`
}

// AddIssue adds an issue as its Author and returns its number, 0 if there is no such repository.
func (s *Server) AddIssue(repository string, i Issue) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, _ := s.find(repository)
	if r == nil {
		return 0
	}
	return s.open(r, i).Number
}

// AddComment adds a comment by somebody. It does nothing if there is no such issue.
func (s *Server) AddComment(repository string, number int, c Comment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, _ := s.find(repository); r != nil {
		if i := r.issue(strconv.Itoa(number)); i != nil {
			c.ID, c.CreatedAt = s.id(), s.second()
			i.comments = append(i.comments, c)
		}
	}
}

// EditIssue lets change alter an issue as somebody else would. It does nothing if there is no such issue.
func (s *Server) EditIssue(repository string, number int, change func(*Issue)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, _ := s.find(repository); r != nil {
		if i := r.issue(strconv.Itoa(number)); i != nil {
			change(&i.Issue)
			i.UpdatedAt = s.second()
		}
	}
}

// Issues returns the issues of a repository, lowest number first.
func (s *Server) Issues(repository string) []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Issue
	if r, _ := s.find(repository); r != nil {
		for _, i := range r.issues {
			copied := i.Issue
			copied.Labels = slices.Clone(i.Labels)
			all = append(all, copied)
		}
	}
	return all
}

// Comments returns the comments on an issue, oldest first.
func (s *Server) Comments(repository string, number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, _ := s.find(repository); r != nil {
		if i := r.issue(strconv.Itoa(number)); i != nil {
			return slices.Clone(i.comments)
		}
	}
	return nil
}

// Labels returns the names of a repository's labels.
func (s *Server) Labels(repository string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	if r, _ := s.find(repository); r != nil {
		for _, l := range r.labels {
			names = append(names, l.Name)
		}
	}
	return names
}

// open adds i to r. The lock is held.
func (s *Server) open(r *repository, i Issue) *issue {
	i.Number = len(r.issues) + 1
	i.CreatedAt, i.UpdatedAt = s.second(), s.second()
	i.Labels = slices.Clone(i.Labels)
	if i.State == "" {
		i.State = "open"
	}
	if i.Author == "" {
		i.Author = "octocat"
	}
	s.ensureLabels(r, i.Labels)
	added := &issue{Issue: i, id: s.id()}
	r.issues = append(r.issues, added)
	return added
}

// ensureLabels creates those labels that r does not have, as naming them on an issue does.
func (s *Server) ensureLabels(r *repository, names []string) {
	for _, name := range names {
		if r.label(name) == nil {
			r.labels = append(r.labels, label{ID: s.id(), Name: name, Color: "ededed"})
		}
	}
}

func (r *repository) issue(number string) *issue {
	for _, i := range r.issues {
		if strconv.Itoa(i.Number) == number {
			return i
		}
	}
	return nil
}

func (r *repository) label(name string) *label {
	for i := range r.labels {
		if strings.EqualFold(r.labels[i].Name, name) {
			return &r.labels[i]
		}
	}
	return nil
}

// json is the issue in GitHub's form.
func (i *issue) json(r *repository) map[string]any {
	labels := []map[string]any{}
	for _, name := range i.Labels {
		if l := r.label(name); l != nil {
			labels = append(labels, map[string]any{"id": l.ID, "name": l.Name, "color": l.Color})
		}
	}
	body := map[string]any{
		"id": i.id, "number": i.Number, "title": i.Title, "body": i.Body, "state": i.State,
		"user": map[string]any{"login": i.Author}, "labels": labels, "comments": len(i.comments),
		"html_url":   fmt.Sprintf("https://github.com/%s/issues/%d", r.Name, i.Number),
		"created_at": stamp(i.CreatedAt), "updated_at": stamp(i.UpdatedAt),
	}
	if i.PullRequest {
		body["pull_request"] = map[string]any{"url": fmt.Sprintf("https://api.github.com/repos/%s/pulls/%d", r.Name, i.Number)}
	}
	return body
}

func (c Comment) json(r *repository, number int) map[string]any {
	return map[string]any{
		"id": c.ID, "body": c.Body, "user": map[string]any{"login": c.Author}, "created_at": stamp(c.CreatedAt),
		"html_url": fmt.Sprintf("https://github.com/%s/issues/%d#issuecomment-%d", r.Name, number, c.ID),
	}
}

func (s *Server) listIssues(r *request) reply {
	var found []map[string]any
	for _, i := range r.repository.issues {
		if i.listed(r.query) {
			found = append(found, i.json(r.repository))
		}
	}
	if r.query.Get("direction") != "asc" {
		slices.Reverse(found)
	}
	page, header, ok := cursor(r, found)
	if !ok {
		return refuse(http.StatusUnprocessableEntity,
			"Pagination with the page parameter is not supported for large datasets, please use cursor based pagination (after/before)")
	}
	return reply{status: http.StatusOK, body: page, header: header}
}

// listed reports whether i is in the listing that query asks for.
func (i *issue) listed(query url.Values) bool {
	state := query.Get("state")
	if state == "" {
		state = "open"
	}
	if state != "all" && state != i.State {
		return false
	}
	for _, want := range strings.Split(query.Get("labels"), ",") {
		if want != "" && !slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, want) }) {
			return false
		}
	}
	return true
}

func (s *Server) getIssue(r *request) reply {
	i := r.repository.issue(r.vars["number"])
	if i == nil {
		return notFound()
	}
	return reply{status: http.StatusOK, body: i.json(r.repository)}
}

// issueBody is what creating or editing an issue brings; nil fields were not sent.
type issueBody struct {
	Title  *string   `json:"title"`
	Body   *string   `json:"body"`
	State  *string   `json:"state"`
	Labels *[]string `json:"labels"`
}

// refused returns GitHub's objection to b.
func (b issueBody) refused() (reply, bool) {
	var items []problemItem
	if b.Title != nil && *b.Title == "" {
		items = append(items, problemItem{Resource: "Issue", Field: "title", Code: "missing_field"})
	}
	if b.Body != nil && utf8.RuneCountInString(*b.Body) > maxBody {
		items = append(items, problemItem{Resource: "Issue", Field: "body", Code: "custom", Message: "body is too long (maximum is 65536 characters)"})
	}
	if b.State != nil && *b.State != "open" && *b.State != "closed" {
		items = append(items, problemItem{Resource: "Issue", Field: "state", Code: "invalid"})
	}
	return refuse(http.StatusUnprocessableEntity, "Validation Failed", items...), len(items) > 0
}

func (s *Server) createIssue(r *request) reply {
	var body issueBody
	if refused, ok := r.read(&body); !ok {
		return refused
	}
	if body.Title == nil {
		body.Title = new(string)
	}
	if refused, bad := body.refused(); bad {
		return refused
	}
	added := s.open(r.repository, Issue{Title: *body.Title, Author: r.token.login()})
	s.change(r.repository, added, body)
	return reply{status: http.StatusCreated, body: added.json(r.repository)}
}

func (s *Server) editIssue(r *request) reply {
	i := r.repository.issue(r.vars["number"])
	if i == nil {
		return notFound()
	}
	var body issueBody
	if refused, ok := r.read(&body); !ok {
		return refused
	}
	if refused, bad := body.refused(); bad {
		return refused
	}
	s.change(r.repository, i, body)
	return reply{status: http.StatusOK, body: i.json(r.repository)}
}

// change applies body to i.
func (s *Server) change(r *repository, i *issue, body issueBody) {
	if body.Title != nil {
		i.Title = *body.Title
	}
	if body.Body != nil {
		i.Body = *body.Body
	}
	if body.State != nil {
		i.State = *body.State
	}
	if body.Labels != nil {
		s.ensureLabels(r, *body.Labels)
		i.Labels = slices.Clone(*body.Labels)
	}
	i.UpdatedAt = s.second()
}
