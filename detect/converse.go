package detect

import (
	"cmp"
	"net/netip"
	"slices"

	"tapwatch/flow"
)

// conversationKey tells conversations apart.
type conversationKey struct {
	asset, peer netip.Addr
	protocol    uint8
	port        uint16
	initiator   string
}

// Converse adds up sessions of any number of panes: those that filter selects (nil: all)
// and that were established, with attempts also those that were not.
func Converse(sessions []Session, filter func(*Session) bool, attempts bool) []Conversation {
	var all []Conversation
	at := map[conversationKey]int{}
	if filter != nil {
		sessions = selected(sessions, filter)
	}
	if len(sessions) > 0 && !sessions[0].Pane.Equal(sessions[len(sessions)-1].Pane) {
		sessions = Join(sessions)
	}
	for i := range sessions {
		s := &sessions[i]
		k := conversationKey{s.AssetAddr, s.PeerAddr, s.Protocol, s.Port, s.Initiator}
		n, known := at[k]
		if !known {
			n = len(all)
			at[k] = n
			all = append(all, Conversation{AssetAddr: s.AssetAddr, PeerAddr: s.PeerAddr, Protocol: s.Protocol, Port: s.Port, Initiator: s.Initiator})
		}
		all[n].add(s)
	}
	all = slices.DeleteFunc(all, func(c Conversation) bool { return !c.Established && !attempts })
	for i := range all {
		// Between equals the asset is the end that was asked.
		if c := &all[i]; c.Initiator == "asset" && standing(c.AssetZone, c.AssetZoneKind) == standing(c.PeerZone, c.PeerZoneKind) {
			*c = c.Turned()
		}
	}
	slices.SortStableFunc(all, func(a, b Conversation) int {
		return cmp.Or(a.AssetAddr.Compare(b.AssetAddr), a.PeerAddr.Compare(b.PeerAddr), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.Port, b.Port), cmp.Compare(a.Initiator, b.Initiator))
	})
	return all
}

// selected gives those sessions that the filter selects.
func selected(sessions []Session, filter func(*Session) bool) []Session {
	var kept []Session
	for i := range sessions {
		if filter(&sessions[i]) {
			kept = append(kept, sessions[i])
		}
	}
	return kept
}

// add adds one session.
func (c *Conversation) add(s *Session) {
	c.Sessions++
	c.AssetServes = c.AssetServes || s.AssetServes
	c.Established, c.Answered = c.Established || s.Established, c.Answered || s.Answered
	c.AssetTried, c.PeerTried = c.AssetTried || s.AssetTried, c.PeerTried || s.PeerTried
	c.AssetSpoke, c.PeerSpoke = c.AssetSpoke || s.AssetSpoke, c.PeerSpoke || s.PeerSpoke
	c.Flows += s.Flows
	c.BytesIn += s.BytesIn
	c.BytesOut += s.BytesOut
	c.Packets += s.PacketsIn + s.PacketsOut
	if c.FirstSeen.IsZero() || s.FirstSeen.Before(c.FirstSeen) {
		c.FirstSeen = s.FirstSeen
	}
	if c.StartedAt.IsZero() || s.StartedAt.Before(c.StartedAt) {
		c.StartedAt = s.StartedAt
	}
	c.Sampling = max(c.Sampling, s.Sampling)
	for i := range s.Sightings {
		c.sight(&s.Sightings[i])
	}
	if s.LastSeen.Before(c.LastSeen) {
		return
	}
	c.LastSeen = s.LastSeen
	c.AssetZone, c.AssetZoneKind, c.AssetName, c.AssetRole = s.Asset.Zone, s.Asset.Kind, s.Asset.Name, s.Asset.Role
	c.AssetCountry, c.AssetASN, c.AssetASOrg, c.AssetIntel = s.Asset.Country, s.Asset.ASN, s.Asset.ASOrg, s.Asset.Intel
	c.PeerZone, c.PeerZoneKind, c.PeerName, c.PeerRole = s.Peer.Zone, s.Peer.Kind, s.Peer.Name, s.Peer.Role
	c.PeerCountry, c.PeerASN, c.PeerASOrg, c.PeerIntel = s.Peer.Country, s.Peer.ASN, s.Peer.ASOrg, s.Peer.Intel
}

// sight adds what one router saw.
func (c *Conversation) sight(s *SessionSighting) {
	c.Exporters = include(c.Exporters, s.Exporter)
	if s.Sampling == 0 {
		c.Unsampled = include(c.Unsampled, s.Exporter)
	}
	i, known := slices.BinarySearchFunc(c.Sightings, s.Exporter, func(x Sighting, a netip.Addr) int { return x.Exporter.Compare(a) })
	if !known {
		c.Sightings = slices.Insert(c.Sightings, i, Sighting{Exporter: s.Exporter})
	}
	x := &c.Sightings[i]
	x.Sampling = max(x.Sampling, s.Sampling)
	x.Flows += s.Flows
	x.Packets += s.Packets
	if s.ToAsset {
		x.BytesIn += s.Bytes
	} else {
		x.BytesOut += s.Bytes
	}
}

// include puts an address into a sorted list, once.
func include(list []netip.Addr, a netip.Addr) []netip.Addr {
	i, known := slices.BinarySearchFunc(list, a, netip.Addr.Compare)
	if known {
		return list
	}
	return slices.Insert(list, i, a)
}

// standing is how well an end is protected, as enrich/zone ranks it.
func standing(zone, kind string) int {
	e := End{Kind: kind}
	switch {
	case kind == flow.ZoneLawfulIntercept:
		return 3
	case e.Protected():
		return 2
	case zone != "":
		return 1
	default:
		return 0
	}
}
