// Package repo holds the tests that are about the whole repository rather than one package: who imports whom, where the
// process may be touched and secrets leave their type, what no file may contain, how long and how documented code is,
// and that the examples are real.
//
// It has no code of its own. Every test reads the files of the work tree, without a network.
package repo
