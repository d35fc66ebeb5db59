package campaign

import (
	"tapwatch/flow"
)

// transit is other people's traffic through an exporter, a flow a minute: what keeps
// its interfaces busy and its exports coming. It is nobody's to protect.
type transit struct {
	e *exporter
	d *dice
	// from and to are ends of the flow of the moment, which changes now and then.
	from, to         *host
	fromPort, toPort uint16
	inside           *zone
	sources          []*host
	inIf, outIf      uint32
	level            *level
	flowUntil        int64
}

func (t *transit) fire(r *run, at int64) int64 {
	// A router with a long active timeout would not cut a flow after a minute.
	lasting := t.e.active == minute
	if at >= t.flowUntil || !lasting {
		t.flowUntil = at + int64(t.d.logBetween(float64(2*minute), float64(40*minute)))
		t.from = pick(t.d, t.sources)
		t.to = &host{addr: t.d.host(t.inside.prefixes[0]), mask: uint8(t.inside.prefixes[0].Bits())}
		t.fromPort, t.toPort = 443, t.d.ephemeral()
	}
	bytes := t.level.between(at, at+minute) * r.carrier.shapes.people.at(at)
	v := traffic(tcp, bytes, 1350)
	dir := &direction{
		conversation: &conversation{protocol: tcp, duration: minute - 1, begun: lasting, goesOn: lasting},
		from:         t.from, to: t.to, srcPort: t.fromPort, dstPort: t.toPort, flags: syn | psh | ack | fin, volume: v, start: at,
	}
	h := &hop{t.e.index, t.inIf, t.outIf, -1}
	if t.e.protocol == flow.ExportSFlow5 {
		dir.volume.packets = uint64(t.d.poisson(1.5)+1) * uint64(r.samplingAt(t.e.index, at))
		dir.volume.bytes = dir.volume.packets * 1350
		r.samplePackets(dir, h)
	} else {
		short := *t.e
		short.active = minute
		r.meter(dir, h, &short)
	}
	return at + minute
}

// addTransit starts the transit of each exporter that has some.
func (c *Campaign) addTransit(r *run) {
	for _, e := range c.carrier.exporters {
		t := c.carrier.newTransit(c.cfg.Seed, e)
		if t != nil {
			r.queue.add(c.cfg.start()+t.d.Int64N(minute), t)
		}
	}
}

// newTransit draws the transit of an exporter; nil where it carries none.
func (c *carrier) newTransit(seed uint64, e *exporter) *transit {
	if e.transit == 0 {
		return nil
	}
	t := &transit{e: e, d: newDice(seed, "transit "+e.host.name), level: e.level(seed)}
	t.sources = c.popular
	t.inIf, t.outIf = e.busy()
	zones := c.subscribers
	if e.what == whatInner {
		zones = c.hosting
	}
	t.inside = zones[0]
	for _, z := range zones {
		if z.edge == e.index || e.what == whatInner && c.edgeOf(e) == z.edge {
			t.inside = z
		}
	}
	return t
}

// level is how much transit an exporter carries.
func (e *exporter) level(seed uint64) *level { return newLevel(seed, e.host.name, e.transit) }

// busy are the interfaces through which the transit goes.
func (e *exporter) busy() (in, out uint32) {
	switch e.what {
	case whatBorder:
		return firstPeering + peerings, uplink
	case whatBackbone:
		return uplink + 20, uplink + 21
	case whatAccess:
		return uplink, customerPort
	default:
		return uplink, hostingPort
	}
}
