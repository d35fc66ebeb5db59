package intel

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

//go:embed past.sql
var pastSQL string

// mostPeers is with how many addresses the past is read at once.
const mostPeers = 500

// past matches what lists have just learned with what was stored before, and gives one
// finding for each system and entry.
func (d *Detector) past(ctx context.Context, w detect.Window, h detect.History, inv *inventory.Inventory) ([]alert.Finding, error) {
	from, to, due := round(w)
	if !due || d.cfg.Lookback == 0 {
		return nil, nil
	}
	indicators, err := d.learned(ctx, h, from, to)
	if err != nil || len(indicators) == 0 {
		return nil, err
	}
	candidates, err := pairs(ctx, h, indicators)
	if err != nil {
		return nil, err
	}
	matches := match(candidates, indicators)
	var hits []hit
	for some := range slices.Chunk(matches, mostPeers) {
		rows, err := readPast(ctx, h, some)
		if err != nil {
			return nil, err
		}
		byPeer := map[netip.Addr]*fresh{}
		for _, m := range some {
			byPeer[m.addr] = m.fresh
		}
		for _, c := range conversationsOf(rows) {
			if one := d.pastHit(c, byPeer[c.PeerAddr], inv); one != nil {
				hits = append(hits, *one)
			}
		}
	}
	return d.findings(hits, nil, w, inv), nil
}

// pastHit judges a conversation of the past; nil where nobody of ours took part in it, or
// somebody allowed just this address.
func (d *Detector) pastHit(c *detect.Conversation, f *fresh, inv *inventory.Inventory) *hit {
	rule := judge(c)
	if rule == ruleProbe || f == nil || rule == ruleContact && c.PeerSpoke {
		return nil
	}
	if _, allowed := inv.AllowsAddress(c.AsAsked(), c.PeerAddr); allowed {
		return nil
	}
	c.PeerIntel = f.text()
	h := &hit{Conversation: c, rule: rulePast, indicator: f.text(), entry: f.entryRow, bytes: c.BytesIn + c.BytesOut}
	h.heavy = h.bytes >= d.cfg.HeavyBytes
	h.grade()
	return h
}

// listedPast is an address that had to do with systems, and the indicator that names it.
type listedPast struct {
	*fresh
	addr   netip.Addr
	peer   string
	assets []string
}

// match gives each address its narrowest indicator, of those the first, and the systems
// that had to do with it.
func match(candidates []pair, indicators []fresh) []*listedPast {
	byPrefix := map[netip.Prefix]*fresh{}
	lengths := map[int]bool{}
	for i := range indicators {
		f := &indicators[i]
		if byPrefix[f.prefix] == nil {
			byPrefix[f.prefix], lengths[f.prefix.Bits()] = f, true
		}
	}
	narrowest := func(addr netip.Addr) *fresh {
		for bits := addr.BitLen(); bits > 0; bits-- {
			if p, err := addr.Prefix(bits); err == nil && lengths[bits] && byPrefix[p] != nil {
				return byPrefix[p]
			}
		}
		return nil
	}
	var all []*listedPast
	for _, c := range candidates { // in the order of peers
		if n := len(all); n > 0 && all[n-1].peer == c.Peer {
			all[n-1].assets = append(all[n-1].assets, c.Asset)
			continue
		}
		addr, err := netip.ParseAddr(c.Peer)
		if err != nil {
			continue // the database writes addresses that can be read
		}
		addr = addr.Unmap()
		if f := narrowest(addr); f != nil {
			all = append(all, &listedPast{fresh: f, addr: addr, peer: c.Peer, assets: []string{c.Asset}})
		}
	}
	return all
}

// pastRow is what one router saw of one way of a conversation, at one side.
type pastRow struct {
	AssetAddr   string    `ch:"asset_addr"`
	Peer        string    `ch:"peer"`
	Protocol    uint8     `ch:"protocol"`
	Port        uint16    `ch:"port"`
	AssetServes bool      `ch:"asset_serves"`
	ToAsset     bool      `ch:"to_asset"`
	Exporter    string    `ch:"exporter"`
	Direction   uint8     `ch:"direction"`
	Sampling    uint32    `ch:"sampling"`
	Unsampled   bool      `ch:"unsampled"`
	Flows       uint64    `ch:"flows"`
	Bytes       uint64    `ch:"bytes"`
	Packets     uint64    `ch:"packets"`
	Sessions    uint64    `ch:"sessions"`
	FirstSeen   time.Time `ch:"first_seen"`
	LastSeen    time.Time `ch:"last_seen"`
	Tried       bool      `ch:"tried"`
	Spoke       bool      `ch:"spoke"`
	Answered    bool      `ch:"answered"`
	PeerVotes   uint64    `ch:"peer_votes"`
	AssetVotes  uint64    `ch:"asset_votes"`
	pastEnds
}

// pastEnds are the ends as the latest record had them.
type pastEnds struct {
	AssetZone     string `ch:"asset_zone"`
	AssetZoneKind string `ch:"asset_zone_kind"`
	AssetName     string `ch:"asset_name"`
	AssetRole     string `ch:"asset_role"`
	PeerZone      string `ch:"peer_zone"`
	PeerZoneKind  string `ch:"peer_zone_kind"`
	PeerName      string `ch:"peer_name"`
	PeerRole      string `ch:"peer_role"`
	PeerCountry   string `ch:"peer_country"`
	PeerASN       uint32 `ch:"peer_asn"`
	PeerASOrg     string `ch:"peer_as_org"`
}

func readPast(ctx context.Context, h detect.History, matches []*listedPast) ([]pastRow, error) {
	assets := map[string]bool{}
	peers := make([]string, len(matches))
	froms, untils := make([]int64, len(matches)), make([]int64, len(matches))
	start, end := matches[0].from, matches[0].until
	for i, m := range matches {
		for _, a := range m.assets {
			assets[a] = true
		}
		peers[i], froms[i], untils[i] = m.peer, m.from.UnixMilli(), m.until.UnixMilli()
		if m.from.Before(start) {
			start = m.from
		}
		if m.until.After(end) {
			end = m.until
		}
	}
	var rows []pastRow
	err := h.Select(ctx, &rows, pastSQL, detect.Param("assets", sorted(assets)), detect.Param("peers", peers),
		detect.Param("froms", froms), detect.Param("untils", untils), detect.Param("start", start), detect.Param("end", end))
	if err != nil {
		return nil, fmt.Errorf("match the flows of the past: %w", err)
	}
	return rows, nil
}
