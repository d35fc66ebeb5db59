// Package slowleak finds data that leave a system in small pieces over many days (D14):
// to a network that is new to it, or to one that gets a little more every day. See
// README.md.
package slowleak

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
const Name = "slowleak"

// The rules of the detector, as alerts name them.
const (
	// ruleNew: a network that is new to a system gets something on most days.
	ruleNew = "new-destination"
	// ruleGrowing: what a system sends outside has risen, mostly to one network.
	ruleGrowing = "rising-volume"
)

// Detector is the slowleak detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "slowleak".
func (*Detector) Name() string { return Name }

// Every returns a day.
func (*Detector) Every() time.Duration { return day }

// scene is one day being judged.
type scene struct {
	*Detector
	h   detect.History
	w   detect.Window
	inv *inventory.Inventory
	law *ledger.Law
	// common are the autonomous systems that most systems talk with, commonAddrs the
	// addresses of networks with which they do; hosts is how many systems talk with
	// anything outside.
	common      map[uint32]bool
	commonAddrs []string
	hosts       uint64
	known       map[ledger.Key]member
}

// Detect judges the day together with those before it. All systems that send to the
// same new network are one finding.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	s := &scene{Detector: d, h: h, w: w, inv: d.inventory()}
	s.law = ledger.NewLaw(s.inv)
	candidates, err := s.candidates(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.surroundings(ctx); err != nil {
		return nil, err
	}
	leaks, err := s.toNew(ctx, candidates)
	if err != nil {
		return nil, err
	}
	rising, err := s.rising(ctx)
	if err != nil {
		return nil, err
	}
	rising = slices.DeleteFunc(rising, func(l leak) bool { // it is told already
		return slices.ContainsFunc(leaks, func(x leak) bool { return x.key == l.key && x.network == l.network })
	})
	var findings []alert.Finding
	for _, group := range byNetwork(leaks) {
		f, err := s.newFinding(ctx, group)
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	for i := range rising {
		f, err := s.risingFinding(ctx, &rising[i])
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
}
