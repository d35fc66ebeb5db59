package flow

import (
	"net/netip"
	"slices"
	"time"
)

// Pane is the smallest window: sessions are made pane by pane, aligned since 1970.
const Pane = 2 * time.Second

// Horizon is how long before a pane evidence about a session is looked for: whether
// the other end answered, who opened it. The answer may be exported minutes before or
// after the question.
const Horizon = 5 * time.Minute

// Session is what one five-tuple carried in one pane. What several routers exported,
// or one router at both of its sides, is counted once: of those that reported it in
// the pane, the one that samples least, and of those the one that counted most, stands
// for all, for each direction by itself. Bytes and packets are multiplied by the
// sampling interval where it is known.
//
// The asset is the protected end: a lawful-intercept zone before other protected
// zones, between equals the higher address. In is toward the asset, out toward the
// peer. A session longer than a pane has a row in each pane in which something of it
// was exported; table pair_hours has what is stitched.
type Session struct {
	// Pane is the start of the pane, in stream time.
	Pane                time.Time
	AssetAddr, PeerAddr netip.Addr
	AssetPort, PeerPort uint16
	Protocol            uint8
	// Port is the service port, 0 where the protocol has none; AssetServes says that
	// it is the asset's. Without an initiator it is the lower of the two.
	Port        uint16
	AssetServes bool
	// Initiator is "peer" or "asset", or empty where the flows do not tell.
	Initiator string
	// Established says that there was more than an attempt; Answered, that both
	// directions were seen to take part. See the README of package detect.
	Established, Answered bool
	// AssetTried and PeerTried say that the end sent a TCP SYN without ACK; AssetSpoke
	// and PeerSpoke that it sent data over TCP.
	AssetTried, PeerTried, AssetSpoke, PeerSpoke bool
	// FlagsIn and FlagsOut are the TCP flags seen each way in the pane, or-ed.
	FlagsIn, FlagsOut uint16

	Flows, BytesIn, BytesOut, PacketsIn, PacketsOut uint64
	// FirstSeen and LastSeen bound the pane's records by received_at.
	FirstSeen, LastSeen time.Time
	// FlowStart and FlowEnd bound the pane's records by the exporters' clocks: first
	// and last packet; received_at where an exporter does not say. With an active
	// timeout of half an hour they begin half an hour before the pane.
	FlowStart, FlowEnd time.Time
	// StartedAt is the earliest first packet as far back as the horizon's records tell.
	StartedAt time.Time
	// Sampling is the largest sampling interval of the routers that saw it, LeastSampling
	// that of the router that stands for all; 0 unknown.
	Sampling, LeastSampling uint32
	Asset, Peer             End
	// Sightings are the pane's amounts as each router saw them.
	Sightings []SessionSighting
}

// End is what was known about an end of a session when its records were stored.
type End struct {
	Zone, Kind, Name, Role string
	Country                string
	ASN                    uint32
	ASOrg                  string
	Intel                  string
}

// SessionSighting is what one router reported of a session at one of its sides, one
// way. InIf is the SNMP index of the interface by which it came in, 0 unknown.
type SessionSighting struct {
	Exporter       netip.Addr
	ToAsset        bool
	Sampling, InIf uint32
	Flows          uint64
	Bytes, Packets uint64
}

// Protected says whether a zone of that kind is protected without a word in the
// inventory.
func (e *End) Protected() bool {
	switch e.Kind {
	case ZoneLawfulIntercept, ZoneCore, ZoneManagement, ZoneInfrastructure:
		return true
	default:
		return false
	}
}

// Turned is the session as the other end sees it: asset and peer change places.
func (s *Session) Turned() Session {
	t := *s
	t.AssetAddr, t.PeerAddr = s.PeerAddr, s.AssetAddr
	t.AssetPort, t.PeerPort = s.PeerPort, s.AssetPort
	t.Asset, t.Peer = s.Peer, s.Asset
	t.AssetServes = !s.AssetServes
	t.AssetTried, t.PeerTried = s.PeerTried, s.AssetTried
	t.AssetSpoke, t.PeerSpoke = s.PeerSpoke, s.AssetSpoke
	t.FlagsIn, t.FlagsOut = s.FlagsOut, s.FlagsIn
	t.BytesIn, t.BytesOut = s.BytesOut, s.BytesIn
	t.PacketsIn, t.PacketsOut = s.PacketsOut, s.PacketsIn
	t.Initiator = OtherEnd(s.Initiator)
	t.Sightings = slices.Clone(s.Sightings)
	for i := range t.Sightings {
		t.Sightings[i].ToAsset = !t.Sightings[i].ToAsset
	}
	return t
}

// OtherEnd is "asset" for "peer", "peer" for "asset", and empty for empty.
func OtherEnd(end string) string {
	switch end {
	case "peer":
		return "asset"
	case "asset":
		return "peer"
	default:
		return end
	}
}
