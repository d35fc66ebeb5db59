package sflow

import "tapwatch/flow"

// The extended records: what the switch or router adds about the packet.

func fillSwitch(b *flow.Batch, row int, w *words) {
	src := w.uint32()
	w.uint32() // the priority
	dst := w.uint32()
	w.uint32()
	if w.bad {
		return
	}
	setVLAN(&b.SrcVLAN[row], src)
	setVLAN(&b.DstVLAN[row], dst)
}

// setVLAN sets a VLAN that the switch knows: not 0, which is none or unknown, and
// not what does not fit into a tag. The tag that the header shows stays then.
func setVLAN(to *uint16, v uint32) {
	const reserved = 4095 // IEEE 802.1Q table 9-2
	if 0 < v && v < reserved {
		*to = uint16(v)
	}
}

func fillRouter(b *flow.Batch, row int, w *words) {
	nextHop, src, dst := w.address(), w.uint32(), w.uint32()
	if w.bad {
		return
	}
	b.NextHop[row] = nextHop
	b.SrcMask[row], b.DstMask[row] = uint8(src), uint8(dst)
}

// fillGateway takes the route: the origin of the source, and that of the
// destination. Communities and preference, which follow, have no column.
func fillGateway(b *flow.Batch, row int, w *words) {
	nextHop := w.address()
	w.uint32() // the router's own AS
	src := w.uint32()
	w.uint32() // the neighbour's AS towards the source
	dst := origin(w)
	if w.bad {
		return
	}
	b.SrcAS[row], b.DstAS[row] = src, dst
	setNextHop(b, row, nextHop)
}

// origin reads an AS path and gives who originates the route: the last AS of the
// last sequence, for of a set behind it nobody knows which (RFC 6811 §2); of sets
// alone, the last. 0 is a route of the router's own AS.
func origin(w *words) uint32 {
	const sequence = 2
	var last, ofSequence uint32
	for n := w.uint32(); n > 0 && !w.bad; n-- {
		kind, segment := w.uint32(), w.list()
		if segment.len() == 0 {
			continue
		}
		for segment.len() > 0 {
			last = segment.uint32()
		}
		if kind == sequence {
			ofSequence = last
		}
	}
	if ofSequence != 0 {
		return ofSequence
	}
	return last
}

// fillMPLS takes the stack with which the packet came, where the header does not
// show it. Entries are as in the packet (RFC 3032 §2.1): the label is in the upper
// 20 bits.
func fillMPLS(b *flow.Batch, row int, w *words) {
	nextHop, stack := w.address(), w.list()
	if w.bad {
		return
	}
	setNextHop(b, row, nextHop)
	if b.MPLSLabel1[row] != 0 || b.MPLSLabel2[row] != 0 {
		return
	}
	for _, label := range [...][]uint32{b.MPLSLabel1, b.MPLSLabel2, b.MPLSLabel3} {
		if stack.len() > 0 {
			label[row] = stack.uint32() >> 12
		}
	}
}

// setNextHop sets the next hop where no record before knew it.
func setNextHop(b *flow.Batch, row int, nextHop [16]byte) {
	if b.NextHop[row] == ([16]byte{}) {
		b.NextHop[row] = nextHop
	}
}
