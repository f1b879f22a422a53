package litellmtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// allowedRole refuses routes that the caller's role does not open.
func (c *call) allowedRole(to route) error {
	path := c.r.URL.Path
	if to.llm || c.who.admin() {
		return nil
	}
	if open, err := c.infoRoute(path); open || err != nil {
		return err
	}
	if c.who.role == roleAdminViewer {
		return c.allowedViewer(path)
	}
	if c.userRoute(path) || slices.Contains(selfManaged(c.family()), path) ||
		slices.ContainsFunc(c.who.key.allowedRoutes, func(allowed string) bool { return covers(c.family(), allowed, path) }) {
		return nil
	}
	return c.adminsOnly(path)
}

// infoRoute reports whether every key may call a route, and refuses another user's /user/info.
func (c *call) infoRoute(path string) (bool, error) {
	if !slices.Contains(infoRoutes(), path) {
		return false, nil
	}
	asked := c.query.Get("user_id")
	looks := c.family() == family106 && c.who.role == roleAdminViewer
	if path == "/user/info" && asked != "" && asked != c.who.userID && !looks {
		r := envelope(http.StatusForbidden, typeAuth, "None",
			"key not allowed to access this user's info. user_id=%s, key's user_id=%s", asked, orNone(c.who.userID))
		r.class = "HTTPException"
		return true, r
	}
	return true, nil
}

// allowedViewer lets an admin's viewer read; old releases name the routes one by one.
func (c *call) allowedViewer(path string) error {
	old := c.family() == family81 && path != "/user/list" && !strings.HasPrefix(path, "/user/daily/activity")
	if c.r.Method == http.MethodGet && !old {
		return nil
	}
	return envelope(http.StatusForbidden, typeAuth, "None",
		"user not allowed to access this route, role= %s. Trying to access: %s", c.who.role, path)
}

// userRoute reports whether internal users may call a route: their own keys, and spend rows from 93 on.
func (c *call) userRoute(path string) bool {
	switch c.who.role {
	case roleUser:
		return strings.HasPrefix(path, "/key/") || path == "/spend/logs/v2" && c.family() != family81
	case roleUserViewer:
		return path == "/spend/logs/v2" && c.family() != family81
	default:
		return false
	}
}

// adminsOnly is the usual refusal of a management route.
func (c *call) adminsOnly(path string) *refusal {
	role := ""
	if user := c.store.users[c.who.userID]; user != nil {
		role = user.role
	}
	id := cmp.Or(c.who.userID, "unknown")
	if c.family() != family81 {
		id = strings.Repeat("*", len(id))
	}
	return authRefused("Only proxy admin can be used to generate, delete, update info for new keys/users/teams. "+
		"Route=%s. Your role=%s. Your user_id=%s", path, cmp.Or(role, "unknown"), id)
}

// mayMakeKeyFor holds callers who are no admins to keys of their own, or of nobody.
func (c *call) mayMakeKeyFor(userID string) *refusal {
	nobody := userID == "" && c.who.role == roleUser
	if c.who.admin() || userID == c.who.userID || nobody {
		return nil
	}
	return envelope(http.StatusForbidden, typeInternal, c.none(), "User can only create keys for themselves. "+
		"Got user_id=%s, Your ID=%s", orNone(userID), orNone(c.who.userID))
}

// mayUpdate holds callers who are no admins to what they may change of their own keys: nothing, on new releases.
func (c *call) mayUpdate(row *keyRow) *refusal {
	if c.who.admin() {
		return nil
	}
	if c.family() == family81 {
		if row.userID != c.who.userID {
			return c.wrapped(http.StatusForbidden, "User not allowed to update this key")
		}
		return nil
	}
	what := "/key/update"
	if c.body.has("max_budget") || c.body.has("spend") {
		what += " (max_budget/spend)"
	}
	return envelope(http.StatusForbidden, typeAuth, "None", "%s", pythonError("Only proxy admins, team admins, or org admins "+
		"can call "+what+". user_role="+c.who.role+", user_id="+orNone(c.who.userID)))
}

// mayBlock is mayUpdate for /key/block and /key/unblock.
func (c *call) mayBlock(row *keyRow) *refusal {
	if c.who.admin() || c.family() == family81 && row.userID == c.who.userID {
		return nil
	}
	return detail(http.StatusForbidden, object{"error": "Only proxy admins, team admins, or org admins can call " + c.r.URL.Path +
		". user_role=" + c.who.role + ", user_id=" + orNone(c.who.userID)})
}
