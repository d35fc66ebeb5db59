// Package firstseen finds first contacts: who talks with a protected system for a
// service for the first time in a month, though nothing like it ever did, and networks
// with which a zone never had to do. See README.md.
package firstseen

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "firstseen"

// The rules of the detector, as alerts name them.
const (
	// ruleFirst: a peer of a kind that is new here.
	ruleFirst = "first-contact"
	// ruleNetwork: a network outside with which the zone never had to do.
	ruleNetwork = "new-network"
)

//go:embed fresh.sql
var freshSQL string

// Detector is the firstseen detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
	memory    memory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "firstseen".
func (*Detector) Name() string { return Name }

// Every returns an hour.
func (*Detector) Every() time.Duration { return time.Hour }

// Detect returns a finding for each first contact of the window that is unusual
// enough; those of one end beyond Config.MaxPerEnd fold into one.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	hits, err := d.hits(ctx, w, h)
	if err != nil {
		return nil, err
	}
	return d.findings(ctx, w, h, hits)
}

// hits are the contacts of the window that are unusual enough. What excludes most for
// the least reading comes first.
func (d *Detector) hits(ctx context.Context, w detect.Window, h detect.History) ([]hit, error) {
	s := &scene{Detector: d, h: h, w: w, since: hourOf(w.Start.Add(-d.cfg.History)), start: hourOf(w.Start), end: hourOf(w.End)}
	if s.start == s.end {
		return nil, nil // no hour begins in it
	}
	d.memory.mu.Lock()
	defer d.memory.mu.Unlock()
	if err := d.memory.recall(ctx, h, s.since, s.end); err != nil {
		return nil, err
	}
	warm, err := s.warm(ctx)
	if err != nil || len(warm) == 0 {
		return nil, err
	}
	unknown, err := s.unknown(ctx)
	if err != nil || len(unknown) == 0 {
		return nil, err
	}
	contacts, err := s.contacts(ctx, unknown, warm)
	if err != nil || len(contacts) == 0 {
		return nil, err
	}
	zones, err := s.zonesOf(ctx, contacts, warm)
	if err != nil {
		return nil, err
	}
	var hits []hit
	for _, c := range contacts {
		if v := d.score(c, zones[c.AssetZone], w.Start); v.total >= d.cfg.Score {
			hits = append(hits, hit{c, v})
		}
	}
	return hits, nil
}

// contact is a pair with a service that the history did not have.
type contact struct {
	Asset       string     `ch:"asset"`
	AssetAddr   netip.Addr `ch:"asset_addr"`
	PeerAddr    netip.Addr `ch:"peer_addr"`
	Protocol    uint8      `ch:"protocol"`
	Port        uint16     `ch:"port"`
	AssetServes bool       `ch:"asset_serves"`
	Initiator   string     `ch:"opened_by"`
	AssetName   string     `ch:"asset_asset"`
	AssetZone   string     `ch:"asset_in"`
	AssetKind   string     `ch:"asset_kind"`
	AssetRole   string     `ch:"asset_as"`
	PeerName    string     `ch:"peer_asset"`
	PeerZone    string     `ch:"peer_in"`
	PeerKind    string     `ch:"peer_kind"`
	PeerRole    string     `ch:"peer_as"`
	Country     string     `ch:"country"`
	ASN         uint32     `ch:"asn"`
	Sessions    uint64     `ch:"sessions"`
	Both        bool       `ch:"both"`
	Flows       uint64     `ch:"records"`
	BytesIn     uint64     `ch:"to_asset"`
	BytesOut    uint64     `ch:"to_peer"`
	Packets     uint64     `ch:"packets"`
	First       time.Time  `ch:"first"`
	Last        time.Time  `ch:"last"`
	// stored is the key under which the tables have it.
	stored key
	// allowed says that a rule allows it, though none names the peer.
	allowed bool
}

// read gives addresses and times their natural form. Of two protected systems of the
// same standing it makes the one that was asked the asset: whose zone it is that
// somebody new comes to.
func (c *contact) read() {
	c.AssetAddr, c.PeerAddr = c.AssetAddr.Unmap(), c.PeerAddr.Unmap()
	c.First, c.Last = c.First.UTC(), c.Last.UTC()
	c.stored = key{c.Asset, c.PeerAddr, c.Protocol, c.Port, c.AssetServes}
	peer := detect.End{Kind: c.PeerKind}
	if c.Initiator == "asset" && peer.Protected() && (c.AssetKind != flow.ZoneLawfulIntercept || c.PeerKind == flow.ZoneLawfulIntercept) {
		c.AssetAddr, c.PeerAddr = c.PeerAddr, c.AssetAddr
		c.AssetName, c.PeerName = c.PeerName, c.AssetName
		c.AssetZone, c.PeerZone = c.PeerZone, c.AssetZone
		c.AssetKind, c.PeerKind = c.PeerKind, c.AssetKind
		c.AssetRole, c.PeerRole = c.PeerRole, c.AssetRole
		c.BytesIn, c.BytesOut = c.BytesOut, c.BytesIn
		c.AssetServes, c.Initiator = true, "peer"
		c.Country, c.ASN = "", 0
	}
	c.Asset = c.conversationName()
}

// contacts are those of the unknown keys that are in a warm zone and that no rule names.
func (s *scene) contacts(ctx context.Context, unknown map[key]bool, warm map[string]time.Time) ([]*contact, error) {
	peers := map[string]bool{}
	for k := range unknown {
		peers[k.peer.String()] = true
	}
	var rows []contact
	err := s.h.Select(ctx, &rows, freshSQL, detect.Param("peers", sorted(peers)), detect.Param("start", s.w.Start), detect.Param("end", s.w.End))
	if err != nil {
		return nil, fmt.Errorf("read what %d peers did for the first time: %w", len(peers), err)
	}
	inv := s.inventory()
	var all []*contact
	for i := range rows {
		c := &rows[i]
		c.read()
		if _, known := warm[c.AssetZone]; !known || !unknown[c.stored] {
			continue
		}
		if c.PeerAddr.IsMulticast() || c.AssetAddr.IsMulticast() || c.PeerAddr.IsLinkLocalUnicast() {
			continue
		}
		conversation := c.conversation()
		if client, server := inv.AllowsByName(conversation.AsAsked()); c.Initiator == "peer" && client || c.Initiator == "asset" && server {
			continue // a rule names the peer
		}
		_, c.allowed = inv.Allowed(conversation.AsAsked())
		all = append(all, c)
	}
	return all, nil
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for s := range set {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// conversation is the contact as other detectors have it.
func (c *contact) conversation() detect.Conversation {
	return detect.Conversation{
		AssetAddr: c.AssetAddr, PeerAddr: c.PeerAddr, Protocol: c.Protocol, Port: c.Port, Initiator: c.Initiator, AssetServes: c.AssetServes,
		Established: true, Answered: c.Both, Sessions: c.Sessions, Flows: c.Flows, BytesIn: c.BytesIn, BytesOut: c.BytesOut, Packets: c.Packets,
		FirstSeen: c.First, LastSeen: c.Last, StartedAt: c.First,
		AssetZone: c.AssetZone, AssetZoneKind: c.AssetKind, AssetName: c.AssetName, AssetRole: c.AssetRole,
		PeerZone: c.PeerZone, PeerZoneKind: c.PeerKind, PeerName: c.PeerName, PeerRole: c.PeerRole, PeerCountry: c.Country, PeerASN: c.ASN,
	}
}
