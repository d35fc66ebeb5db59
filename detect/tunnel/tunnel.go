// Package tunnel finds tunnels that nobody listed and that end at a device or another
// protected system: GRE, IPsec, IP-in-IP, L2TP, VXLAN, Geneve and WireGuard. See
// README.md.
package tunnel

import (
	"context"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "tunnel"

// ruleUnlisted is the detector's rule: a tunnel that the inventory neither lists nor
// allows.
const ruleUnlisted = "unlisted-tunnel"

// Detector is the tunnel detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "tunnel".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns one finding for each pair of endpoints and family of tunnels, or for
// each endpoint that has many of them.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	inv := d.inventory()
	var hits []device.Hit
	established := map[string]bool{}
	for i := range sessions {
		s := &sessions[i]
		f := familyOf(s)
		if f == nil || !d.ends(&s.Asset) && !d.ends(&s.Peer) || multicast(s) {
			continue
		}
		if h, ok := d.judge(s, f, inv); ok {
			established[h.Key] = established[h.Key] || s.Established
			hits = append(hits, h)
		}
	}
	// VXLAN and its like have ports of their own each way: what comes in alone counts
	// where something goes out.
	hits = slices.DeleteFunc(hits, func(h device.Hit) bool { return !established[h.Key] })
	var findings []alert.Finding
	for _, g := range device.Gather(hits, d.cfg.MaxAlerts, endpoint, farEnd) {
		findings = append(findings, d.finding(&g, w, inv))
	}
	return findings, nil
}

// endpoint and farEnd name the ends, to fold what one end has with many, each family by
// itself.
func endpoint(h *device.Hit) string { return "at\x00" + h.Asset().Name() + "\x00" + familyName(h) }
func farEnd(h *device.Hit) string   { return "to\x00" + h.PeerAddr.String() + "\x00" + familyName(h) }

// familyName is the family of a hit: the last part of its key.
func familyName(h *device.Hit) string { return h.Key[strings.LastIndexByte(h.Key, 0)+1:] }

// ends tells whether a tunnel that ends there is to be judged.
func (d *Detector) ends(e *detect.End) bool {
	return (e.Protected() || d.cfg.DeviceRoles.Has(e)) && !slices.Contains(d.cfg.ExemptRoles, strings.ToLower(e.Role))
}

// multicast is what replication in a fabric sends to.
func multicast(s *detect.Session) bool { return s.AssetAddr.IsMulticast() || s.PeerAddr.IsMulticast() }

// judge tells whether the tunnel is one that nobody listed.
func (d *Detector) judge(s *detect.Session, f *family, inv *inventory.Inventory) (h device.Hit, ok bool) {
	v := *s
	if !d.cfg.DeviceRoles.Has(&v.Asset) && d.cfg.DeviceRoles.Has(&v.Peer) && v.Asset.Kind != flow.ZoneLawfulIntercept {
		v = v.Turned() // the device is what to talk about
	}
	c := device.Conversation(v)
	if f.expected(inv, c.AssetAddr, c.PeerAddr) || device.Allowed(inv, &c) || c.AssetName != "" && c.AssetName == c.PeerName {
		return h, false
	}
	h = device.Hit{Conversation: c, Rule: ruleUnlisted, Severity: alert.High, Confidence: 1,
		Key: c.Asset().Name() + "\x00" + c.PeerAddr.String() + "\x00" + f.name}
	switch {
	case device.Outside(&v.Peer):
		h.Severity = alert.Critical
	case !d.cfg.DeviceRoles.Touches(&v) && c.PeerName != "" && c.AssetName != "":
		h.Severity = alert.Medium // two known systems, neither of them a device
	}
	if !c.Answered {
		h.Confidence = 0.8
	}
	h.Severity = detect.Grade(h.Severity, c.AssetZoneKind, c.AssetRole, h.Confidence)
	return h, true
}
