// Package orient says which end of a flow opened the conversation, as far as one
// record tells.
//
// The method, the first that decides:
//
//  1. TCP with SYN but no ACK among all flags seen: the source asked.
//  2. ICMP: an echo, timestamp or information request comes from the initiator, a
//     reply goes to it.
//  3. Ports: the end with the better service port is the server, and the other one
//     opened the conversation. Best is a port of the inventory's allow rules, then
//     one of the table of known services, then one below 1024.
//
// Its limits: the third step believes in port numbers. Who may choose a source
// port can look like a server (source port 443 to a service on 57722), and of the
// ephemeral ports one in a hundred looks odd by chance. Where both ends are as
// good, equal ports included, the initiator stays unknown. Type 0 of ICMP, an echo
// reply, stays unknown because exporters that report no type give 0 too. One
// record does not show who was first; detectors that need more certainty look at
// both directions of a conversation.
package orient

import (
	"sync/atomic"

	"tapwatch/flow"
	"tapwatch/inventory"
)

// Enricher fills the column Initiator.
type Enricher struct {
	inventory func() *inventory.Inventory // nil: the table alone
	ranks     atomic.Pointer[rankTable]
}

// New returns an Enricher that knows the table of services alone.
func New() *Enricher {
	e := new(Enricher)
	e.ranks.Store(newRankTable(nil))
	return e
}

// ForInventory returns an Enricher that also takes the ports of the allow rules of
// the inventory in force for services. It asks inv once a batch.
func ForInventory(inv func() *inventory.Inventory) *Enricher {
	e := New()
	e.inventory = inv
	return e
}

// Name gives "orient".
func (e *Enricher) Name() string { return "orient" }

// Enrich sets the initiator of every record of b.
func (e *Enricher) Enrich(b *flow.Batch) {
	t := e.table()
	for i := range b.Len() {
		b.Initiator[i] = t.initiator(b, i)
	}
}

// table gives the ranks for the inventory in force and makes them when that is a
// new one.
func (e *Enricher) table() *rankTable {
	t := e.ranks.Load()
	if e.inventory == nil {
		return t
	}
	if v := e.inventory(); t.of != v {
		t = newRankTable(v)
		e.ranks.Store(t)
	}
	return t
}

// TCP flags (RFC 9293 §3.1).
const (
	flagSYN = 0x02
	flagACK = 0x10
)

func (t *rankTable) initiator(b *flow.Batch, i int) int8 {
	switch protocol := b.Protocol[i]; protocol {
	case flow.ProtocolTCP:
		if b.TCPFlags[i]&(flagSYN|flagACK) == flagSYN {
			return flow.InitiatorSrc
		}
		return t.byPort(protocol, b.SrcPort[i], b.DstPort[i])
	case flow.ProtocolUDP, flow.ProtocolSCTP, flow.ProtocolDCCP:
		return t.byPort(protocol, b.SrcPort[i], b.DstPort[i])
	case flow.ProtocolICMP:
		return byICMP(b.ICMPType[i])
	case flow.ProtocolICMPv6:
		return byICMPv6(b.ICMPType[i])
	}
	return flow.InitiatorUnknown
}

// byICMP orients requests and replies (RFC 792; RFC 950 for the address mask).
func byICMP(icmpType uint8) int8 {
	switch icmpType {
	case 8, 13, 15, 17: // echo, timestamp, information, address mask
		return flow.InitiatorSrc
	case 14, 16, 18: // their replies; 0, echo reply, may also be "not reported"
		return flow.InitiatorDst
	}
	return flow.InitiatorUnknown
}

// byICMPv6 orients echo request and reply (RFC 4443 §4).
func byICMPv6(icmpType uint8) int8 {
	switch icmpType {
	case 128:
		return flow.InitiatorSrc
	case 129:
		return flow.InitiatorDst
	}
	return flow.InitiatorUnknown
}

func (t *rankTable) byPort(protocol uint8, src, dst uint16) int8 {
	if src == dst {
		return flow.InitiatorUnknown
	}
	s, d := t.rank(protocol, src), t.rank(protocol, dst)
	switch {
	case d > s:
		return flow.InitiatorSrc
	case s > d:
		return flow.InitiatorDst
	}
	return flow.InitiatorUnknown
}
