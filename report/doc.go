// Package report makes one Report of what a pass did and found, shows it on every surface, and tells people what is new.
//
// # One value
//
// New builds the Report, purely, from what rotation did ([]rotate.Outcome), what was observed (budget.Facts,
// failover.Facts) and what was judged ([]finding.Finding). Text, Markdown, JSON, Blocks and Annotations only lay that
// value out, so no two surfaces can disagree. Text from outside (aliases, model names, error texts) is kept raw in the
// Report and escaped by each renderer for its surface.
//
// # News
//
// A finding belongs to a story (finding.Finding.Key). Notices compares the findings of now with the Memory of what was
// told and names what is news, and why: firing, escalated, repeated, resolved, done. Everything else is silence.
//
// # Telling
//
// Telling.Tell loads the memory, computes the notices and writes only if there is something to say: a living issue whose
// body is edited, a comment a transition, a living Slack message with a thread. The memory travels in a hidden block of
// the issue, or in the keys' journal where there is no issue. What a sender missed stays pending in the memory and
// arrives once, later. The issue tracker and the messengers are interfaces declared here; the package knows no client.
package report
