// Package campaign is a carrier for measuring detectors: weeks of traffic of its
// protected systems, of which the first part is history without intrusions and the
// second has intrusions and benign look-alikes (traps) planted in it, with labels
// that say what was planted where.
//
// Everything is drawn from a seed: addresses, names, ports, rhythms, times,
// strengths. Background and intrusions are told by the same machinery, through the
// same routers, so that nothing but behaviour tells them apart. Detectors see the
// datagrams, the inventory, the intelligence lists and the geography; they never
// see a Label.
//
// The generator is event driven: each pair of systems knows when it talks next, and
// time passes from one event to the next. The same Config gives the same bytes.
//
// The addresses of the real internet in it are data inside flow records. Nothing is
// ever sent to them.
package campaign
