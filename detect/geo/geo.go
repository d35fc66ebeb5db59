// Package geo finds systems that talk with parts of the world they are fenced off from,
// and packets from protected zones that come in from outside. See README.md.
package geo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "geo"

// The rules of the detector, as alerts name them.
const (
	// ruleFence: a conversation with a country or network that a fence does not let pass.
	ruleFence = "fence"
	// ruleWrongSide: packets whose source is in a protected zone came in by an interface
	// that leads out of the network.
	ruleWrongSide = "wrong-side"
)

// Detector is the geo detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "geo".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns one finding for each fence, system and country that broke it, and one
// for each router, interface and zone of which packets came in from outside.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("read the sessions of the window: %w", err)
	}
	return append(d.fences(sessions, w, inv), d.wrongSides(sessions, w, inv)...), nil
}

// Ready says what the inventory lacks for the detector to say anything.
func (d *Detector) Ready(context.Context, time.Time, detect.History) ([]detect.Readiness, error) {
	inv := d.inventory()
	roles := 0
	for _, e := range inv.Exporters {
		outer := func(r inventory.InterfaceRole) bool { return slices.Contains(d.cfg.OuterRoles, r.Role) }
		if slices.ContainsFunc(e.Interfaces, outer) {
			roles++
		}
	}
	fences := detect.Readiness{Detector: Name, What: "fences", Have: float64(len(inv.Fences)), Need: 1, Unit: "fences",
		Text: "The fences of the inventory are in force."}
	if len(inv.Fences) == 0 {
		fences.Text = "The inventory has no fences: no country and no network is too far. List fences to change that."
	}
	sides := detect.Readiness{Detector: Name, What: "interface roles", Have: float64(roles), Need: float64(len(inv.Exporters)), Unit: "exporters",
		Text: "Packets of protected zones are noticed where they come in from outside, on routers with an interface of an outer role."}
	if roles == 0 {
		sides.Text = "No exporter of the inventory has an interface with an outer role: forged sources are not noticed. Give interfaces their roles."
	}
	return []detect.Readiness{fences, sides}, nil
}

// severityOf grades by what kind of zone it is about.
func severityOf(kind string) alert.Severity {
	end := detect.End{Kind: kind}
	switch {
	case kind == flow.ZoneLawfulIntercept:
		return alert.Critical
	case end.Protected():
		return alert.High
	default:
		return alert.Medium
	}
}
