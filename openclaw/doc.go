// Package openclaw is what the tool knows about OpenClaw.
//
// A KeyFile is the file from which OpenClaw reads its LiteLLM key through a "file" secret reference, and a place that
// rotation writes to. A running gateway goes on with the old key until it is told to reload, so a KeyFile also carries
// the command that does so and judges its answer.
//
// Parse and Read read OpenClaw's JSON5 with the position of every value. A Linter judges a configuration by its text and,
// if it is given, by what the proxy serves; Generate writes one from that. Neither contacts anybody.
package openclaw
