// Package evaluate measures detectors against what was planted: it holds their findings
// against the labels of a campaign. It knows nothing of how either came about.
package evaluate

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/simulate/campaign"
)

// slack is how long before and after something was planted an alert may be about it:
// detectors of hours and days look back.
const slack = 25 * time.Hour

// Result is what one campaign gave.
type Result struct {
	Seed uint64 `json:"seed"`
	// Days is how long something could be raised, history included.
	Days float64 `json:"days"`
	// Pairs is how many protected pairs the background has, Records what was exported.
	Pairs   int       `json:"pairs"`
	Records uint64    `json:"records"`
	Planted []Outcome `json:"planted"`
	Alerts  []Judged  `json:"alerts"`
}

// Outcome is what became of one thing that was planted.
type Outcome struct {
	Label campaign.Label `json:"label"`
	// Found says that one of the detectors raised it that ought to; By are all that did.
	Found bool     `json:"found"`
	By    []string `json:"by"`
	// After is how long after its first record, in stream time, the first of them did.
	After time.Duration `json:"after"`
	// Worst is the severity of the worst alert about it; 0 none.
	Worst alert.Severity `json:"worst"`
}

// Judged is an alert and what it is about: the technique or the trap, or neither.
type Judged struct {
	alert.Alert
	Technique string `json:"technique"`
	Trap      string `json:"trap"`
}

// False says that nothing that was planted is behind it.
func (j *Judged) False() bool { return j.Technique == "" }

// Score holds findings against labels. Findings are those of all windows; the alerts are
// folded from them.
func Score(labels []campaign.Label, findings []alert.Finding) (planted []Outcome, alerts []Judged) {
	matchers := make([]matcher, len(labels))
	for i := range labels {
		matchers[i] = newMatcher(&labels[i])
	}
	for i := range labels {
		planted = append(planted, matchers[i].outcome(findings))
	}
	for _, a := range alert.FoldFindings(findings) {
		j := Judged{Alert: a}
		for i := range matchers {
			switch m := &matchers[i]; {
			case !m.about(&a.Finding):
			case m.label.Trap:
				j.Trap = cmp.Or(j.Trap, m.label.Technique)
			case j.Technique == "" || slices.Contains(m.label.Detectors, a.Detector):
				j.Technique = m.label.Technique
			}
		}
		alerts = append(alerts, j)
	}
	return planted, alerts
}

// matcher tells whether a finding is about a label.
type matcher struct {
	label  *campaign.Label
	assets map[string]bool
	peers  map[netip.Addr]bool
}

func newMatcher(l *campaign.Label) matcher {
	m := matcher{label: l, assets: map[string]bool{}, peers: map[netip.Addr]bool{}}
	for _, a := range l.Assets {
		m.assets[a] = true
	}
	for _, p := range l.Peers {
		m.peers[p] = true
	}
	return m
}

// about tells whether the finding is about it: one that names its peer; or one that
// names its asset and no peer, or an asset of it as peer.
func (m *matcher) about(f *alert.Finding) bool {
	if f.LastSeen.Before(m.label.First) || f.FirstSeen.After(m.label.Last.Add(slack)) {
		return false
	}
	asset, peer := m.has(&f.Asset), m.has(&f.Peer)
	switch {
	case m.peers[f.Peer.Addr], m.peers[f.Asset.Addr]:
		return len(m.label.Assets) == 0 || asset || m.peers[f.Asset.Addr] || !m.label.Trap
	case asset:
		return !f.Peer.Addr.IsValid() || f.Peer.Addr.IsUnspecified() || peer || len(m.peers) == 0
	default:
		return false
	}
}

func (m *matcher) has(p *alert.Party) bool {
	return p.Asset != "" && m.assets[p.Asset] || p.Addr.IsValid() && m.assets[p.Addr.String()]
}

// outcome is what the findings make of it.
func (m *matcher) outcome(findings []alert.Finding) Outcome {
	o := Outcome{Label: *m.label, By: []string{}}
	for i := range findings {
		f := &findings[i]
		if !m.about(f) || f.WindowEnd.Before(m.label.First) {
			continue
		}
		o.Worst = max(o.Worst, f.Severity)
		if !slices.Contains(o.By, f.Detector) {
			o.By = append(o.By, f.Detector)
		}
		if !slices.Contains(m.label.Detectors, f.Detector) {
			continue
		}
		after := f.WindowEnd.Sub(m.label.First)
		if !o.Found || after < o.After {
			o.After = after
		}
		o.Found = true
	}
	slices.SortFunc(o.By, strings.Compare)
	return o
}
