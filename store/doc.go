// Package store keeps what a service must not forget between its passes in one SQLite file: the memory of what people were
// told, and the key figures of past reports.
//
// A DB is a report.Journal: the memory in it means the same as in an issue or with the keys, so a service can take over
// from a job in Actions, and back. Opening a file makes what is missing in it. Nothing in it is a secret, and it is made
// readable to its owner alone all the same. Processes that share a file wait for each other's writes, and take turns at telling
// people what is new, so that each piece of news is told once.
package store
