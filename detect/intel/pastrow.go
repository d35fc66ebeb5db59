package intel

import (
	"cmp"
	"net/netip"
	"slices"

	"tapwatch/detect"
	"tapwatch/flow"
)

// conversationsOf puts the rows together, which come in order.
func conversationsOf(rows []pastRow) []*detect.Conversation {
	same := func(a, b *pastRow) bool {
		return a.AssetAddr == b.AssetAddr && a.Peer == b.Peer && a.Protocol == b.Protocol && a.Port == b.Port && a.AssetServes == b.AssetServes
	}
	var all []*detect.Conversation
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && same(&rows[from], &rows[to]) {
			to++
		}
		if c := conversationOf(rows[from:to]); c != nil {
			all = append(all, c)
		}
		from = to
	}
	return all
}

// conversationOf adds up what routers saw of one conversation. Several saw the same
// packets: of those, for each way, the one that samples least and then the one that counted
// most stands for all.
func conversationOf(rows []pastRow) *detect.Conversation {
	first := &rows[0]
	asset, errAsset := netip.ParseAddr(first.AssetAddr)
	peer, errPeer := netip.ParseAddr(first.Peer)
	if errAsset != nil || errPeer != nil {
		return nil
	}
	c := &detect.Conversation{AssetAddr: asset.Unmap(), PeerAddr: peer.Unmap(), Protocol: first.Protocol, Port: first.Port,
		AssetServes: first.AssetServes, FirstSeen: first.FirstSeen.UTC()}
	var in, out pastWay
	for i := range rows {
		r := &rows[i]
		if r.FirstSeen.Before(c.FirstSeen) {
			c.FirstSeen = r.FirstSeen.UTC()
		}
		if !r.LastSeen.Before(c.LastSeen) {
			c.LastSeen = r.LastSeen.UTC()
			c.AssetZone, c.AssetZoneKind, c.AssetName, c.AssetRole = r.AssetZone, r.AssetZoneKind, r.AssetName, r.AssetRole
			c.PeerZone, c.PeerZoneKind, c.PeerName, c.PeerRole = r.PeerZone, r.PeerZoneKind, r.PeerName, r.PeerRole
			c.PeerCountry, c.PeerASN, c.PeerASOrg = r.PeerCountry, r.PeerASN, r.PeerASOrg
		}
		way := &out
		if r.ToAsset {
			way = &in
		}
		way.add(r)
		sight(c, r)
	}
	c.StartedAt = c.FirstSeen
	in.fill(c, &c.BytesIn)
	out.fill(c, &c.BytesOut)
	c.AssetTried, c.PeerTried = out.tried, in.tried
	tcp := c.Protocol == flow.ProtocolTCP
	c.AssetSpoke, c.PeerSpoke = tcp && out.spoke, tcp && in.spoke
	c.Answered = in.spoke && out.answered || out.spoke && in.answered
	c.Established = c.Answered || out.spoke || tcp && in.spoke && c.Sampling > 1
	switch peer, asset := in.peerVotes+out.peerVotes, in.assetVotes+out.assetVotes; {
	case peer > 0 && asset == 0:
		c.Initiator = "peer"
	case asset > 0 && peer == 0:
		c.Initiator = "asset"
	}
	return c
}

// pastWay is one way of a conversation over all routers.
type pastWay struct {
	best                   *pastRow
	tried, spoke, answered bool
	peerVotes, assetVotes  uint64
}

func (w *pastWay) add(r *pastRow) {
	w.tried, w.spoke, w.answered = w.tried || r.Tried, w.spoke || r.Spoke, w.answered || r.Answered
	w.peerVotes += r.PeerVotes
	w.assetVotes += r.AssetVotes
	known := func(r *pastRow) uint32 { return r.Sampling - 1 } // 0, not known, becomes the greatest
	if w.best == nil || cmp.Or(cmp.Compare(known(r), known(w.best)), cmp.Compare(w.best.Bytes, r.Bytes)) < 0 {
		w.best = r
	}
}

func (w *pastWay) fill(c *detect.Conversation, bytes *uint64) {
	if w.best == nil {
		return
	}
	*bytes = w.best.Bytes
	c.Flows += w.best.Flows
	c.Packets += w.best.Packets
	c.Sessions = max(c.Sessions, w.best.Sessions)
}

// sight adds what one router saw: of its two sides, the one that saw more.
func sight(c *detect.Conversation, r *pastRow) {
	addr, err := netip.ParseAddr(r.Exporter)
	if err != nil {
		return
	}
	addr = addr.Unmap()
	c.Sampling = max(c.Sampling, r.Sampling)
	c.Exporters = detect.Union(c.Exporters, []netip.Addr{addr}, netip.Addr.Compare)
	if r.Unsampled {
		c.Unsampled = detect.Union(c.Unsampled, []netip.Addr{addr}, netip.Addr.Compare)
	}
	i := slices.IndexFunc(c.Sightings, func(s detect.Sighting) bool { return s.Exporter == addr })
	if i < 0 {
		i = len(c.Sightings)
		c.Sightings = append(c.Sightings, detect.Sighting{Exporter: addr})
	}
	s := &c.Sightings[i]
	s.Sampling = max(s.Sampling, r.Sampling)
	bytes := &s.BytesOut
	if r.ToAsset {
		bytes = &s.BytesIn
	}
	if *bytes == 0 { // the other way, or the first side
		s.Flows, s.Packets = s.Flows+r.Flows, s.Packets+r.Packets
	}
	*bytes = max(*bytes, r.Bytes)
}
