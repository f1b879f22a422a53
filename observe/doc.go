// Package observe asks the proxy and builds the facts that budget and failover judge. It judges nothing itself.
//
// # What it costs
//
// Everything is read from aggregates or from the newest rows, so that a pass costs the same however much was ever logged.
//
//	Look      GET /health/readiness/details (on releases without it a second one, GET /health/readiness)
//	          GET /v1/models: only if a key has a model list, or Configured asks for it
//	          GET /health/latest
//	          GET /spend/logs/v2: one page, the newest rows of the window or of six hours, of all keys at once
//	Spend     GET /user/info (for a key in a team GET /team/info as well), unless the pass has read the holder already
//	Activity  GET /user/daily/activity; releases before 1.93 two more
//	Parts     GET /tag/daily/activity and GET /customer/daily/activity: one of each for every virtual key
//	CacheHits GET /spend/logs/v2: the newest free rows, up to a bound; Prices GET /model/info, for all keys at once
//	Dearest   GET /spend/logs/v2: one short page in order of spend
//	Probe     GET /model/info; POST /v1/chat/completions: at most twenty calls of one token, none after a quarter of a dollar
//
// So Look takes three requests, one more with model lists, one more on 1.81. While the proxy does not answer it takes the
// first alone. Whatever cannot be had is a gap in the facts and names the rules it leaves unjudged: it is never an error that
// hides the rest.
//
// # Whose rows
//
// A row belongs to a key if its user is the key's holder, whichever generation made it, a deleted one included. Rows of the
// management key and of others count for models alone, and those of the proxy's own health checks for nothing.
package observe
