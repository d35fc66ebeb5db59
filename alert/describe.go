package alert

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// describe tells what episodes, the first seen first and at least one, are together.
func describe(members []*Episode) Incident {
	worst := slices.Clone(members)
	slices.SortStableFunc(worst, func(a, b *Episode) int { return worse(&a.Alert, &b.Alert) })
	in := Incident{
		ID: members[0].Identity(), Title: worst[0].Title, Status: IncidentOpen,
		Risk: Risk(members), FirstSeen: members[0].FirstSeen,
		Absorbed: []string{}, Assets: []string{}, Peers: []string{}, Countries: []string{}, Detectors: []string{},
		Timeline: timeline(members), Folds: folds(worst), AlertIDs: []string{},
	}
	for _, f := range in.Folds {
		in.AlertIDs = append(append(in.AlertIDs, f.Lead), f.Also...)
	}
	for _, e := range members {
		in.Severity = max(in.Severity, e.Severity)
		in.Version = max(in.Version, e.Version)
		in.Members = append(in.Members, e.Identity())
		in.LastSeen = later(in.LastSeen, e.LastSeen)
		in.Detectors = append(in.Detectors, e.Detector)
		if e.Asset != (Party{}) {
			in.Assets = append(in.Assets, e.Asset.protected())
		}
		if e.Peer.Addr.IsValid() {
			in.Peers = append(in.Peers, e.Peer.full())
		}
		if e.Peer.Country != "" {
			in.Countries = append(in.Countries, e.Peer.Country)
		}
	}
	for _, list := range []*[]string{&in.Assets, &in.Peers, &in.Countries, &in.Detectors} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return in
}

// full is the party's address, with its name where it has one.
func (p Party) full() string {
	if p.Asset == "" {
		return p.Addr.String()
	}
	return p.Asset + " (" + p.Addr.String() + ")"
}

// protected is the protected end: an asset, an address, or no more than a zone.
func (p Party) protected() string {
	if p.Asset == "" && !p.Addr.IsValid() && p.Zone != "" {
		return "zone " + p.Zone
	}
	return p.Name()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// worse orders alerts by how bad they are, the worst first, and says so always alike.
func worse(a, b *Alert) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.ID, b.ID))
}

// timeline gives the tactics in the order in which they were first seen.
func timeline(members []*Episode) []Stage {
	stages := []Stage{}
	at := map[string]int{}
	for _, e := range members {
		techniques := e.Techniques
		if len(techniques) == 0 {
			techniques = []Technique{{}}
		}
		for _, t := range techniques {
			i, known := at[t.Tactic]
			if !known {
				i = len(stages)
				at[t.Tactic] = i
				stages = append(stages, Stage{Tactic: t.Tactic, FirstSeen: e.FirstSeen, Techniques: []string{}})
			}
			s := &stages[i]
			s.LastSeen = later(s.LastSeen, e.LastSeen)
			if t.ID != "" && !slices.Contains(s.Techniques, t.ID) {
				s.Techniques = append(s.Techniques, t.ID)
			}
			if !slices.Contains(s.Alerts, e.ID) {
				s.Alerts = append(s.Alerts, e.ID)
			}
		}
	}
	for i := range stages {
		slices.Sort(stages[i].Techniques)
	}
	slices.SortStableFunc(stages, func(a, b Stage) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(tacticPlace(a.Tactic), tacticPlace(b.Tactic)), strings.Compare(a.Tactic, b.Tactic))
	})
	return stages
}

// tactics are in the order of the matrix (ATT&CK for Enterprise v19, and Defense Evasion
// of the versions before), which decides between those first seen at the same moment.
var tactics = []string{
	"Reconnaissance", "Resource Development", "Initial Access", "Execution", "Persistence", "Privilege Escalation", "Defense Evasion", "Stealth",
	"Defense Impairment", "Credential Access", "Discovery", "Lateral Movement", "Collection", "Command and Control", "Exfiltration", "Impact",
}

// tacticPlace is the place in the matrix; what it does not have comes last.
func tacticPlace(tactic string) int {
	if i := slices.Index(tactics, tactic); i >= 0 {
		return i
	}
	return len(tactics)
}

// folds puts alerts about the same asset, peer and port together. worst has the worst
// first.
func folds(worst []*Episode) []Fold {
	all := []Fold{}
	at := map[string]int{}
	seen := map[string]bool{}
	for _, e := range worst {
		if seen[e.ID] {
			continue // another episode of the same alert
		}
		seen[e.ID] = true
		key := e.foldKey()
		if i, known := at[key]; known {
			all[i].Also = append(all[i].Also, e.ID)
			continue
		}
		at[key] = len(all)
		all = append(all, Fold{Lead: e.ID, Also: []string{}})
	}
	return all
}

// foldKey is the same for alerts about the same two ends and port, whichever of the two
// each takes for the asset. What names neither peer nor port is about the asset as a
// whole, and each rule has a row of its own.
func (a *Alert) foldKey() string {
	if !a.Peer.Addr.IsValid() && a.Port == 0 {
		return "alone " + a.ID
	}
	ends := []string{a.Asset.protected(), a.Peer.Name()}
	slices.Sort(ends)
	return strings.Join(append(ends, strconv.Itoa(int(a.Port))), "\x00")
}

// How risk grows: what is left to 100 after the worst alert shrinks by a share with each
// further tactic, and by a small one with each further technique.
const (
	perTactic       = 0.80
	perTechnique    = 0.97
	countTechniques = 10 // more say no more
	// unknownConfidence stands for alerts whose detector gave none.
	unknownConfidence = 0.5
)

// Risk says how much of an intrusion the episodes show, from 0 to 100 with one decimal.
// It starts from the worst alert (severity, and confidence a little) and grows with the
// variety of tactics, and a little with that of techniques: who does one thing a thousand
// times is a nuisance, who does four different ones is on the way to somewhere. The same
// again changes nothing.
//
// The idea is risk-based alerting's, where a rule of many tactics about one object is
// what goes to a person (Splunk Enterprise Security, risk incident rules); the shares
// are ours.
func Risk(members []*Episode) float64 {
	base := 0.0
	tactical, techniques := map[string]bool{}, map[string]bool{}
	for _, e := range members {
		confidence := e.Confidence
		if confidence <= 0 {
			confidence = unknownConfidence
		}
		base = max(base, severityRisk(e.Severity)*(0.6+0.4*min(confidence, 1)))
		for _, t := range e.Techniques {
			techniques[t.ID] = true
			if t.Tactic != "" {
				tactical[t.Tactic] = true
			}
		}
	}
	left := (1 - base) * math.Pow(perTactic, float64(max(len(tactical)-1, 0))) *
		math.Pow(perTechnique, float64(min(max(len(techniques)-1, 0), countTechniques)))
	return math.Round(1000*(1-left)) / 10
}

func severityRisk(s Severity) float64 {
	return map[Severity]float64{Low: 0.10, Medium: 0.25, High: 0.45, Critical: 0.60}[s]
}
