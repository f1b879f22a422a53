package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// MaxBody is the longest text GitHub takes for an issue or a comment, in characters.
const MaxBody = 65536

// Issue is one issue of a repository.
type Issue struct {
	Number    int
	Title     string
	Body      string
	State     string // "open" or "closed"
	Author    string // login; "" for a deleted account
	URL       string // for people
	UpdatedAt time.Time
	Labels    []string
}

// IssueEdit is what to change; nil fields stay as they are.
type IssueEdit struct {
	Title  *string
	Body   *string
	State  *string   // "open" or "closed"
	Labels *[]string // replaces them all
}

// Comment is one comment on an issue.
type Comment struct {
	ID        int64
	Body      string
	Author    string
	URL       string
	CreatedAt time.Time
}

// Issues lists the issues of repository that carry label, open and closed, lowest number first and without pull
// requests. Nil and no error means none.
func (c *Client) Issues(ctx context.Context, repository, label string) ([]Issue, error) {
	op := fmt.Sprintf("listing issues labelled %q in %s", label, repository)
	path, err := repositoryPath(op, repository)
	if err != nil {
		return nil, err
	}
	query := url.Values{"state": {"all"}, "labels": {label}, "sort": {"created"}, "direction": {"asc"}, "per_page": {"100"}}
	var found []Issue
	err = list(ctx, c, op, path+"/issues?"+query.Encode(), func(page []*gh.Issue) {
		for _, i := range page {
			if !i.IsPullRequest() {
				found = append(found, issueOf(i))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Issue reads one issue.
func (c *Client) Issue(ctx context.Context, repository string, number int) (Issue, error) {
	return c.issue(ctx, call{op: fmt.Sprintf("reading issue %d of %s", number, repository), method: http.MethodGet, repeat: true},
		repository, fmt.Sprintf("/issues/%d", number))
}

// CreateIssue opens an issue. It is not repeated when the answer is lost, for there would be two: the error then has
// Lost set and the caller looks with Issues first.
func (c *Client) CreateIssue(ctx context.Context, repository, title, body string, labels []string) (Issue, error) {
	request := gh.IssueRequest{Title: &title, Body: &body}
	if len(labels) > 0 {
		request.Labels = &labels
	}
	return c.issue(ctx, call{op: fmt.Sprintf("creating an issue in %s", repository), method: http.MethodPost, body: &request},
		repository, "/issues")
}

// EditIssue changes an issue and returns what it is then. The same edit twice is harmless.
func (c *Client) EditIssue(ctx context.Context, repository string, number int, edit IssueEdit) (Issue, error) {
	request := gh.IssueRequest{Title: edit.Title, Body: edit.Body, State: edit.State, Labels: edit.Labels}
	return c.issue(ctx, call{op: fmt.Sprintf("editing issue %d of %s", number, repository), method: http.MethodPatch, body: &request, repeat: true},
		repository, fmt.Sprintf("/issues/%d", number))
}

func (c *Client) issue(ctx context.Context, k call, repository, suffix string) (Issue, error) {
	path, err := repositoryPath(k.op, repository)
	if err != nil {
		return Issue{}, err
	}
	var answer gh.Issue
	k.path, k.out = path+suffix, &answer
	if _, err := c.do(ctx, k); err != nil {
		return Issue{}, err
	}
	return issueOf(&answer), nil
}

// Comments lists the comments on an issue, oldest first.
func (c *Client) Comments(ctx context.Context, repository string, number int) ([]Comment, error) {
	op := fmt.Sprintf("listing comments on issue %d of %s", number, repository)
	path, err := repositoryPath(op, repository)
	if err != nil {
		return nil, err
	}
	var found []Comment
	err = list(ctx, c, op, fmt.Sprintf("%s/issues/%d/comments?per_page=100", path, number), func(page []*gh.IssueComment) {
		for _, m := range page {
			found = append(found, commentOf(m))
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// CommentOn adds a comment to an issue. Like CreateIssue it is not repeated when the answer is lost.
func (c *Client) CommentOn(ctx context.Context, repository string, number int, body string) (Comment, error) {
	op := fmt.Sprintf("commenting on issue %d of %s", number, repository)
	path, err := repositoryPath(op, repository)
	if err != nil {
		return Comment{}, err
	}
	var answer gh.IssueComment
	_, err = c.do(ctx, call{op: op, method: http.MethodPost, path: fmt.Sprintf("%s/issues/%d/comments", path, number),
		body: &gh.IssueComment{Body: &body}, out: &answer})
	if err != nil {
		return Comment{}, err
	}
	return commentOf(&answer), nil
}

// EnsureLabel makes sure that repository has the label; one that exists is left as it is. color is six hex digits.
func (c *Client) EnsureLabel(ctx context.Context, repository, name, color, description string) error {
	op := fmt.Sprintf("creating label %q in %s", name, repository)
	path, err := repositoryPath(op, repository)
	if err != nil {
		return err
	}
	label := gh.Label{Name: &name, Color: &color, Description: &description}
	_, err = c.do(ctx, call{op: op, method: http.MethodPost, path: path + "/labels", body: &label, repeat: true})
	if KindOf(err) != Validation {
		return err
	}
	// 422 is the answer both to a label that exists and to one that cannot.
	look := call{op: fmt.Sprintf("reading label %q in %s", name, repository), method: http.MethodGet,
		path: path + "/labels/" + url.PathEscape(name), repeat: true}
	if _, missing := c.do(ctx, look); missing != nil {
		return err
	}
	return nil
}

// repositoryPath returns "repos/owner/name", or an *Error if repository is not of that form.
func repositoryPath(op, repository string) (string, error) {
	owner, name, err := splitRepository(repository)
	if err != nil {
		return "", invalid(op, "%w", err)
	}
	return "repos/" + owner + "/" + name, nil
}

func issueOf(i *gh.Issue) Issue {
	found := Issue{
		Number: i.GetNumber(), Title: i.GetTitle(), Body: i.GetBody(), State: i.GetState(),
		Author: i.GetUser().GetLogin(), URL: i.GetHTMLURL(), UpdatedAt: i.GetUpdatedAt().UTC(),
	}
	for _, l := range i.Labels {
		found.Labels = append(found.Labels, l.GetName())
	}
	return found
}

func commentOf(m *gh.IssueComment) Comment {
	return Comment{ID: m.GetID(), Body: m.GetBody(), Author: m.GetUser().GetLogin(), URL: m.GetHTMLURL(), CreatedAt: m.GetCreatedAt().UTC()}
}
