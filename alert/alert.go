// Package alert holds what tapwatch tells people: an Alert says that a protected
// system was touched in a way that deserves a look, and why.
//
// A detector yields findings window by window. Findings about the same thing
// share an identity, and all findings of one identity together are one Alert, so
// the same window run twice, or on two nodes, changes nothing.
package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"
)

// Finding is what a detector saw in one window. Storage keeps one row for each
// (Identity, WindowStart); writing it again replaces it.
type Finding struct {
	// ID is the identity of the alert the finding belongs to; see Identity.
	ID string `json:"id"`
	// Detector is the registry name of the detector: policy, intel, telemetry.
	Detector string `json:"detector"`
	// Rule is the detector's rule that fired, in kebab case.
	Rule string `json:"rule"`
	// WindowStart and WindowEnd bound the window, in stream time (received_at).
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
	// FirstSeen and LastSeen bound the evidence within the window, in stream time.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`

	Severity Severity `json:"severity"`
	// Title is one plain line: who did what to which system.
	Title string `json:"title"`
	// Summary is one short paragraph for a tired reader.
	Summary string `json:"summary"`
	// Confidence says how sure the detector is, from 0 to 1: that what it names took
	// place, not that it is an intrusion. Severity has taken it into account.
	Confidence float64 `json:"confidence"`
	// Reasons say why this is unusual, in numbers where there are any, the
	// strongest first.
	Reasons []string `json:"reasons"`
	// Measures are the numbers behind the reasons, for tables and for machines.
	Measures []Measure `json:"measures"`
	// NextSteps say what to do, in order.
	NextSteps []string `json:"next_steps"`
	// SQL shows the flows of the finding; it runs as it is.
	SQL string `json:"sql"`

	// Asset is the protected end, Peer the other one. Either may be empty (an
	// exporter that fell silent has no peer).
	Asset Party `json:"asset"`
	Peer  Party `json:"peer"`
	// Initiator is "peer" or "asset", or empty where the flows do not tell.
	Initiator string `json:"initiator"`
	// Protocol is the IP protocol number, Port the service port; 0 none.
	Protocol uint8  `json:"protocol"`
	Port     uint16 `json:"port"`

	// What the finding's flows add up to. Flows are records, after those that
	// several exporters reported were counted once. Bytes and packets are
	// multiplied by the sampling interval where it is known.
	Flows        uint64 `json:"flows"`
	BytesToAsset uint64 `json:"bytes_to_asset"`
	BytesToPeer  uint64 `json:"bytes_to_peer"`
	Packets      uint64 `json:"packets"`

	// Sightings are the amounts as each router alone saw them. Routers report the
	// same flows at different moments, so the amounts of an alert are not the sums
	// of its windows but those of the router that tells best; see the view alerts.
	Sightings []Sighting `json:"-"`

	// Exporters are the routers that saw it, as "name (address)" or the address.
	Exporters []string `json:"exporters"`
	// Quality says what speaks against the evidence, as far as the flow records
	// themselves tell: sampled packets, an unknown sampling interval, one direction
	// only, one router only. What was lost before it was stored is not in it: see
	// flow.Health. Empty when none of these applies.
	Quality    []string    `json:"quality"`
	Techniques []Technique `json:"techniques"`
}

// Sighting is what one router reported of a finding, multiplied by its sampling
// interval.
type Sighting struct {
	Exporter string
	// Sampling is its sampling interval, 0 unknown.
	Sampling                                  uint32
	Flows, BytesToAsset, BytesToPeer, Packets uint64
}

// Measure is one number that made a finding: what was seen, what is usual, and how
// rare that is.
type Measure struct {
	// Name says what was measured, in a few words: "sent in an hour".
	Name string `json:"name"`
	// Observed and Expected are in Unit: "bytes", "sessions", "hosts", "seconds", or
	// empty for a ratio or a score.
	Observed float64 `json:"observed"`
	Expected float64 `json:"expected"`
	Unit     string  `json:"unit"`
	// Rarity is how often something at least as unusual is seen where nothing is
	// wrong, from 0 to 1 (a p-value, or a share of the history); 0 is not known.
	Rarity float64 `json:"rarity"`
}

// Party is one end of what happened.
type Party struct {
	Addr     netip.Addr `json:"addr"`
	Zone     string     `json:"zone"`
	ZoneKind string     `json:"zone_kind"`
	Asset    string     `json:"asset"`
	Role     string     `json:"role"`
	// Country is an ISO 3166-1 alpha-2 code, ASOrg the holder of ASN.
	Country string `json:"country"`
	ASN     uint32 `json:"asn"`
	ASOrg   string `json:"as_org"`
}

// Name is what a person calls the party: its asset, or its address.
func (p Party) Name() string {
	switch {
	case p.Asset != "":
		return p.Asset
	case p.Addr.IsValid():
		return p.Addr.String()
	default:
		return "unknown"
	}
}

// Technique is a MITRE ATT&CK technique, with the version of the matrix that
// numbers it so.
type Technique struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Tactic string `json:"tactic"`
	Matrix string `json:"matrix"`
}

// Alert is all findings of one identity, folded.
type Alert struct {
	// The latest finding, with FirstSeen, Severity, the counts and Exporters
	// folded over all of them.
	Finding
	// Findings is how many windows yielded one.
	Findings uint64 `json:"findings"`
	// RaisedAt is when the first finding was stored, UpdatedAt the last, by the
	// clock of the detector.
	RaisedAt  time.Time `json:"raised_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Version grows with every change of any alert; the stream resumes by it.
	Version uint64 `json:"version"`
}

// Identity hashes what an alert is about. The parts are, in order, the detector,
// its rule, and whatever tells two alerts of that rule apart.
func Identity(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
