// Package rotate decides and carries out the rotation of one logical key, by the protocol of docs/rotation.md.
//
// The model: the budget of a logical key lives on a LiteLLM internal user, the holder, which owns every generation (real
// virtual key) that has carried the key's name, so rotating never touches money. The proxy is the journal: the metadata
// of the holder and of its key rows says what happened, and nothing else is remembered. Plan is pure: from the policy, one
// Reading of the proxy and the targets, and the proxy's time it concludes the ordered steps that are due. Runner reads,
// plans, claims the key against other runs, and takes the steps; after any crash the next run plans the rest.
//
// A generation is retired only when every target provably holds a newer one and grace has passed.
package rotate
