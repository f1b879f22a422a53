// Package spendlog sums up an export of LiteLLM's spend logs of any size in constant memory: bytes in, a Summary out.
//
// # What is read
//
// A stream of rows as /spend/logs gives them (releases 1.81 to 1.106): a JSON array, lines, pages of /spend/logs/v2, or
// any of these one after another; plain, gzip or zstd, told apart by their first bytes. Of each row only the fields that
// the Summary needs are kept, and only for as long as the row lasts.
//
// # How
//
// One goroutine reads and decompresses blocks ahead, and the caller's parses them. The parser checks the whole JSON grammar
// but keeps no tree: what does not matter is skipped where it stands, block by block, so that a row may be of any length.
// Tokens that matter are short; they are made contiguous by moving the end of one block before the beginning of the next.
//
// # What is wrong with a row
//
// A row that breaks the grammar, or lacks what a row has, is a Fault with its byte offset in the uncompressed stream. The
// rest of it is skipped up to the next place that can only be the beginning of a row: quotes inside of texts are escaped,
// so `{"request_id"` never occurs in one. Under Options.Strict the first fault ends the reading. If nothing that belongs to an
// export follows a fault, or the compressed stream is damaged, it is not a row that is missing but an unknown number of them:
// that is the error Damage, with what could be read.
//
// # Bounds
//
// Money is summed as integers of 10⁻²⁴ USD, and as decimals where that does not hold it: never as floats. Each table
// (keys, models, days, …) has a most of rows; whatever comes on top of that is summed under the name "(others)". Request
// ids that come twice are counted exactly in small exports and estimated in large ones; they are not taken out.
package spendlog
