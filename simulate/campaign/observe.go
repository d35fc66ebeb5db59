package campaign

import (
	"tapwatch/flow"
	"tapwatch/simulate/export"
)

// Reasons for the end of a flow (IPFIX element 136).
const (
	endIdle   = 1
	endActive = 2
	endOfFlow = 3
)

// hop is an exporter on the way of a packet.
type hop struct {
	exporter int
	in, out  uint32
	next     int // the exporter after it, or -1
}

// path appends the exporters between two hosts. Traffic between two sites passes
// both edges and the backbone; what stays inside a data centre passes the edge and
// the switch inside.
func (c *carrier) path(hops []hop, from, to *host) []hop {
	if from.edge == to.edge {
		if inner := c.exporters[from.edge].inner; inner >= 0 {
			hops = append(hops, hop{inner, from.port, uplink, from.edge})
		}
		return append(hops, hop{from.edge, from.port, to.port, -1})
	}
	middle := c.backbone[(from.edge+to.edge)%len(c.backbone)]
	hops = append(hops, hop{from.edge, from.port, uplink, middle})
	if middle != from.edge && middle != to.edge {
		hops = append(hops, hop{middle, uplink + uint32(from.edge), uplink + uint32(to.edge), to.edge})
	}
	return append(hops, hop{to.edge, uplink, to.port, -1})
}

// direction is one way of a conversation.
type direction struct {
	*conversation
	from, to         *host
	srcPort, dstPort uint16
	flags            uint8
	volume           volume
	start            int64
}

// observe shows a conversation to every exporter on its way.
func (r *run) observe(c *conversation) {
	r.hops = r.carrier.path(r.hops[:0], c.client, c.server)
	r.along(&direction{
		conversation: c, from: c.client, to: c.server, srcPort: c.clientPort, dstPort: c.serverPort,
		flags: c.clientFlags, volume: c.toServer, start: c.start,
	})
	r.hops = r.carrier.path(r.hops[:0], c.server, c.client)
	r.along(&direction{
		conversation: c, from: c.server, to: c.client, srcPort: c.serverPort, dstPort: c.clientPort,
		flags: c.serverFlags, volume: c.toClient, start: c.start + int64(1+r.d.IntN(40)),
	})
}

// along shows one direction to the exporters on its way. They meter packets as they
// come in, so not those that they send themselves.
func (r *run) along(dir *direction) {
	if dir.volume.packets == 0 {
		return
	}
	for i := range r.hops {
		h := &r.hops[i]
		e := r.carrier.exporters[h.exporter]
		switch {
		case dir.from.self == h.exporter:
		case e.protocol == flow.ExportSFlow5:
			r.samplePackets(dir, h)
		default:
			r.meter(dir, h, e)
		}
	}
}

// meter is a flow cache: it cuts the flow at the active timeout, and samples.
func (r *run) meter(dir *direction, h *hop, e *exporter) {
	parts := max(1, (dir.duration+e.active-1)/e.active)
	for i := range parts {
		from, to := i*e.active, min((i+1)*e.active, dir.duration)
		whole := dir.share(from, to, i == parts-1)
		seen := r.d.sampled(whole.packets, r.samplingAt(h.exporter, dir.start+to))
		if seen == 0 {
			continue
		}
		first, last := i == 0 && !dir.begun, i == parts-1 && !dir.goesOn
		rec := record{exporter: uint8(h.exporter), label: dir.label}
		r.fill(&rec.Record, dir, h)
		rec.StartAt, rec.EndAt = dir.start+from, dir.start+to
		rec.Packets, rec.Bytes = seen, whole.bytes*seen/whole.packets
		rec.TCPFlags = r.flagsSeen(dir, seen, whole.packets, first, last)
		r.expire(&rec, e, last)
		r.take(&rec)
	}
}

