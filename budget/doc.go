// Package budget judges the spend of one logical key: facts and the time in, findings out.
//
// It is pure. It reads no clock, asks nobody and logs nothing; who gathered the Facts, and from which endpoint, is not its
// business. All arithmetic on money is decimal, so a threshold is reached exactly when it is reached and not a float's error
// early; only the statistics of a forecast are floats, rounded to the cent.
//
// The story of a budget is one finding that climbs: rule "budget-used" about the key in its window, whose Level is the
// highest threshold reached and, when the budget is spent, "100%". A new window is a new story. Every other rule has a story
// of its own. A rule whose facts are not there is silent, and Judged says so.
package budget
