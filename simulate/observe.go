package simulate

import (
	"net/netip"
	"time"

	"tapwatch/flow"
	"tapwatch/simulate/export"
)

// Reasons for the end of a flow (IPFIX element 136).
const (
	endIdle   = 1
	endActive = 2
	endOfFlow = 3
)

// firstVLAN numbers the VLANs outside the backbone, by interface.
const firstVLAN = 1000

// observer turns conversations into the records of every router on their way.
type observer struct {
	network *Network
	hops    []hop
	take    func(Record)
}

// direction is one way of a conversation, at one router.
type direction struct {
	*conversation
	src, dst           netip.Addr
	srcPort, dstPort   uint16
	flags              uint8
	icmpType           uint8
	volume             volume
	start              int64
	srcRoute, dstRoute attachment
	fromClient         bool
}

// observe yields the records of c, in no order.
func (o *observer) observe(c *conversation, d *dice) {
	client, okClient := o.network.routes.Lookup(c.client)
	server, okServer := o.network.routes.Lookup(c.server)
	if !okClient || !okServer {
		return // no router has a route
	}
	delay := int64(2 + d.IntN(40))
	o.along(&direction{
		conversation: c, src: c.client, dst: c.server, srcPort: c.clientPort, dstPort: c.serverPort,
		flags: c.clientFlags, icmpType: c.icmpType, volume: c.toServer, start: c.start,
		srcRoute: client, dstRoute: server, fromClient: true,
	}, d)
	o.along(&direction{
		conversation: c, src: c.server, dst: c.client, srcPort: c.serverPort, dstPort: c.clientPort,
		flags: c.serverFlags, volume: c.toClient, start: c.start + delay,
		srcRoute: server, dstRoute: client,
	}, d)
}

// along shows one direction to each router on its way. Routers meter packets as
// they come in, so not those they send themselves; NetFlow v5 knows no IPv6.
func (o *observer) along(dir *direction, d *dice) {
	if dir.volume.packets == 0 {
		return
	}
	o.hops = o.network.path(o.hops[:0], dir.srcRoute, dir.dstRoute)
	for i := range o.hops {
		h := &o.hops[i]
		r := &o.network.routers[h.router]
		switch {
		case h.originatesOwn, r.Protocol == flow.ExportNetFlow5 && dir.src.Is6():
		case r.Protocol == flow.ExportSFlow5:
			o.samplePackets(dir, h, r, d)
		default:
			o.meter(dir, h, r, d)
		}
	}
}

// meter is a flow cache: it cuts the flow at the active timeout and samples.
func (o *observer) meter(dir *direction, h *hop, r *Router, d *dice) {
	active := o.network.cfg.ActiveTimeout.Milliseconds()
	parts := max(1, (dir.duration+active-1)/active)
	for i := range parts {
		from, to := min(i*active, dir.duration), min((i+1)*active, dir.duration)
		whole := dir.share(from, to, i == parts-1)
		seen := d.sampled(whole.packets, r.Sampling)
		if seen == 0 {
			continue
		}
		rec := o.record(dir, h)
		rec.StartAt, rec.EndAt = dir.start+from, dir.start+to
		rec.Packets, rec.Bytes = seen, whole.bytes*seen/whole.packets
		rec.TCPFlags = dir.flagsSeen(seen, whole.packets, i == 0, i == parts-1, d)
		o.expire(&rec, i == parts-1 && !dir.continues, d)
		o.take(rec)
	}
}

// expire sets when and why the record leaves the cache; scanning the cache takes
// the router up to half a second.
func (o *observer) expire(rec *Record, last bool, d *dice) {
	scan := int64(d.IntN(500))
	switch {
	case !last:
		rec.EndReason, rec.ExportedAt = endActive, rec.EndAt+scan
	case rec.TCPFlags&(fin|rst) != 0:
		rec.EndReason, rec.ExportedAt = endOfFlow, rec.EndAt+scan
	default:
		rec.EndReason, rec.ExportedAt = endIdle, rec.EndAt+scan+o.network.cfg.IdleTimeout.Milliseconds()
	}
}

// share is the part of the volume between two times of the conversation.
func (dir *direction) share(from, to int64, last bool) volume {
	at := func(total uint64, t int64) uint64 {
		if dir.duration == 0 {
			return 0
		}
		return total * uint64(t) / uint64(dir.duration)
	}
	end := volume{at(dir.volume.packets, to), at(dir.volume.bytes, to)}
	if last {
		end = dir.volume
	}
	return volume{end.packets - at(dir.volume.packets, from), end.bytes - at(dir.volume.bytes, from)}
}

// flagsSeen is the TCP flags on the sampled packets of a part: with few of many
// packets seen, the one that opened or closed is hardly among them.
func (dir *direction) flagsSeen(seen, of uint64, first, last bool, d *dice) uint8 {
	if dir.volume.packets <= 2 {
		return dir.flags
	}
	flags := dir.flags & (psh | ack)
	likely := float64(seen) / float64(of)
	if first && d.Float64() < likely {
		flags |= dir.flags & syn
	}
	if last && d.Float64() < likely {
		flags |= dir.flags & (fin | rst)
	}
	return flags
}

// samplePackets yields one record for each packet that an sFlow agent samples.
func (o *observer) samplePackets(dir *direction, h *hop, r *Router, d *dice) {
	for range d.sampled(dir.volume.packets, r.Sampling) {
		rec := o.record(dir, h)
		rec.StartAt = dir.start
		if dir.duration > 0 {
			rec.StartAt += d.Int64N(dir.duration)
		}
		rec.EndAt, rec.ExportedAt = rec.StartAt, rec.StartAt
		rec.Packets = 1
		rec.Bytes = max(dir.volume.bytes/dir.volume.packets, dir.leastPacket())
		rec.TCPFlags = dir.flagsSeen(1, dir.volume.packets, true, true, d)
		o.take(rec)
	}
}

// record fills in what all routers and parts have in common.
func (o *observer) record(dir *direction, h *hop) Record {
	next := h.next4
	if dir.src.Is6() {
		next = h.next6
	}
	rec := Record{
		Record: export.Record{
			Src: dir.src, Dst: dir.dst, NextHop: next, SrcPort: dir.srcPort, DstPort: dir.dstPort,
			Protocol: dir.protocol, TOS: dir.tos, Direction: uint8(flow.DirectionIngress),
			InIf: h.in, OutIf: h.out, SrcAS: dir.srcRoute.as, DstAS: dir.dstRoute.as,
			SrcMask: dir.srcRoute.mask, DstMask: dir.dstRoute.mask,
		},
		Router: h.router, Intrusion: dir.intrusion, FromClient: dir.fromClient,
	}
	if h.in >= firstPeering {
		rec.VLAN = firstVLAN + uint16(h.in)
	}
	if dir.protocol == protocolICMP {
		rec.ICMPType, rec.SrcPort, rec.DstPort = dir.icmpType, 0, 0
	}
	return rec
}

// exportDelay is the longest time between the start of a conversation and the
// export of its last record.
func (c *Config) exportDelay() time.Duration {
	const roundTripAndScan = time.Second
	return maxConversation + c.IdleTimeout + roundTripAndScan
}
