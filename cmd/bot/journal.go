package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
)

// noticesKey is the metadata entry of a holder that remembers what people were told, where no issue does.
const noticesKey = "openclaw_litellm_notices"

// holderJournal keeps the memory of notices in the metadata of one key's holder: the first of the configuration.
type holderJournal struct {
	proxy  *litellm.Client
	holder string
}

// journal returns where notices are remembered without an issue; nil if there is no key.
func (b *bot) journal() *holderJournal {
	if len(b.set.Keys) == 0 {
		return nil
	}
	return &holderJournal{b.proxy, rotate.HolderID(b.set.Keys[0].Name)}
}

func (j *holderJournal) Load(ctx context.Context) ([]byte, error) {
	u, err := j.proxy.User(ctx, j.holder)
	if litellm.IsKind(err, litellm.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	raw, ok := u.Metadata[noticesKey]
	if !ok {
		return nil, nil
	}
	var memory []byte
	if err := json.Unmarshal(raw, &memory); err != nil {
		return nil, fmt.Errorf("reading what was told from the holder %s: %w", j.holder, err)
	}
	return memory, nil
}

func (j *holderJournal) Save(ctx context.Context, memory []byte) error {
	u, err := j.proxy.User(ctx, j.holder)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(memory)
	if err != nil {
		return err
	}
	metadata := maps.Clone(u.Metadata)
	if metadata == nil {
		metadata = map[string]json.RawMessage{}
	}
	metadata[noticesKey] = raw
	return j.proxy.UpdateUser(ctx, j.holder, litellm.Fields{"metadata": metadata})
}
