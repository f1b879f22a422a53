// Package github writes secrets and issues on GitHub, and nothing else.
//
// One Client is one token: a program that writes secrets with one token and issues with another makes two. Every
// request goes through Client.do, which paces writes, sets a deadline, retries what may be repeated, waits for rate
// limits up to a bound, and turns every failure into an *Error that says what was tried, what GitHub answered, and
// which permissions it would accept. The token is sent to the host of the API URL only; a redirect to another host is
// refused, one on the same host (a renamed repository) is followed with method and body unchanged.
//
// A secret is addressed by a Scope (a repository, an environment or an organization, and one of three stores) and a
// name. Values go out sealed with the public key of exactly that scope and store; they can never be read back, so a
// write is proved by the time GitHub gives for the last one. SecretTarget does that; it is a rotation target without
// knowing of rotations.
//
// It stands on github.com/google/go-github/v62 for requests, answers and GitHub's types, and adds what that version
// lacks: the modern paths of environment secrets, rate limits answered with 429, and redirects that keep the token home.
package github
