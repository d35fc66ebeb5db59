// Package relay finds systems that somebody works through: a session comes in, and at
// once one goes out that carries as much, again and again. See README.md.
package relay

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "relay"

// rule is the detector's rule, as alerts name it.
const rule = "session-goes-on"

// Detector is the relay detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "relay".
func (*Detector) Name() string { return Name }

// Every returns an hour.
func (*Detector) Every() time.Duration { return time.Hour }

// Detect returns a finding for each chain of two sessions through a system that went on
// in the window, and did so often enough in the lookback.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	all, err := d.candidates(ctx, h, inv, w)
	if err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for i := range all {
		c := &all[i]
		if d.allowed(inv, c, w.Start) {
			continue
		}
		f, ok, err := d.look(ctx, h, inv, w, c)
		if err != nil {
			return nil, err
		}
		if ok {
			findings = append(findings, f)
		}
	}
	return detect.Merge(findings), nil
}

// allowed tells whether the inventory allows both sessions, or holds alerts of the
// system back.
func (d *Detector) allowed(inv *inventory.Inventory, c *candidate, at time.Time) bool {
	e := inv.Lookup(c.Device)
	if _, held := inv.UnderMaintenance(at, inventory.Subject{Zone: e.Zone, Asset: e.Asset}); held {
		return true
	}
	_, in := inv.Allowed(inventory.Conversation{Client: c.From, Server: c.Device, Protocol: c.In.Protocol, Port: c.In.Port, At: at, InitiatorKnown: true})
	_, out := inv.Allowed(inventory.Conversation{Client: c.Device, Server: c.To, Protocol: c.Out.Protocol, Port: c.Out.Port, At: at, InitiatorKnown: true})
	return in && out
}

// look compares all sessions of the two pairs in the lookback.
func (d *Detector) look(ctx context.Context, h detect.History, inv *inventory.Inventory, w detect.Window, c *candidate) (alert.Finding, bool, error) {
	since := w.End.Add(-d.cfg.Lookback)
	hours, err := busyHours(ctx, h, since, w.End, c)
	if err != nil || len(hours) == 0 {
		return alert.Finding{}, false, err
	}
	sessions, err := pairs.Sessions(ctx, h, detect.Window{Start: since, End: w.End}, []pairs.Key{c.In, c.Out}, hours...)
	if err != nil {
		return alert.Finding{}, false, err
	}
	var came, went []detect.Session
	for _, s := range sessions {
		if pairs.Of(&s) == c.In {
			came = append(came, s)
		} else {
			went = append(went, s)
		}
	}
	m := d.cfg.compare(stitch(came), stitch(went), time.Duration(len(hours))*time.Hour)
	if len(m.episodes) < d.cfg.Episodes || m.LogP > math.Log(d.cfg.Chance) {
		return alert.Finding{}, false, nil
	}
	in, out := talk(came, w, c.Device), talk(went, w, c.Device)
	facts, err := pairs.Facts(ctx, h, w.End, []pairs.Row{row(came), row(went)})
	if err != nil {
		return alert.Finding{}, false, err
	}
	young, warm := false, true
	for i := range facts {
		warm = warm && facts[i].Warm(w.End, d.cfg.WarmUp)
		young = young || facts[i].Age(w.End) < d.cfg.WarmUp
	}
	if !young {
		return alert.Finding{}, false, nil // both are known for long
	}
	return d.finding(&chain{match: m, in: in, out: out, facts: facts, warm: warm}, w, inv), true, nil
}

// row is the pair of sessions, as far as facts about it are asked by.
func row(sessions []detect.Session) pairs.Row {
	s := &sessions[len(sessions)-1]
	name := s.Asset.Name
	if name == "" {
		name = s.AssetAddr.String()
	}
	return pairs.Row{Asset: name, AssetAddr: s.AssetAddr, PeerAddr: s.PeerAddr, AssetZone: s.Asset.Zone, PeerZone: s.Peer.Zone, ASN: s.Peer.ASN}
}

// talk is what the sessions of the window add up to, or where it has none those of the
// whole lookback, with the device as the asset.
func talk(sessions []detect.Session, w detect.Window, device netip.Addr) detect.Conversation {
	list := sessions
	if i := slices.IndexFunc(sessions, func(s detect.Session) bool { return !s.Pane.Before(w.Start) }); i >= 0 {
		list = sessions[i:]
	}
	c := pairs.Largest(list)[pairs.Of(&list[0])]
	if c.AssetAddr != device {
		c = c.Turned()
	}
	return c
}
