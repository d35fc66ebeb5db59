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
	// IDs selects the alerts with these identities; nil selects all.
	IDs []string
	// Silenced says what becomes of the alerts that are under one of Silences, which
	// are taken to be in force.
	Silenced Silenced
	Silences []Silence
	// Limit is the most alerts to return; 0 is 100.
	Limit int
}

// Silenced says what becomes of alerts that are under a silence.
type Silenced uint8

// What may become of them. The zero value selects alerts whether silenced or not.
const (
	WithSilenced Silenced = iota
	WithoutSilenced
	OnlySilenced
)

// IncidentQuery selects incidents, the latest first. The zero IncidentQuery selects all
// but those that were absorbed.
type IncidentQuery struct {
	// IDs selects the incidents with these identities, absorbed ones too; nil selects
	// all. Alerts selects those that hold one of these alerts; nil selects all.
	IDs, Alerts []string
	// MinSeverity leaves out what is less severe; 0 selects all.
	MinSeverity Severity
	// Since selects those of which something was seen at or after it, in stream time;
	// zero selects all.
	Since time.Time
	// Before and BeforeID select those after the incident of that identity and LastSeen
	// in a listing: its next page. Empty selects all.
	Before   time.Time
	BeforeID string
	// Silenced says what becomes of the incidents whose alerts are all under one of
	// Silences.
	Silenced Silenced
	Silences []Silence
	// Limit is the most incidents to return; 0 is 100.
	Limit int
}
