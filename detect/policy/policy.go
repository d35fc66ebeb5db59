// Package policy finds traffic that the inventory does not allow: lawful-intercept
// zones are default-deny, so every established conversation with one of their
// addresses needs an allow rule. See README.md.
package policy

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
const Name = "policy"

// touchesIntercept selects what touches a lawful-intercept zone.
func touchesIntercept(s *detect.Session) bool {
	return s.Asset.Kind == flow.ZoneLawfulIntercept || s.Peer.Kind == flow.ZoneLawfulIntercept
}

// Detector is the policy detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "policy".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns findings for the conversations of the window that touch a
// lawful-intercept zone and that the inventory does not allow, and for management of
// devices that does not come from where it ought to.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	return append(d.intercept(sessions, w, inv), d.devices(sessions, w, inv)...), nil
}

// intercept gives a finding for each conversation with a lawful-intercept zone that the
// inventory does not allow. Of one end it gives at most Config.MaxPerAsset of a rule,
// and one for the rest together.
func (d *Detector) intercept(sessions []detect.Session, w detect.Window, inv *inventory.Inventory) []alert.Finding {
	conversations := detect.Converse(sessions, touchesIntercept, false)
	var hits []hit
	for i := range conversations {
		c := &conversations[i]
		if c.PeerZoneKind == flow.ZoneLawfulIntercept && c.PeerName == "" && c.AssetName != "" {
			*c = c.Turned() // the end that no asset owns is what to talk about
		}
		if v, ok := d.judge(c, inv); ok {
			hits = append(hits, hit{c, v, c.Identity(Name, v.rule)})
		}
	}
	alone, sweeps := gather(hits, d.cfg.MaxPerAsset)
	var findings []alert.Finding
	for _, h := range alone {
		findings = append(findings, finding(h.Conversation, h.verdict, w, inv))
	}
	findings = detect.Merge(findings)
	for _, s := range sweeps {
		findings = append(findings, s.finding(w, inv))
	}
	return findings
}

// The rules of the detector, as alerts name them.
const (
	// ruleNotAllowed: an asset took part in what no rule allows.
	ruleNotAllowed = "not-allowed"
	// ruleUnallocated: so did an address of the zone that no asset owns.
	ruleUnallocated = "unallocated-address"
	// ruleUnlisted: a rule allows it, but no asset owns the zone's address.
	ruleUnlisted = "unlisted-asset"
)

// verdict is what is wrong with a conversation.
type verdict struct {
	rule     string
	severity alert.Severity
	// allowedBy is the rule that allows it, for ruleUnlisted.
	allowedBy string
	asked     inventory.Conversation
}

// judge tells what is wrong with the conversation; ok is false if nothing is.
func (d *Detector) judge(c *detect.Conversation, inv *inventory.Inventory) (v verdict, ok bool) {
	if !c.Established || c.AssetZoneKind != flow.ZoneLawfulIntercept || staysOnLink(c.PeerAddr) {
		return verdict{}, false
	}
	if _, held := inv.UnderMaintenance(c.FirstSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName}); held {
		return verdict{}, false
	}
	v.asked = c.AsAsked()
	rule, allowed := inv.Allowed(v.asked)
	within := c.AssetZone == c.PeerZone && d.cfg.WithinZone == WithinZoneAllow
	switch {
	case c.AssetName != "" && (allowed || within && c.PeerName != ""):
		return verdict{}, false
	case c.AssetName != "":
		v.rule, v.severity = ruleNotAllowed, severity(c)
	case !allowed:
		v.rule, v.severity = ruleUnallocated, severity(c)
	case d.cfg.UnlistedAssets:
		v.rule, v.severity, v.allowedBy = ruleUnlisted, alert.Medium, rule
	default:
		return verdict{}, false
	}
	return v, true
}

// severity is critical unless the other end is a known asset inside.
func severity(c *detect.Conversation) alert.Severity {
	if c.PeerName != "" {
		return alert.High
	}
	return alert.Critical
}

// staysOnLink tells whether what is sent to the address never passes a router:
// multicast and broadcast of routing, redundancy and discovery protocols.
func staysOnLink(addr netip.Addr) bool {
	return !addr.IsValid() || addr.IsUnspecified() || addr.IsLoopback() || addr.IsLinkLocalUnicast() ||
		addr.IsLinkLocalMulticast() || addr.IsInterfaceLocalMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
