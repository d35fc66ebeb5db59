// Package ledger adds up who sent how much to whom, from the hours of pairs, for the
// detectors that look at volumes: volume, slowleak and staging. A pair is stored once,
// from the side of its better protected end; a ledger has it twice, once for each
// sender.
package ledger
