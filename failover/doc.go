// Package failover judges the proxy and its models: facts and the time in, findings out.
//
// It is pure. It reads no clock, asks nobody and logs nothing. What could not be learned is not judged: Judged tells which
// rules the facts allow, so that silence about the rest is not taken for good news.
package failover
