// Package litellm is a typed client of the LiteLLM proxy's management API: keys, users, team members, spend, models and
// health.
//
// The model: a Client holds one address and one management key, and every method is one operation of that API with a
// deadline, a bounded answer and no redirects. Reads, and writes that may be repeated without changing what comes out
// (absolute values, a key of a chosen value, block, unblock, delete), are repeated after failures that may pass: no
// connection, database down, rate limited. A write whose answer was lost may have happened; whoever needs to know reads
// back.
//
// Rows come back as plain values (Key, User, …) with money as decimals taken from the JSON text, times in UTC, and
// whatever has no field of its own in Raw. Missing or null fields are zero values: releases differ in what they send.
// A field that is there and cannot be read is an error, never a zero.
//
// Every failure is an *Error with a Kind, which is what callers switch on (KindOf, IsKind): the proxy's status codes for
// one and the same thing differ by release. No error holds a key: see Error.
//
// What is known of the API, and on which releases it was seen, is in docs/facts.md. The fake proxy for tests is
// litellmtest; one contract suite (contract_test.go) holds for it and for real proxies.
package litellm
