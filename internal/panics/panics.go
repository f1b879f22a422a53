// Package panics turns a panic into an error, so that a mistake in one part of the program stops no other: one key's
// rotation not the others', one surface not the rest.
package panics

import (
	"fmt"
	"runtime/debug"
)

// Error is a panic that was caught.
type Error struct {
	Doing string // what was being done
	Value any    // what was panicked with
	Stack []byte // of the goroutine at that moment, for the log
}

// Error says what went wrong in one line, without what was being done: callers add that as they do for every error.
func (e *Error) Error() string { return fmt.Sprintf("internal error: %v; %s", e.Value, isBug) }

// Public is Error for everybody: what was panicked with may name somebody, or hold what an outside system said.
func (e *Error) Public() string { return "internal error; " + isBug }

const isBug = "this is a bug: report it with the stack in the log"

// Catch runs f and returns its error, or an *Error if it panics.
func Catch(doing string, f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Error{Doing: doing, Value: value, Stack: debug.Stack()}
		}
	}()
	return f()
}

// Catcher is Catch, or something in its place that also notes what it caught; nil is Catch itself.
type Catcher func(doing string, f func() error) error

// Do runs f and returns its error; a panic is one.
func (c Catcher) Do(doing string, f func() error) error {
	if c == nil {
		return Catch(doing, f)
	}
	return c(doing, f)
}
