package githubtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Repository is one repository to add.
type Repository struct {
	Name          string // "owner/name"
	ID            int64  // 0: the server gives one
	Visibility    string // "public", "private" or "internal"; "": "private"
	Archived      bool
	Fork          bool
	Template      bool
	Topics        []string
	DefaultBranch string // "": "main"
	Environments  []string
}

// repository is a Repository with what happened to it.
type repository struct {
	Repository
	former     []string // lower-case names it had
	issues     []*issue
	labels     []label
	dispatches []Dispatch
}

type organization struct{ name string }

// AddRepository adds r and returns its id. Its owner becomes an organization, unless it is known as a person.
func (s *Server) AddRepository(r Repository) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == 0 {
		r.ID = s.id()
	}
	if r.Visibility == "" {
		r.Visibility = "private"
	}
	if r.DefaultBranch == "" {
		r.DefaultBranch = "main"
	}
	r.Topics, r.Environments = slices.Clone(r.Topics), slices.Clone(r.Environments)
	s.repositories = append(s.repositories, &repository{Repository: r})
	owner, _, _ := strings.Cut(r.Name, "/")
	if !s.people[strings.ToLower(owner)] {
		s.organizations[strings.ToLower(owner)] = &organization{name: owner}
	}
	return r.ID
}

// AddOrganization adds an organization without repositories.
func (s *Server) AddOrganization(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.organizations[strings.ToLower(name)] = &organization{name: name}
}

// RenameRepository gives a repository a new "owner/name"; the old one answers 301 from then on. It does nothing if
// there is no such repository.
func (s *Server) RenameRepository(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, _ := s.find(from); r != nil {
		r.former = append(r.former, strings.ToLower(r.Name))
		r.Name = to
	}
}

// Archive makes a repository read-only. It does nothing if there is no such repository.
func (s *Server) Archive(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, _ := s.find(name); r != nil {
		r.Archived = true
	}
}

// RemoveRepository deletes a repository with everything in it. It does nothing if there is none.
func (s *Server) RemoveRepository(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone, _ := s.find(name)
	s.repositories = slices.DeleteFunc(s.repositories, func(r *repository) bool { return r == gone })
}

// find returns the repository of that name; moved says that it has another name now. The lock is held.
func (s *Server) find(name string) (found *repository, moved bool) {
	for _, r := range s.repositories {
		if strings.EqualFold(r.Name, name) {
			return r, false
		}
	}
	for _, r := range s.repositories {
		if slices.Contains(r.former, strings.ToLower(name)) {
			return r, true
		}
	}
	return nil, false
}

// findID returns the repository with that number, nil if there is none. The lock is held.
func (s *Server) findID(id string) *repository {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil
	}
	for _, r := range s.repositories {
		if r.ID == n {
			return r
		}
	}
	return nil
}

// Dispatch is one repository_dispatch event that was received.
type Dispatch struct {
	EventType string
	Payload   map[string]any // nil: none
	At        time.Time
}

// Dispatches returns the events received by a repository, oldest first.
func (s *Server) Dispatches(repository string) []Dispatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, _ := s.find(repository); r != nil {
		return slices.Clone(r.dispatches)
	}
	return nil
}
