package scan

import (
	"net/netip"
	"slices"

	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// contact is a session seen from the end that opened it: the source; the other end is
// the target.
type contact struct {
	*detect.Session
	source, target       netip.Addr
	sourceEnd, targetEnd *detect.End
	// sourceFlags are the TCP flags that the source sent in the pane.
	sourceFlags         uint16
	tried, spoke, heard bool
	// sent and came are the packets of the source and of the target.
	sent, came uint64
	// targetProtected says that the target is a protected end.
	targetProtected bool
}

// contactOf reads the session from its initiator; ok is false where the flows do not
// tell who that is.
func contactOf(s *detect.Session) (c contact, ok bool) {
	switch s.Initiator {
	case "peer":
		return contact{
			Session: s, source: s.PeerAddr, target: s.AssetAddr, sourceEnd: &s.Peer, targetEnd: &s.Asset, sourceFlags: s.FlagsIn,
			tried: s.PeerTried, spoke: s.PeerSpoke, heard: s.AssetSpoke, sent: s.PacketsIn, came: s.PacketsOut, targetProtected: true,
		}, true
	case "asset":
		return contact{
			Session: s, source: s.AssetAddr, target: s.PeerAddr, sourceEnd: &s.Asset, targetEnd: &s.Peer, sourceFlags: s.FlagsOut,
			tried: s.AssetTried, spoke: s.AssetSpoke, heard: s.PeerSpoke, sent: s.PacketsOut, came: s.PacketsIn, targetProtected: s.Peer.Protected(),
		}, true
	default:
		return contact{}, false
	}
}

// asked is the contact in the inventory's terms.
func (c *contact) asked() inventory.Conversation {
	return inventory.Conversation{Client: c.source, Server: c.target, Protocol: c.Protocol, Port: c.Port, At: c.FirstSeen, InitiatorKnown: true}
}

// inside tells whether the source is in a zone of the inventory.
func (c *contact) inside() bool { return c.sourceEnd.Zone != "" }

// carrierGrade is what carriers use between themselves and their customers (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// unreachable tells whether the internet cannot reach an address: RFC 1918, 4193, 6598.
// Who does, though outside all zones, is nearer than it seems.
func unreachable(a netip.Addr) bool { return a.IsPrivate() || carrierGrade.Contains(a) }

// near tells whether a contact is of interest by itself: the source is inside, or
// reached what the internet cannot.
func (c *contact) near() bool { return c.inside() || unreachable(c.target) }

// outcome is how a contact went.
type outcome uint8

const (
	// unknown says nothing: a part of a session, or what sampling or a one-way export
	// hides.
	unknown outcome = iota
	failure
	success
)

// TCP flags (RFC 9293 §3.1).
const (
	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagACK = 16
)

// judge tells how the contacts of a time went.
type judge struct {
	oneWay []uint16
	inv    *inventory.Inventory
	// senders are addresses that a router which meters every packet heard send: where it
	// shows no answer, there was none. Made when first asked for.
	senders  map[sender]bool
	sessions []detect.Session
}

type sender struct{ exporter, addr netip.Addr }

// outcome is how the contact went, as far as one pane tells.
func (j *judge) outcome(c *contact) outcome {
	if c.Protocol == flow.ProtocolTCP {
		return tcpOutcome(c)
	}
	switch {
	case c.Answered:
		return success
	case c.LeastSampling > 1 && !j.dark(c):
		return unknown // the answer may not have been sampled
	case c.Protocol == flow.ProtocolUDP && slices.Contains(j.oneWay, c.Port) || c.sent == 0:
		return unknown
	case j.dark(c) || j.shown(c):
		return failure
	default:
		return unknown
	}
}

// tcpOutcome tells refused, unanswered, and opened and closed without a word from what
// carried data. Of a sampled session a lone SYN is a failure too: who means well sends
// one packet in many that is a SYN, so that among sampled packets it is rare.
func tcpOutcome(c *contact) outcome {
	switch {
	case c.Established:
		return success
	case c.spoke || c.heard:
		return unknown
	case c.tried && c.sourceFlags&flagACK == 0:
		return failure
	case c.LeastSampling <= 1 && c.sourceFlags&flagSYN != 0 && c.sourceFlags&(flagFIN|flagRST) != 0:
		return failure
	default:
		return unknown // it has begun, or goes on
	}
}

// dark tells whether the target is an address of a protected zone at which nothing
// stands.
func (j *judge) dark(c *contact) bool {
	return c.targetProtected && c.targetEnd.Name == "" && c.targetEnd.Zone != "" &&
		j.inv.Lookup(c.target).Asset == "" && standsAlone(j.inv, c.targetEnd.Zone, c.target)
}

// shown tells whether a router that saw the contact also shows what the target sends.
func (j *judge) shown(c *contact) bool {
	if j.senders == nil {
		j.senders = map[sender]bool{}
		for i := range j.sessions {
			s := &j.sessions[i]
			for k := range s.Sightings {
				x := &s.Sightings[k]
				from := s.AssetAddr
				if x.ToAsset {
					from = s.PeerAddr
				}
				if x.Sampling == 1 {
					j.senders[sender{x.Exporter, from}] = true
				}
			}
		}
	}
	for k := range c.Sightings {
		if j.senders[sender{c.Sightings[k].Exporter, c.target}] {
			return true
		}
	}
	return false
}

// standsAlone tells whether the address can be one host's: no multicast, and not the
// first or last of a prefix of the zone, which are the network and its broadcast.
func standsAlone(inv *inventory.Inventory, zone string, addr netip.Addr) bool {
	if !addr.IsValid() || addr.IsMulticast() || addr.IsUnspecified() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return false
	}
	if !addr.Is4() {
		return true
	}
	for i := range inv.Zones {
		if inv.Zones[i].Name != zone {
			continue
		}
		for _, p := range inv.Zones[i].Prefixes {
			if p.Contains(addr) && p.Bits() < 31 && (addr == p.Masked().Addr() || !p.Contains(addr.Next())) {
				return false
			}
		}
	}
	return true
}
