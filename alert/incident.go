package alert

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Incident is what alerts about the same asset or the same peer within a time are
// together: one story, told by the tactics of ATT&CK.
type Incident struct {
	// ID is the identity: it stays when later alerts join. See Incidents.
	ID string `json:"id"`
	// Title is that of the worst alert.
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	// Risk says how much of an intrusion is to be seen, from 0 to 100; see Risk.
	Risk float64 `json:"risk"`
	// Status is one of the words below.
	Status string `json:"status"`
	// AbsorbedInto is the identity of the incident that this one became a part of;
	// empty for all others. Absorbed are those that became a part of this one.
	AbsorbedInto string   `json:"absorbed_into"`
	Absorbed     []string `json:"absorbed"`
	// Timeline has the tactics in the order in which they were first seen.
	Timeline []Stage `json:"timeline"`
	// Assets are the names of the protected ends, or their addresses; Peers the
	// addresses of the others, with the name where they have one.
	Assets []string `json:"assets"`
	Peers  []string `json:"peers"`
	// Countries are those of the peers.
	Countries []string `json:"countries"`
	Detectors []string `json:"detectors"`
	// Folds are the alerts, those about the same asset, peer and port in one fold, the
	// worst fold first. AlertIDs are the same alerts in the same order.
	Folds    []Fold   `json:"folds"`
	AlertIDs []string `json:"alert_ids"`
	// FirstSeen and LastSeen bound the evidence, in stream time.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// Version grows when one of the alerts changes.
	Version uint64 `json:"version"`

	// Members are the identities of its episodes: it, or a part of it, may have been
	// known by any of them.
	Members []string `json:"-"`
}

// The words of Incident.Status.
const (
	// IncidentOpen: the next alert about one of its assets or peers joins it.
	IncidentOpen = "open"
	// IncidentQuiet: nothing was seen of it for so long that the next alert about its
	// assets and peers begins another one.
	IncidentQuiet = "quiet"
	// IncidentAbsorbed: it became a part of another one.
	IncidentAbsorbed = "absorbed"
)

// Stage is what was seen of one tactic.
type Stage struct {
	// Tactic is its name in ATT&CK; empty: alerts that name no technique.
	Tactic    string    `json:"tactic"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// Techniques are their numbers.
	Techniques []string `json:"techniques"`
	// Alerts are the identities of the alerts, the first seen first.
	Alerts []string `json:"alerts"`
}

// Fold is what several detectors or rules say about the same asset, peer and port.
type Fold struct {
	// Lead is the identity of the worst alert, which stands for the others.
	Lead string `json:"lead"`
	// Also are the others, the worst first.
	Also []string `json:"also"`
}

// Episode is an alert during one stretch of its evidence. An alert lives as long as the
// same thing comes again, be it after a year: its episodes are what incidents are made
// of. FirstSeen and LastSeen are those of the episode.
type Episode struct {
	Alert
	// Later says that the alert had episodes before this one.
	Later bool
}

// Grouping says how episodes are grouped.
type Grouping struct {
	// Gap is how long nothing may be seen before what comes next is another incident.
	Gap time.Duration
	// Shared tells of an address that many have to do with for good reason, such as a
	// name server: two alerts with such a peer have nothing in common. nil: none is.
	Shared func(netip.Addr) bool
}

// Incidents groups episodes, those of one incident being linked by an asset or a peer
// and at most the gap apart. It is a pure function, and the order of the episodes does
// not count. The incidents come the first seen first, and after each one those that it
// has absorbed, of which no more is known than that.
//
// The identity is a hash of that of the earliest alert, so it stays when later ones
// join. Where one alert links two incidents, the older identity wins. Whoever knew the
// younger finds it as absorbed.
func Incidents(episodes []Episode, by Grouping) []Incident {
	sorted := slices.Clone(episodes)
	slices.SortFunc(sorted, earlierEpisode)
	sorted = slices.CompactFunc(sorted, func(a, b Episode) bool { return a.ID == b.ID && a.FirstSeen.Equal(b.FirstSeen) })
	groups := group(sorted, by)
	var all []Incident
	for _, g := range groups {
		in := describe(g.members(sorted))
		in.Absorbed = slices.Clone(g.absorbed)
		all = append(all, in)
		for _, id := range g.absorbed {
			all = append(all, AbsorbedIncident(id, &in))
		}
	}
	return all
}

// Linked gives the episodes of those incidents that hold an episode for which from is
// true.
func Linked(episodes []Episode, by Grouping, from func(*Episode) bool) []Episode {
	sorted := slices.Clone(episodes)
	slices.SortFunc(sorted, earlierEpisode)
	var all []Episode
	for _, g := range group(sorted, by) {
		if slices.ContainsFunc(g.episodes, func(i int) bool { return from(&sorted[i]) }) {
			for _, e := range g.members(sorted) {
				all = append(all, *e)
			}
		}
	}
	return all
}

// AbsorbedIncident is what is left of the incident with the identity once it is a part
// of into.
func AbsorbedIncident(id string, into *Incident) Incident {
	return Incident{
		ID: id, Status: IncidentAbsorbed, AbsorbedInto: into.ID, Title: into.Title, Severity: into.Severity,
		FirstSeen: into.FirstSeen, LastSeen: into.LastSeen, Version: into.Version,
	}
}

// Identity is that of the incident which the episode begins.
func (e *Episode) Identity() string {
	if e.Later {
		return Identity("incident", e.ID, e.FirstSeen.UTC().Format(time.RFC3339Nano))
	}
	return Identity("incident", e.ID)
}

func earlierEpisode(a, b Episode) int {
	if c := a.FirstSeen.Compare(b.FirstSeen); c != 0 {
		return c
	}
	if c := strings.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	return b.LastSeen.Compare(a.LastSeen) // of a repetition the longest stays
}

// StatusAt gives the status at a moment of stream time.
func (in *Incident) StatusAt(at time.Time, gap time.Duration) string {
	switch {
	case in.AbsorbedInto != "":
		return IncidentAbsorbed
	case at.Sub(in.LastSeen) > gap:
		return IncidentQuiet
	default:
		return IncidentOpen
	}
}
