package githubtest

import (
	"net/http"
	"strings"
)

// table lists every endpoint. Those of a repository are also found under its number, where renamed ones redirect to.
func (s *Server) table() []route {
	var all []route
	for _, base := range []string{"repos/{owner}/{repo}", "repositories/{id}"} {
		all = append(all, s.repositoryRoutes(base)...)
		all = append(all, s.secretRoutes(base+"/environments/{env}/secrets", "actions", "environments")...)
		for _, store := range stores() {
			all = append(all, s.secretRoutes(base+"/"+store.name+"/secrets", store.name, store.permission)...)
		}
	}
	for _, store := range stores() {
		all = append(all, s.organizationRoutes("orgs/{org}/"+store.name+"/secrets", store)...)
	}
	all = append(all, s.appRoutes()...)
	return append(all,
		route{http.MethodGet, "orgs/{org}/repos", "metadata=read", s.listRepositories},
		route{http.MethodGet, "user/repos", "metadata=read", s.listOwn},
		route{http.MethodGet, "installation/repositories", "metadata=read", s.listInstalled},
		route{http.MethodGet, "user", "", s.getUser},
		route{http.MethodPost, "graphql", "", s.graphql},
		route{http.MethodPost, "api/graphql", "", s.graphql},
	)
}

// isRead reports whether a request changes nothing.
func isRead(method, path string) bool {
	return method == http.MethodGet || strings.HasSuffix(path, "/graphql")
}

type store struct{ name, permission, orgPermission string }

func stores() []store {
	return []store{
		{"actions", "secrets", "organization_secrets"},
		{"dependabot", "dependabot_secrets", "organization_dependabot_secrets"},
		{"codespaces", "codespaces_secrets", "organization_codespaces_secrets"},
	}
}

func (s *Server) repositoryRoutes(base string) []route {
	return []route{
		{http.MethodGet, base, "metadata=read", s.getRepository},
		{http.MethodPost, base + "/dispatches", "contents=write", s.dispatch},
		{http.MethodGet, base + "/issues", "issues=read", s.listIssues},
		{http.MethodPost, base + "/issues", "issues=write", s.createIssue},
		{http.MethodGet, base + "/issues/{number}", "issues=read", s.getIssue},
		{http.MethodPatch, base + "/issues/{number}", "issues=write", s.editIssue},
		{http.MethodGet, base + "/issues/{number}/comments", "issues=read", s.listComments},
		{http.MethodPost, base + "/issues/{number}/comments", "issues=write", s.createComment},
		{http.MethodPost, base + "/labels", "issues=write", s.createLabel},
		{http.MethodGet, base + "/labels/{name}", "issues=read", s.getLabel},
	}
}

func (s *Server) secretRoutes(base, store, permission string) []route {
	return []route{
		{http.MethodGet, base + "/public-key", permission + "=read", s.getPublicKey(store)},
		{http.MethodGet, base + "/{name}", permission + "=read", s.getSecret(store)},
		{http.MethodPut, base + "/{name}", permission + "=write", s.putSecret(store)},
	}
}

func (s *Server) organizationRoutes(base string, st store) []route {
	return append(s.secretRoutes(base, st.name, st.orgPermission),
		route{http.MethodGet, base + "/{name}/repositories", st.orgPermission + "=read", s.getSelected(st.name)})
}
