package litellmtest

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// keyRow is a row of the key table.
type keyRow struct {
	token         string // SHA-256 of the plaintext, the primary key
	name          string // "sk-...abcd"
	alias         string
	userID        string
	teamID        string
	models        []string
	spend         decimal.Decimal // in this window
	total         decimal.Decimal // ever
	maxBudget     decimal.NullDecimal
	window        window
	expires       time.Time
	blocked       *bool
	metadata      json.RawMessage
	allowedRoutes []string
	limits        map[string]json.RawMessage // tpm_limit and the like, as sent
	createdAt     time.Time
	updatedAt     time.Time
	settingsAt    time.Time // last change by people, not by spend; told by new releases
	lastActive    time.Time
	createdBy     string
	updatedBy     string
	deletion      *deletion // nil while the key lives
	version       int       // grows with every change of the row
}

// deletion is what the archive adds to a row.
type deletion struct {
	id, by, byKey string
	at            time.Time
}

// limitFields are stored and shown, and do nothing here.
func limitFields() []string {
	return []string{"tpm_limit", "rpm_limit", "max_parallel_requests"}
}

// newerFields are those that the newest releases add to a key, all empty here.
func newerFields() object {
	return object{
		"agent_id": nil, "project_id": nil, "tpd_limit": nil, "key_type": "default",
		"budget_fallbacks": object{}, "budget_limits": nil,
	}
}

// common is what every rendering of a key has; at prints its times.
func (k *keyRow) common(f family, at func(time.Time) any) object {
	var blocked any
	if k.blocked != nil {
		blocked = *k.blocked
	}
	o := object{
		"key_name": k.name, "key_alias": orNull(k.alias), "soft_budget_cooldown": false, "spend": number(k.spend),
		"expires": at(k.expires), "models": list(k.models), "aliases": object{}, "config": object{},
		"router_settings": object{}, "user_id": orNull(k.userID), "team_id": orNull(k.teamID), "permissions": object{},
		"metadata": rawOrEmpty(k.metadata), "blocked": blocked, "max_budget": optional(k.maxBudget),
		"budget_duration": orNull(k.window.duration), "budget_reset_at": at(k.window.resetAt),
		"allowed_cache_controls": []string{}, "allowed_routes": list(k.allowedRoutes), "access_group_ids": []string{},
		"model_spend": object{}, "model_max_budget": object{}, "object_permission_id": nil, "object_permission": nil,
		"created_at": at(k.createdAt), "created_by": orNull(k.createdBy),
		"updated_at": at(k.updatedAt), "updated_by": orNull(k.updatedBy),
		"rotation_count": 0, "auto_rotate": false, "rotation_interval": nil, "last_rotation_at": nil,
		"key_rotation_at": nil, "litellm_budget_table": nil,
	}
	for _, name := range limitFields() {
		o[name] = rawOrNull(k.limits[name])
	}
	if f != family81 {
		o["last_active"] = at(k.lastActive)
	}
	if f == family106 {
		o.with(newerFields()).with(object{"total_spend": number(k.total), "settings_updated_at": at(k.settingsAt)})
	}
	return o
}

// rawOrEmpty is raw, an explicit null included, or an empty object if there is none.
func rawOrEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

// rawOrNull is raw, or nil if there is none.
func rawOrNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

// info is the row as /key/info shows it, without token.
func (k *keyRow) info(f family, now time.Time) object {
	if k.deletion != nil {
		o := k.archived(f, offset)
		delete(o, "token")
		return o.with(object{"status": "deleted"})
	}
	o := k.common(f, offset).with(object{
		"policies": []string{}, "budget_id": nil, "organization_id": nil, "litellm_organization_table": nil,
	})
	if f == family106 {
		status := "active"
		if k.blocked != nil && *k.blocked {
			status = "revoked"
		} else if !k.expires.IsZero() && k.expires.Before(now) {
			status = "expired"
		}
		o.with(object{"litellm_project_table": nil, "jwt_key_mappings": nil, "status": status})
	}
	return o
}

// listed is the row as /key/list shows it.
func (k *keyRow) listed(f family) object {
	if k.deletion != nil {
		return k.archived(f, zulu)
	}
	return k.common(f, zulu).with(object{
		"token": k.token, "org_id": nil, "team_spend": nil, "team_alias": nil, "team_max_budget": nil,
		"team_models": []string{}, "team_blocked": false, "soft_budget": nil, "user_role": nil, "user_spend": nil,
		"user_max_budget": nil, "last_refreshed_at": nil, "user": nil,
	})
}

// owned is the row as /user/info shows it; expires is in the other zone notation than the rest.
func (k *keyRow) owned(f family) object {
	o := k.common(f, zulu).with(object{
		"token": k.token, "policies": []string{}, "budget_id": nil, "organization_id": nil,
		"litellm_organization_table": nil, "team_alias": "None", "expires": offset(k.expires),
	})
	if k.teamID != "" {
		o["team_alias"] = nil
	}
	return o
}

// archived is a deleted row.
func (k *keyRow) archived(f family, at func(time.Time) any) object {
	o := k.common(f, at).with(object{
		"token": k.token, "org_id": nil, "id": k.deletion.id, "deleted_at": at(k.deletion.at),
		"deleted_by": k.deletion.by, "deleted_by_api_key": k.deletion.byKey, "litellm_changed_by": nil,
	})
	if f == family106 {
		o["organization_id"] = nil
	}
	return o
}

// blockedRow is the answer of /key/block.
func (k *keyRow) blockedRow(f family) object {
	return k.common(f, zulu).with(object{"token": k.token, "org_id": nil})
}

// updatedRow is the answer of /key/update.
func (k *keyRow) updatedRow(f family, now time.Time, asked string) object {
	o := k.info(f, now).with(object{"key": asked, "token": k.token})
	delete(o, "status")
	return o
}

// clone is a copy that later changes of k do not reach.
func (k *keyRow) clone() *keyRow {
	copied := *k
	return &copied
}
