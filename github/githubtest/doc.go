// Package githubtest is a GitHub API in memory, for tests and for trying the product without an account.
//
// A Server holds repositories, environments, organizations, secrets, issues and tokens, and answers the few requests
// that package github sends the way GitHub does: it opens every sealed value with a real key pair of its scope and
// store, refuses what GitHub refuses with the same status and words, hides from a token what the token may not see,
// and keeps times in whole seconds of an injected clock. It knows nothing of package github, so what one gets wrong
// the other does not hide.
//
// Everything is behind one lock: a request is applied whole or not at all. Faults (an error status, a lost answer, a
// redirect, …) are injected one by one, and every request is logged by method, path and status, never by body.
package githubtest
