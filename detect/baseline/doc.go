// Package baseline is the statistics of the detectors that learn: what is usual for
// a key, how unusual a value is, and whether many small differences add up.
//
// It is pure: no clock, no memory, no input or output. A baseline is computed anew
// from the stored history each time, in the order of time, so the same history gives
// the same numbers live, in a backtest and on two nodes. README.md has the formulas,
// their sources and what was measured of them.
package baseline
