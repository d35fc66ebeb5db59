// Package scan finds who looks around: sources whose first contacts with protected
// systems fail again and again, fast or slowly, who touches addresses of a
// lawful-intercept zone at which nothing stands, and SNMP walks. See README.md.
package scan

import (
	"context"
	"net/netip"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "scan"

// The rules of the detector, as alerts name them.
const (
	// ruleNetwork: a source inside tries many systems, fast or slowly.
	ruleNetwork = "network-scan"
	// rulePorts: a source inside tries many ports of one system.
	rulePorts = "port-scan"
	// ruleDark: an address of a lawful-intercept zone was tried at which nothing stands.
	ruleDark = "unallocated-intercept-address"
	// ruleSNMP: who is no manager walks through devices by SNMP.
	ruleSNMP = "snmp-walk"
	// ruleOutside: what the internet's scanners did in a day.
	ruleOutside = "outside-scanners"
)

// Detector is the scan detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "scan".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window. The slow scans are looked for in the first
// window of an hour, and what outside scanners did in the first of a day.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns at most one finding of each rule for each source, and one for all
// sources of an unprotected zone where there are many.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	s := &scene{cfg: &d.cfg, inv: d.inventory(), w: w, h: h, sessions: sessions}
	parts := []func(context.Context) ([]alert.Finding, error){}
	if failing, snmp, dark := s.glance(); failing || snmp || dark {
		parts = append(parts, s.dark, s.fast, s.snmp)
	}
	if firstOf(w, time.Hour) {
		parts = append(parts, s.slow)
	}
	if firstOf(w, 24*time.Hour) && d.cfg.Outside == OutsideDaily {
		parts = append(parts, s.outside)
	}
	var findings []alert.Finding
	for _, part := range parts {
		some, err := part(ctx)
		if err != nil {
			return nil, err
		}
		findings = append(findings, some...)
	}
	return detect.Merge(findings), nil
}

// firstOf tells whether the window is the first of an hour or of a day. All before it
// is history then.
func firstOf(w detect.Window, of time.Duration) bool { return w.Start.Truncate(of).Equal(w.Start) }

// scene is one window and what is needed to judge it.
type scene struct {
	cfg      *Config
	inv      *inventory.Inventory
	w        detect.Window
	h        detect.History
	sessions []detect.Session // of the window
}

// glance tells whether the window holds anything to look at more closely: most do not.
func (s *scene) glance() (failing, snmp, dark bool) {
	for i := range s.sessions {
		c, ok := contactOf(&s.sessions[i])
		if !ok {
			dark = dark || s.sessions[i].Asset.Kind == flow.ZoneLawfulIntercept
			continue
		}
		switch {
		case c.targetEnd.Kind == flow.ZoneLawfulIntercept && c.targetEnd.Name == "":
			dark = true
		case c.Protocol == flow.ProtocolTCP:
			failing = failing || tcpOutcome(&c) == failure
		default:
			failing = failing || !c.Answered && c.near()
		}
		snmp = snmp || isSNMP(&c)
	}
	return failing, snmp, dark
}

// before gives the sessions of so much time up to the window's end.
func (s *scene) before(ctx context.Context, d time.Duration) ([]detect.Session, error) {
	return s.h.Sessions(ctx, detect.Window{Start: s.w.End.Add(-d), End: s.w.End})
}

// counts tells whether a contact is a step of a walk: the target is protected, or the
// source is a device that has no reason to try others.
func counts(c *contact) bool {
	if isSNMP(c) || !standsSomewhere(c.target) {
		return false
	}
	return c.targetProtected || c.sourceEnd.Kind == flow.ZoneInfrastructure || c.sourceEnd.Kind == flow.ZoneLawfulIntercept
}

// standsSomewhere tells whether an address can be a host's at all.
func standsSomewhere(a netip.Addr) bool {
	return a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsLinkLocalUnicast() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
