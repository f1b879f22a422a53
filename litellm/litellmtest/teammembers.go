package litellmtest

import (
	"encoding/json"
	"slices"
	"strings"
)

// memberRequest is one member as a body names it.
type memberRequest struct {
	UserID string `json:"user_id"`
	Role   string `json:"role"`
}

// askedMembers reads the field "member": one member or a list of them.
func (c *call) askedMembers() ([]memberRequest, *refusal) {
	var several []memberRequest
	if json.Unmarshal(c.body["member"], &several) == nil {
		return several, nil
	}
	var one memberRequest
	if json.Unmarshal(c.body["member"], &one) != nil {
		return nil, c.invalid("missing", "Field required", c.body, nil, "body", "member")
	}
	return []memberRequest{one}, nil
}

// dropTeam deletes a team, its keys and its members' links to it.
func (s *store) dropTeam(team *teamRow, c *call) {
	for _, token := range slices.Clone(s.order) {
		if row := s.keys[token]; row.teamID == team.id {
			s.archive(row, c.who, c.now)
			delete(c.proxy.cached, token)
		}
	}
	for _, user := range s.users {
		user.teams = slices.DeleteFunc(user.teams, func(id string) bool { return id == team.id })
	}
	delete(s.teams, team.id)
}

// membersText is a team's members as Python prints them.
func (t *teamRow) membersText() string {
	var texts []string
	for _, id := range t.order {
		if t.members[id].role == "" {
			continue
		}
		texts = append(texts, "Member(user_id='"+id+"', user_email=None, role='"+t.members[id].role+"')")
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// memberDuration is the window that a body gives to a member's budget. Old releases know no such field.
func (c *call) memberDuration() (string, *refusal) {
	if c.family() == family81 {
		return "", nil
	}
	return c.text("budget_duration")
}
