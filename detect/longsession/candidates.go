package longsession

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

//go:embed long.sql
var longSQL string

//go:embed candidates.sql
var candidatesSQL string

// candidate is a pair whose sessions may have been open for long.
type candidate struct {
	pairs.Row
	ActiveMS  uint64    `ch:"active_ms"`
	Begun     uint64    `ch:"begun"`
	FirstSeen time.Time `ch:"first_seen"`
	LastSeen  time.Time `ch:"last_seen"`

	fact pairs.Fact
	open opened
}

// candidates are the pairs that no rule allows, with a peer that few talk with, that are
// not known for long, by the upper bound of how long their sessions were open.
func (d *Detector) candidates(ctx context.Context, h detect.History, inv *inventory.Inventory, w detect.Window) ([]*candidate, error) {
	assets, peers, err := d.long(ctx, h, w)
	if err != nil || len(assets) == 0 {
		return nil, err
	}
	zones, err := pairs.Zones(ctx, h, w.End)
	if err != nil {
		return nil, err
	}
	warm := false
	for _, z := range zones {
		warm = warm || w.End.Sub(z.Since) >= d.cfg.WarmUp
	}
	var rows []candidate
	err = h.Select(ctx, &rows, pairs.Columns(candidatesSQL), detect.Param("since", w.End.Add(-day)), detect.Param("start", w.Start),
		detect.Param("end", w.End), detect.Param("inside", warm), detect.Param("young", w.End.Add(-d.cfg.WarmUp)),
		detect.Param("assets", assets), detect.Param("peers", peers), detect.Param("active_ms", d.cfg.atLeast()))
	if err != nil {
		return nil, fmt.Errorf("read of pairs with long sessions: %w", err)
	}
	var left []*candidate
	var known []pairs.Row
	for i := range rows {
		c := &rows[i]
		c.FirstSeen, c.LastSeen = c.FirstSeen.UTC(), c.LastSeen.UTC()
		_, held := inv.UnderMaintenance(c.LastSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName})
		if held || !c.Hosts() || d.cfg.Ignore.Has(c.Protocol, c.Port) || !c.External() && !d.cfg.Inside.Has(c.Protocol, c.Port) ||
			c.Allowed(inv, c.FirstSeen, c.LastSeen) {
			continue
		}
		left, known = append(left, c), append(known, c.Row)
	}
	facts, err := pairs.Facts(ctx, h, w.End, known)
	if err != nil {
		return nil, err
	}
	var all []*candidate
	for i, c := range left {
		c.fact = facts[i]
		young := c.fact.Age(w.End) < d.cfg.WarmUp
		if c.fact.Rare(d.cfg.Prevalence) && young && (c.External() || c.fact.Warm(w.End, d.cfg.WarmUp)) {
			all = append(all, c)
		}
	}
	return all, nil
}

// long are the ends of the pairs whose sessions may have been open for long enough, over
// services that count: it costs little, and most windows end with it.
func (d *Detector) long(ctx context.Context, h detect.History, w detect.Window) (assets, peers []string, err error) {
	var rows []struct {
		AssetAddr netip.Addr `ch:"asset_addr"`
		PeerAddr  netip.Addr `ch:"peer_addr"`
		Protocol  uint8      `ch:"protocol"`
		Port      uint16     `ch:"port"`
		Inside    bool       `ch:"inside"`
	}
	err = h.Select(ctx, &rows, longSQL, detect.Param("since", w.End.Add(-day)), detect.Param("start", w.Start), detect.Param("end", w.End),
		detect.Param("active_ms", d.cfg.atLeast()))
	if err != nil {
		return nil, nil, fmt.Errorf("look for pairs with long sessions: %w", err)
	}
	for _, r := range rows {
		if d.cfg.Ignore.Has(r.Protocol, r.Port) || r.Inside && !d.cfg.Inside.Has(r.Protocol, r.Port) {
			continue
		}
		assets, peers = append(assets, r.AssetAddr.Unmap().String()), append(peers, r.PeerAddr.Unmap().String())
	}
	return assets, peers, nil
}

// atLeast is for how many milliseconds sessions must have been open by pair_hours, which
// knows of an hour only what was exported in it.
func (c *Config) atLeast() uint64 { return uint64(c.Medium.Milliseconds()) * 9 / 10 }
