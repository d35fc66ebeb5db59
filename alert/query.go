package alert

import "time"

// Query selects alerts. The zero Query selects all, the last changed first.
type Query struct {
	// MinSeverity leaves out what is less severe; 0 selects all.
	MinSeverity Severity
	// Detector, Zone, Asset and Country select alerts of one detector, one zone
	// (of either end), one asset name (of either end), one peer country; empty
	// selects all.
	Detector, Zone, Asset, Country string
	// Text selects alerts whose title, summary, names or addresses contain it,
	// whatever the case; empty selects all.
	Text string
	// Since and Until select alerts whose evidence overlaps the half-open
	// interval [Since, Until) of stream time; zero is unbounded.
	Since, Until time.Time
	// AfterVersion selects alerts changed after that version and gives the first
	// changed first: how the stream resumes. 0 selects all, the last changed first.
	AfterVersion uint64
	// BeforeVersion selects alerts last changed before that version: how a
	// listing goes on to its next page. 0 is unbounded.
	BeforeVersion uint64
	// Limit is the most alerts to return; 0 is 100.
	Limit int
}
