// Package litellmtest is a LiteLLM proxy in memory: keys, users, teams, budgets, spend rows, models and health behind
// the same HTTP routes, status codes and error bodies as the real one, for tests and for the product's sandbox.
//
// # Model
//
// A Proxy is one worker. Its store is the database: rows of keys, users, teams and spend. Second makes another worker on
// the same store, with its own key cache and its own view of spend that is not in the database yet. Time comes from
// Options.Now alone; nothing runs in the background. Whatever is due by then (a flush of spend, a budget reset) is done
// at the start of the next request or control call, so that the same clock and the same calls give the same answers.
//
// A call's cost counts against budgets at once on the worker that served it, and reaches the rows at the next flush
// (Options.FlushEvery, or Flush). Release families differ where the real releases do: 1.81, 1.93 and 1.106.
//
// Faults (Inject) and the request log (Requests) see every request before anything else does. The log never holds a key:
// plaintexts are replaced by their token, the SHA-256 that LiteLLM itself names keys by.
//
// # What it leaves out
//
// Streaming, embeddings, organisations, projects, budget tables, tags, guardrails, rate limits (stored, not enforced),
// Enterprise routes and the web page; /spend/logs without v2; caches of users and teams, by which real workers, 1.81
// above all, notice a changed budget a call or some seconds late; the lateness of budget resets; the rounding of floats.
// A route it does not know is answered 404 as FastAPI does, and is in the log.
package litellmtest
