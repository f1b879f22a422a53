// Package observe asks the proxy and builds the facts that budget and failover judge. It judges nothing itself.
//
// # What it costs
//
// Everything is read from aggregates or from the newest rows, so that a pass costs the same however much was ever logged.
//
//	Models    GET /health/readiness/details (on releases without it a second one, GET /health/readiness)
//	          GET /health/latest
//	          GET /spend/logs/v2: one page, the newest rows of the window
//	          GET /v1/models: only where rows do not record fallbacks and a key's model list allows to infer them
//	Spend     GET /user/info (for a key in a team its membership instead), unless the pass has read the holder already
//	Activity  GET /user/daily/activity; releases before 1.93 two more
//
// So Models takes three requests on releases that record fallbacks (1.106 on) and at most five on others. While the proxy
// does not answer it takes the first alone. Whatever cannot be had is a gap in the facts and names the rules it leaves
// unjudged: it is never an error that hides the rest.
package observe
