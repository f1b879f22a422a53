// Package slack sends messages to Slack and edits them in place.
//
// There are two senders. A Bot holds a bot token: it posts, updates its own earlier message and replies in its thread,
// which is what a living message needs. A Webhook holds an incoming-webhook URL: it can only post, since Slack tells
// it no timestamp. Both are structs of exported fields that work without a constructor.
//
// A Message is blocks plus a fallback text. Fit cuts it to Slack's limits, visibly; every sender calls it. If Slack
// refuses the blocks all the same, the text is sent alone and Notes is told.
//
// What goes wrong is an *Error; errors.Is with one of the Kinds tells what to do about it. A request that may have
// been carried out is repeated only where repeating is harmless (an update); a post is repeated only if Slack said it
// was not taken (rate limited, not connected), so a lost answer never doubles a message here. The token and the webhook
// URL appear in no error and no note.
package slack
