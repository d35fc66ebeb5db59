// Package mirror finds copies of traffic that are sent away: one-way tunnels whose bytes
// follow, minute by minute, an interface of the router that sends them, or another
// delivery of intercepted content. See README.md.
package mirror

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "mirror"

// The rules of the detector, as alerts name them.
const (
	// ruleInterface: it follows an interface of the router that sends it.
	ruleInterface = "follows-interface"
	// ruleDelivery: it follows what the same system delivers elsewhere.
	ruleDelivery = "follows-delivery"
)

//go:embed candidates.sql
var candidatesSQL string

// span is how much is compared at most: the window and the hour before it.
const span = 2 * time.Hour

// Detector is the mirror detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "mirror".
func (*Detector) Name() string { return Name }

// Every returns an hour.
func (*Detector) Every() time.Duration { return time.Hour }

// candidate is traffic that goes one way.
type candidate struct {
	pairs.Row
	BytesIn    uint64    `ch:"bytes_in"`
	BytesOut   uint64    `ch:"bytes_out"`
	PacketsIn  uint64    `ch:"packets_in"`
	PacketsOut uint64    `ch:"packets_out"`
	LastSeen   time.Time `ch:"last_seen"`
}

// outward tells whether the asset sends.
func (c *candidate) outward() bool { return c.BytesOut > c.BytesIn }

// ends are who sends and who receives.
func (c *candidate) ends() (from, to alert.Party) {
	if c.outward() {
		return c.AssetParty(), c.PeerParty()
	}
	return c.PeerParty(), c.AssetParty()
}

// Detect returns a finding for each one-way flow of the window that follows other
// traffic.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	var rows []candidate
	err := h.Select(ctx, &rows, candidatesSQL, detect.Param("start", w.Start), detect.Param("end", w.End),
		detect.Param("bytes", d.cfg.Bytes), detect.Param("reverse", d.cfg.Reverse), detect.Param("protected", detect.ProtectedZones(inv)))
	if err != nil {
		return nil, fmt.Errorf("look for traffic that goes one way: %w", err)
	}
	var findings []alert.Finding
	for i := range rows {
		c := &rows[i]
		c.LastSeen = c.LastSeen.UTC()
		rule := d.rule(inv, c)
		if rule == "" {
			continue
		}
		m, err := d.look(ctx, h, inv, w, c, rule)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		talks, err := pairs.Conversations(ctx, h, w, []pairs.Key{c.Key()})
		if err != nil {
			return nil, err
		}
		talk, ok := talks[c.Key()]
		if !ok {
			talk = c.Conversation(w.Start, c.LastSeen)
		}
		findings = append(findings, d.finding(c, m, &talk, w, inv))
	}
	return detect.Merge(findings), nil
}

// rule is what the candidate is compared by; empty where it is none: the inventory
// allows it, or the sender is neither a device nor delivers intercepted content.
func (d *Detector) rule(inv *inventory.Inventory, c *candidate) string {
	from, to := c.ends()
	if _, held := inv.UnderMaintenance(c.LastSeen, inventory.Subject{Zone: from.Zone, Asset: from.Asset}); held || c.Allowed(inv, c.LastSeen) {
		return ""
	}
	if to.Zone != "" && d.cfg.IgnoreInside.Has(c.Protocol, c.Port) {
		return ""
	}
	switch {
	case from.ZoneKind == flow.ZoneLawfulIntercept || slices.Contains([]string{"poi", "mdf", "mdf2", "mdf3", "mediation"}, strings.ToLower(from.Role)):
		return ruleDelivery
	case from.ZoneKind == flow.ZoneInfrastructure || strings.EqualFold(from.Role, "router"):
		return ruleInterface
	default:
		return ""
	}
}

// matched is what the candidate follows.
type matched struct {
	likeness
	rule string
	// What it is in words, and by what router the copy and the original were seen.
	what string
	by   netip.Addr
	// Tried is how many it was compared with; Share is the copy's part of its bytes.
	tried int
	share float64
}

// look compares the candidate with what it may be a copy of; nil if it is none.
func (d *Detector) look(ctx context.Context, h detect.History, inv *inventory.Inventory, w detect.Window, c *candidate, rule string) (*matched, error) {
	from, to := c.ends()
	s := detect.Window{Start: w.End.Add(-span), End: w.End}
	own, err := readOwn(ctx, h, s, from.Addr)
	if err != nil {
		return nil, err
	}
	best, by, ok := own.best(channel{to.Addr, c.Protocol})
	if !ok {
		return nil, nil
	}
	var others []original
	if rule == ruleDelivery {
		others = own.others(channel{to.Addr, c.Protocol}, by)
	} else {
		others, err = readInterfaces(ctx, h, s, inv, from, own, channel{to.Addr, c.Protocol})
		if err != nil {
			return nil, err
		}
	}
	return d.match(best, by, others, rule), nil
}

// match gives the original that the copy follows best; nil if it follows none closely.
func (d *Detector) match(copied series, by netip.Addr, others []original, rule string) *matched {
	var best *matched
	half := len(copied.bytes) / 2
	tried := 0
	for _, o := range others {
		if 10*o.total() < 9*copied.total() {
			continue // a copy is no larger than what it copies
		}
		tried++
		// The hour alone, or both: whichever is clearer counts once in two.
		l := compare(copied.part(half, 2*half), o.part(half, 2*half))
		if copied.part(0, half).busy() > half*3/4 {
			if both := compare(copied, o.series); both.LogP < l.LogP {
				l = both
			}
		}
		if best == nil || l.LogP < best.LogP {
			best = &matched{likeness: l, rule: rule, what: o.what, by: by, share: copied.total() / max(1, o.total())}
		}
	}
	if best == nil {
		return nil
	}
	best.tried = tried
	best.LogP = min(0, best.LogP+math.Log(2*float64(tried)))
	if best.Corrected < d.cfg.Correlation || best.Reliability < d.cfg.Reliability || best.LogP > math.Log(d.cfg.Chance) {
		return nil
	}
	return best
}
