// Package staging finds hosts that collect from several protected systems and then send
// it away (D15), and readers that never read so much of a system that holds subscriber
// or intercept data. See README.md.
package staging

import (
	"context"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/ledger"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "staging"

// The rules of the detector, as alerts name them.
const (
	// ruleShipped: a host collected from several systems and sent it away.
	ruleShipped = "collected-and-sent"
	// ruleRead: a host got much from a system that it never got anything from.
	ruleRead = "unusual-reader"
)

// every is how long the windows are. What is looked for takes hours; the history of all
// hosts is read once in three.
const every = 3 * time.Hour

// Detector is the staging detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "staging".
func (*Detector) Name() string { return Name }

// Every returns three hours.
func (*Detector) Every() time.Duration { return every }

// scene is one window being judged.
type scene struct {
	*Detector
	h   detect.History
	w   detect.Window
	inv *inventory.Inventory
	law *ledger.Law
}

// Detect judges the window together with the days before it.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	s := &scene{Detector: d, h: h, w: w, inv: d.inventory()}
	s.law = ledger.NewLaw(s.inv)
	var findings []alert.Finding
	shipped, err := s.shipped(ctx)
	if err != nil {
		return nil, err
	}
	for i := range shipped {
		f, err := s.shippedFinding(ctx, &shipped[i])
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	reads, err := s.reads(ctx)
	if err != nil {
		return nil, err
	}
	for i := range reads {
		f, err := s.readFinding(ctx, &reads[i])
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(findings, func(x alert.Finding) bool { return x.ID == f.ID }) {
			findings = append(findings, f)
		}
	}
	return findings, nil
}
