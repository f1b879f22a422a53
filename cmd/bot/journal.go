package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/org/openclaw-litellm-action/litellm"
)

// noticesKey is the metadata entry that remembers what people were told, where no issue does.
const noticesKey = "openclaw_litellm_notices"

// proxyJournal keeps the memory of notices in the metadata of a LiteLLM user of its own, which owns no key. It is not the
// holder: LiteLLM before 1.93 forgets what was spent in the last seconds when a user is updated amid its calls, so that
// whoever writes to a holder gives its budget away (docs/facts.md).
type proxyJournal struct {
	proxy *litellm.Client
	user  string
}

// journal returns where notices are remembered without an issue, by the first key of the configuration; nil if there is no
// key.
func (b *bot) journal() *proxyJournal {
	if len(b.set.Keys) == 0 {
		return nil
	}
	return &proxyJournal{b.proxy, "openclaw-litellm-notices/" + b.set.Keys[0].Name}
}

func (j *proxyJournal) Load(ctx context.Context) ([]byte, error) {
	u, err := j.read(ctx)
	if u == nil || err != nil {
		return nil, err
	}
	var memory []byte
	if err := json.Unmarshal(u.Metadata[noticesKey], &memory); err != nil {
		return nil, fmt.Errorf("reading what was told from LiteLLM user %s: %w", j.user, err)
	}
	return memory, nil
}

func (j *proxyJournal) Save(ctx context.Context, memory []byte) error {
	raw, err := json.Marshal(memory)
	if err != nil {
		return err
	}
	u, err := j.read(ctx)
	if err != nil {
		return err
	}
	metadata := map[string]json.RawMessage{}
	if u != nil {
		metadata = maps.Clone(u.Metadata)
	}
	metadata[noticesKey] = raw
	if u == nil {
		err := j.proxy.CreateUser(ctx, j.user, litellm.Fields{"user_role": "internal_user_viewer", "metadata": metadata})
		if !litellm.IsKind(err, litellm.AlreadyExists) {
			return err
		} // else another run made it at this moment
	}
	return j.proxy.UpdateUser(ctx, j.user, litellm.Fields{"metadata": metadata})
}

// read returns the user, nil if there is none yet. Somebody else's user of that name is an error.
func (j *proxyJournal) read(ctx context.Context) (*litellm.User, error) {
	u, err := j.proxy.User(ctx, j.user)
	switch {
	case litellm.IsKind(err, litellm.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case u.Metadata[noticesKey] == nil:
		return nil, fmt.Errorf("LiteLLM user %s exists and was not made by this tool; remove it, or let an issue remember (issue-repository)", j.user)
	}
	return u, nil
}
