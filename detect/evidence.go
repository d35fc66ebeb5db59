package detect

import (
	"tapwatch/flow"
)

// reported is what one router exported of one way of a five-tuple at one of its sides.
// Times are Unix milliseconds, 0 none.
type reported struct {
	exporter  [16]byte
	direction int8
	toAsset   bool

	flows, bytes, packets                      uint64
	firstSeen, lastSeen, startedAt, flowEnd    int64
	sampling                                   uint32
	unsampled                                  bool
	flags                                      uint16
	inIf                                       uint32
	peerVotes, assetVotes                      uint64
	openedAt                                   int64
	big, data, answer, syn, flagless           bool
	sent, sentByOurs, heard, dataSure, dataOne bool
}

// part is what was reported of it in one pane.
type part struct {
	reported
	pane int64
}

const (
	synFlag = 2
	rstFlag = 4
	pshFlag = 8
	ackFlag = 16
)

// possible tells whether an exporter may name that time, in milliseconds: from 1971 up to
// 2200, so that it can be stored. Another one is taken as not said.
func possible(ms int64) bool { return ms > 365*24*3600*1000 && ms < 7_258_118_400_000 }

// add takes one record.
func (p *part) add(b *flow.Batch, row int) {
	sampling, flags, protocol := b.SamplingInterval[row], b.TCPFlags[row], b.Protocol[row]
	times := uint64(max(sampling, 1))
	p.flows++
	p.bytes += b.Bytes[row] * times
	p.packets += b.Packets[row] * times
	p.sampling = max(p.sampling, sampling)
	p.unsampled = p.unsampled || sampling == 0
	p.flags |= flags
	if b.InIf[row] != 0 {
		p.inIf = max(p.inIf, b.InIf[row])
	}
	received := b.ReceivedAt[row]
	start, end := b.StartAt[row], b.EndAt[row]
	told := possible(start)
	if !told {
		start = received
	}
	if !possible(end) {
		end = received
	}
	p.firstSeen, p.startedAt = least(p.firstSeen, received), least(p.startedAt, start)
	p.lastSeen, p.flowEnd = max(p.lastSeen, received), max(p.flowEnd, end)
	p.vote(b.Initiator[row])
	p.judge(b, row, protocol, flags)
	if protocol == flow.ProtocolTCP && flags&synFlag != 0 && told {
		p.openedAt = least(p.openedAt, start)
	}
}

// vote counts what the ports of a record tell of who opened.
func (p *part) vote(initiator int8) {
	switch {
	case initiator == flow.InitiatorUnknown:
	case (initiator == flow.InitiatorSrc) == p.toAsset:
		p.peerVotes++
	default:
		p.assetVotes++
	}
}

// judge says what a single record shows.
func (p *part) judge(b *flow.Batch, row int, protocol uint8, flags uint16) {
	header := uint64(60) // the longest bare TCP packet over IPv4
	if b.IPVersion[row] == 6 {
		header = 80
	}
	big := b.Bytes[row] > b.Packets[row]*header
	ours := fromProtected(b, row)
	p.big = p.big || big
	switch protocol {
	case flow.ProtocolTCP:
		syn, rst, psh, ack := flags&synFlag != 0, flags&rstFlag != 0, flags&pshFlag != 0, flags&ackFlag != 0
		data := ack && (psh || big && !rst && !syn)
		p.data = p.data || data
		p.answer = p.answer || ack && (syn || psh || big || !rst)
		p.syn = p.syn || syn && !ack
		p.flagless = p.flagless || flags == 0
		// Data of one direction alone is proof when the sender is ours, when packets
		// are sampled, or when this router does not export the way back.
		p.dataSure = p.dataSure || data && (ours || b.SamplingInterval[row] > 1)
		p.dataOne = p.dataOne || data
	case 132: // SCTP: judged by packets alone
	default:
		failed, reply := icmpError(protocol, b.ICMPType[row]), icmpReply(protocol, b.ICMPType[row])
		sent := !failed && !reply
		p.sent = p.sent || sent
		p.sentByOurs = p.sentByOurs || sent && ours
		p.heard = p.heard || !failed
	}
}

// fromProtected tells whether a protected system sent the record's packets.
func fromProtected(b *flow.Batch, row int) bool {
	if b.AssetEnd[row] == flow.AssetSrc {
		return true
	}
	e := End{Kind: b.SrcZoneKind[row]}
	return e.Protected()
}

func icmpError(protocol, icmpType uint8) bool {
	switch protocol {
	case 1: // ICMP
		return icmpType >= 3 && icmpType <= 5 || icmpType == 11 || icmpType == 12
	case 58: // ICMPv6
		return icmpType >= 1 && icmpType <= 4
	default:
		return false
	}
}

func icmpReply(protocol, icmpType uint8) bool {
	switch protocol {
	case 1:
		return icmpType == 0 || icmpType == 10 || icmpType == 14 || icmpType == 16 || icmpType == 18
	case 58:
		return icmpType == 129 || icmpType == 136
	default:
		return false
	}
}

// least is the lesser of two times, of which 0 is none.
func least(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// join adds evidence of another pane of the same router, side and way; amounts of the
// pane itself are added where inside.
func (r *reported) join(p *part, inside bool) {
	if inside {
		r.flows += p.flows
		r.bytes += p.bytes
		r.firstSeen, r.lastSeen = least(r.firstSeen, p.firstSeen), max(r.lastSeen, p.lastSeen)
		r.sampling, r.unsampled = max(r.sampling, p.sampling), r.unsampled || p.unsampled
		r.flags |= p.flags
		r.inIf = max(r.inIf, p.inIf)
	}
	r.openedAt = least(r.openedAt, p.openedAt)
	r.peerVotes += p.peerVotes
	r.assetVotes += p.assetVotes
	r.big, r.data, r.answer = r.big || p.big, r.data || p.data, r.answer || p.answer
	r.syn, r.flagless = r.syn || p.syn, r.flagless || p.flagless
	r.sent, r.sentByOurs, r.heard = r.sent || p.sent, r.sentByOurs || p.sentByOurs, r.heard || p.heard
	r.dataSure, r.dataOne = r.dataSure || p.dataSure, r.dataOne || p.dataOne
}
