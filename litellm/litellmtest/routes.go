package litellmtest

import (
	"slices"
	"strings"
)

// infoRoutes are open to every key; the handlers limit what it sees.
func infoRoutes() []string {
	return []string{
		"/key/info", "/key/list", "/user/info", "/team/info", "/model/info", "/v1/model/info", "/model_group/info",
		"/models", "/v1/models",
	}
}

// selfManaged routes judge the caller themselves.
func selfManaged(f family) []string {
	found := []string{"/team/member_add", "/team/member_update", "/user/daily/activity"}
	if f != family81 {
		found = append(found, "/user/list")
	}
	if f == family106 {
		found = append(found, "/user/daily/activity/aggregated")
	}
	return found
}

// managementRoutes is the group "management_routes" of a key's allowed_routes.
func managementRoutes(f family) []string {
	found := []string{
		"/user/new", "/user/update", "/user/delete", "/user/info", "/user/list", "/user/daily/activity",
		"/user/daily/activity/aggregated", "/team/new", "/team/delete", "/team/info", "/model/info",
		"/key/generate", "/key/update", "/key/delete", "/key/info", "/key/regenerate", "/key/list", "/key/block", "/key/unblock",
	}
	if f != family81 {
		found = append(found, "/spend/logs/v2")
	}
	return found
}

// covers reports whether an entry of allowed_routes opens a path: a group's name, the path, a path above it, or a
// pattern with a star at its end.
func covers(f family, allowed, path string) bool {
	llm := []string{"/v1/chat/completions", "/chat/completions", "/v1/models", "/models"}
	switch allowed {
	case "llm_api_routes", "openai_routes":
		return slices.Contains(llm, path)
	case "info_routes":
		return slices.Contains(infoRoutes(), path)
	case "management_routes":
		return slices.Contains(managementRoutes(f), path)
	case "spend_tracking_routes":
		return f != family81 && path == "/spend/logs/v2"
	case "self_managed_routes":
		return slices.Contains(selfManaged(f), path)
	}
	if prefix, star := strings.CutSuffix(allowed, "*"); star {
		return strings.HasPrefix(path, prefix)
	}
	return path == allowed || strings.HasPrefix(path, strings.TrimSuffix(allowed, "/")+"/")
}