// share is the part of the volume between two times of the conversation.
func (dir *direction) share(from, to int64, last bool) volume {
	at := func(total uint64, t int64) uint64 {
		if dir.duration == 0 {
			return 0
		}
		return uint64(float64(total) * (float64(t) / float64(dir.duration)))
	}
	end := volume{at(dir.volume.packets, to), at(dir.volume.bytes, to)}
	if last {
		end = dir.volume
	}
	v := volume{end.packets - at(dir.volume.packets, from), end.bytes - at(dir.volume.bytes, from)}
	if v.packets > 0 {
		v.bytes = max(v.bytes, v.packets*leastPacket(dir.protocol))
	}
	return v
}

// flagsSeen is the TCP flags on the sampled packets of a part: with few of many
// packets seen, the one that opened or closed is hardly among them.
func (r *run) flagsSeen(dir *direction, seen, of uint64, first, last bool) uint8 {
	if dir.volume.packets <= 2 {
		return dir.flags
	}
	flags := dir.flags & (psh | ack)
	if flags == 0 { // nothing but attempts: each packet says the same
		return dir.flags
	}
	likely := float64(seen) / float64(of)
	if first && (likely >= 1 || r.d.Float64() < likely) {
		flags |= dir.flags & syn
	}
	if last && (likely >= 1 || r.d.Float64() < likely) {
		flags |= dir.flags & (fin | rst)
	}
	return flags
}

// expire sets when and why the record leaves the cache; scanning the cache takes
// the router up to half a second.
func (r *run) expire(rec *record, e *exporter, last bool) {
	scan := int64(r.d.IntN(500))
	switch {
	case !last:
		rec.EndReason, rec.ExportedAt = endActive, rec.EndAt+scan
	case rec.TCPFlags&(fin|rst) != 0:
		rec.EndReason, rec.ExportedAt = endOfFlow, rec.EndAt+scan
	default:
		rec.EndReason, rec.ExportedAt = endIdle, rec.EndAt+scan+e.idle
	}
}

// samplePackets takes one record for each packet that an sFlow agent samples.
func (r *run) samplePackets(dir *direction, h *hop) {
	for range r.d.sampled(dir.volume.packets, r.samplingAt(h.exporter, dir.start)) {
		rec := record{exporter: uint8(h.exporter), label: dir.label}
		r.fill(&rec.Record, dir, h)
		rec.StartAt = dir.start
		if dir.duration > 0 {
			rec.StartAt += r.d.Int64N(dir.duration)
		}
		rec.EndAt, rec.ExportedAt, rec.Packets = rec.StartAt, rec.StartAt, 1
		rec.Bytes = min(1500, max(dir.volume.bytes/dir.volume.packets, leastPacket(dir.protocol)))
		rec.TCPFlags = r.flagsSeen(dir, 1, dir.volume.packets, !dir.begun, !dir.goesOn)
		r.take(&rec)
	}
}

// firstVLAN numbers the VLANs outside the backbone, by interface.
const firstVLAN = 1000

// fill sets what all records of a direction at a hop have in common.
func (r *run) fill(rec *export.Record, dir *direction, h *hop) {
	*rec = export.Record{
		Src: dir.from.addr, Dst: dir.to.addr, SrcPort: dir.srcPort, DstPort: dir.dstPort,
		Protocol: dir.protocol, TOS: dir.tos, Direction: uint8(flow.DirectionIngress), InIf: h.in, OutIf: h.out,
		SrcAS: dir.from.as, DstAS: dir.to.as, SrcMask: dir.from.mask, DstMask: dir.to.mask,
	}
	if dir.to.self == h.exporter {
		rec.OutIf = 0
	}
	if h.next >= 0 {
		rec.NextHop = r.carrier.exporters[h.next].host.addr
	}
	if h.in >= firstPeering {
		rec.VLAN = firstVLAN + uint16(h.in)
	}
	if dir.protocol == icmp && dir.from == dir.client {
		rec.ICMPType = 8 // an echo request; its answer is 0
	}
}
