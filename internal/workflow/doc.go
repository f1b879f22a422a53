// Package workflow knows the lines of a step's output that GitHub's runner takes for commands.
//
// The runner reads both standard streams of a step line by line (actions/runner: OutputManager.cs, ActionCommand.cs). A
// line is a command if it begins with "::", after any white space, or if it holds "##[" anywhere. So a text from
// outside that reaches the log must never form either: it could set an output, hide or forge a line, or stop our own
// masks.
//
// A Form makes text inert for one kind of output, so that a reader still sees what it says: plain text gets a space
// between the characters ("## [error]"), JSON and HTML an escape of the same meaning. Command and Masks make the
// commands that the program itself gives.
package workflow
