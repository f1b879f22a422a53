// Package litellm is a typed client of the LiteLLM proxy's management API: keys, users, spend, models, health.
package litellm
