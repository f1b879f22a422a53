// Package netx keeps a run of the program from waiting for outside systems that do not answer. It is the one home of what
// the clients of LiteLLM, GitHub and Slack decide alike: which failures are worth another attempt, how long to wait for an
// answer, and when to stop asking.
//
// # Model
//
// A Run is one run of the program: its stop signal, and the time it may spend waiting for what it reads. It travels in a
// context. A System is one outside system during one run, shared by everything that asks it. A client begins each of its
// operations with System.Begin and gets a Turn, or a Refusal that says why the operation may not begin:
//
//   - The system does not answer. After the first operation that timed out with its repetition, or whose address leads
//     nowhere, one further request is sent, for at most ProbeTimeout: it tells a slow route from a dead system. If that is
//     not answered either, nothing is asked of the system any more.
//   - The run has waited for its reads as long as it may.
//   - The program was told to stop, and the operation reads what only a run that goes on would need.
//
// All operations that are stopped by one event share one Refusal, so that it can be reported once.
package netx
