// Package aaa finds logins that go to the wrong place: a network device that asks a
// TACACS+ or RADIUS server which the inventory does not list hands the passwords of its
// administrators to whoever runs that server. See README.md.
package aaa

import (
	"context"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "aaa"

// The rules of the detector, as alerts name them.
const (
	// ruleUnlistedServer: a device asks a server that the inventory does not list.
	ruleUnlistedServer = "unlisted-server"
	// ruleLeaves: AAA of a management or infrastructure zone leaves these zones.
	ruleLeaves = "leaves-management"
	// ruleNoList: the same inside, where the inventory lists no AAA server at all.
	ruleNoList = "no-server-listed"
)

// Detector is the AAA detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "aaa".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns one finding for each server that a device, or anything in a management
// or infrastructure zone, asks for logins though the inventory does not say so.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	var asked []detect.Session
	for i := range sessions {
		if s := &sessions[i]; d.isAAA(s) {
			if v := d.asClient(s); d.ours(&v.Asset) && tried(&v) {
				asked = append(asked, v)
			}
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	inv := d.inventory()
	var hits []device.Hit
	for _, c := range conversations(asked) {
		if h, ok := d.judge(&c, inv); ok {
			hits = append(hits, h)
		}
	}
	var findings []alert.Finding
	for _, g := range device.Gather(hits, d.cfg.MaxAlerts, serverZone) {
		findings = append(findings, d.finding(&g, w, inv))
	}
	return findings, nil
}

// serverZone names where the server stands.
func serverZone(h *device.Hit) string { return "in\x00" + h.PeerZone }

func (d *Detector) isAAA(s *detect.Session) bool {
	switch s.Protocol {
	case flow.ProtocolTCP:
		return slices.Contains(d.cfg.TCP, s.Port)
	case flow.ProtocolUDP:
		return slices.Contains(d.cfg.UDP, s.Port)
	default:
		return false
	}
}

// asClient is the session with the client as its asset. RADIUS between equal ports does
// not show who asked: there the device is the client.
func (d *Detector) asClient(s *detect.Session) detect.Session {
	v := device.AsClient(s)
	if s.Initiator == "" && s.AssetPort == s.PeerPort && !d.cfg.DeviceRoles.Has(&v.Asset) && d.cfg.DeviceRoles.Has(&v.Peer) {
		v = v.Turned()
		v.AssetServes = false
	}
	return v
}

// ours tells whether what the end asks for logins is to be judged.
func (d *Detector) ours(client *detect.End) bool {
	return d.cfg.DeviceRoles.Has(client) || client.Kind == flow.ZoneManagement
}

// tried tells whether the client, the asset, really asked: what answers a forged
// question is no question.
func tried(s *detect.Session) bool { return s.Established || s.AssetTried }

// conversations adds up sessions of which each has the client as its asset.
func conversations(asked []detect.Session) []detect.Conversation {
	all := detect.Converse(asked, nil, true)
	for i := range all {
		if c := &all[i]; c.AssetServes {
			*c = c.Turned()
		}
	}
	return all
}

// judge tells what is wrong with a conversation whose asset asked; ok is false if
// nothing is.
func (d *Detector) judge(c *detect.Conversation, inv *inventory.Inventory) (h device.Hit, ok bool) {
	if device.Listed(inv, d.cfg.Services, c.PeerAddr) || device.Allowed(inv, c) {
		return device.Hit{}, false
	}
	client := detect.End{Zone: c.AssetZone, Kind: c.AssetZoneKind, Role: c.AssetRole}
	server := detect.End{Zone: c.PeerZone, Kind: c.PeerZoneKind, Role: c.PeerRole}
	h = device.Hit{Conversation: *c, Key: c.PeerAddr.String(), Confidence: 1, Severity: alert.Critical}
	if !c.Established {
		h.Confidence, h.Severity = 0.6, alert.High // the server has not answered yet
	}
	within := server.Kind == flow.ZoneManagement || server.Kind == flow.ZoneInfrastructure
	switch {
	case !d.cfg.DeviceRoles.Has(&client) && within:
		return device.Hit{}, false // a host of management that logs in at a neighbour
	case !d.cfg.DeviceRoles.Has(&client):
		h.Rule = ruleLeaves
	case !device.Outside(&server) && !device.Names(inv, d.cfg.Services):
		h.Rule, h.Severity = ruleNoList, alert.Low
	default:
		h.Rule = ruleUnlistedServer
	}
	h.Severity = detect.Grade(h.Severity, c.AssetZoneKind, c.AssetRole, h.Confidence)
	return h, true
}
