package detect

import (
	"math"
	"net/netip"
	"slices"
)

// Join adds up what sessions carried in several panes: one Session for each five-tuple,
// in the order in which they first appear. Routers report the same packets in different
// panes, so the amounts are not the sums of the panes but those of the one router that
// tells best, for each direction. Pane is that of the first part.
func Join(sessions []Session) []Session {
	type key struct {
		asset, peer         netip.Addr
		assetPort, peerPort uint16
		protocol            uint8
	}
	at := make(map[key]int, len(sessions))
	joined := make([]Session, 0, len(sessions))
	parts := make([]int, 0, len(sessions))
	for i := range sessions {
		s := &sessions[i]
		k := key{s.AssetAddr, s.PeerAddr, s.AssetPort, s.PeerPort, s.Protocol}
		n, known := at[k]
		if !known {
			at[k] = len(joined)
			joined = append(joined, *s)
			parts = append(parts, 1)
			continue
		}
		if parts[n] == 1 { // until here it shared its sightings with the part
			joined[n].Sightings = slices.Clone(joined[n].Sightings)
		}
		parts[n]++
		joinPart(&joined[n], s)
	}
	for i := range joined {
		if parts[i] > 1 {
			tellBest(&joined[i])
		}
	}
	return joined
}

// joinPart adds a later part of the session.
func joinPart(into, s *Session) {
	if into.Initiator == "" && s.Initiator != "" { // what a later part shows holds for all
		into.Initiator, into.Port, into.AssetServes = s.Initiator, s.Port, s.AssetServes
	}
	into.Established, into.Answered = into.Established || s.Established, into.Answered || s.Answered
	into.AssetTried, into.PeerTried = into.AssetTried || s.AssetTried, into.PeerTried || s.PeerTried
	into.AssetSpoke, into.PeerSpoke = into.AssetSpoke || s.AssetSpoke, into.PeerSpoke || s.PeerSpoke
	into.FlagsIn, into.FlagsOut = into.FlagsIn|s.FlagsIn, into.FlagsOut|s.FlagsOut
	if s.FirstSeen.Before(into.FirstSeen) {
		into.FirstSeen = s.FirstSeen
	}
	if s.LastSeen.After(into.LastSeen) {
		into.LastSeen, into.Asset, into.Peer = s.LastSeen, s.Asset, s.Peer
	}
	if s.FlowStart.Before(into.FlowStart) {
		into.FlowStart = s.FlowStart
	}
	if s.FlowEnd.After(into.FlowEnd) {
		into.FlowEnd = s.FlowEnd
	}
	if s.StartedAt.Before(into.StartedAt) {
		into.StartedAt = s.StartedAt
	}
	into.Sampling = max(into.Sampling, s.Sampling)
	for _, x := range s.Sightings {
		i := slices.IndexFunc(into.Sightings, func(y SessionSighting) bool { return y.Exporter == x.Exporter && y.ToAsset == x.ToAsset })
		if i < 0 {
			into.Sightings = append(into.Sightings, x)
			continue
		}
		y := &into.Sightings[i]
		y.Flows += x.Flows
		y.Bytes += x.Bytes
		y.Packets += x.Packets
		y.Sampling = max(y.Sampling, x.Sampling)
		y.InIf = max(y.InIf, x.InIf)
	}
}

// tellBest makes the amounts those of the router that tells best.
func tellBest(s *Session) {
	var best [2]*SessionSighting
	least := uint32(math.MaxUint32)
	for i := range s.Sightings {
		x := &s.Sightings[i]
		way := 0
		if x.ToAsset {
			way = 1
		}
		if b := best[way]; b == nil || known(x.Sampling) < known(b.Sampling) || known(x.Sampling) == known(b.Sampling) && x.Bytes > b.Bytes {
			best[way] = x
		}
		least = min(least, known(x.Sampling))
	}
	s.Flows, s.BytesIn, s.BytesOut, s.PacketsIn, s.PacketsOut, s.LeastSampling = 0, 0, 0, 0, 0, 0
	if least != math.MaxUint32 {
		s.LeastSampling = least
	}
	if b := best[0]; b != nil {
		s.BytesOut, s.PacketsOut, s.Flows = b.Bytes, b.Packets, b.Flows
	}
	if b := best[1]; b != nil {
		s.BytesIn, s.PacketsIn, s.Flows = b.Bytes, b.Packets, s.Flows+b.Flows
	}
}
