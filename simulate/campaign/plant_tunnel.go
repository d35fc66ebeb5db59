package campaign

import "tapwatch/flow"

// tunnel adds a tunnel between a router and somebody: parts of a long flow, with a
// volume that follows nobody's.
func (p *planting) tunnel(device, end *host, protocol uint8, port uint16) {
	lasts := int64(p.d.logBetween(float64(20*minute), float64(20*hour)))
	rate := p.d.logBetween(2e3, 800e3) // bytes a minute
	share := p.d.between(0.15, 1)
	at := p.begin()
	own := port
	if protocol == udp && p.d.chance(0.5) {
		own = p.d.ephemeral()
	}
	// An intruder's tunnel is busy for a while and then rests.
	for until := at + lasts; at < until; {
		busy := int64(p.d.logBetween(float64(2*minute), float64(90*minute)))
		bytes := rate * float64(busy) / float64(minute)
		p.say(conversation{start: at, duration: busy, client: device, server: end, clientPort: own, serverPort: port, protocol: protocol,
			toServer: traffic(protocol, bytes, 700), toClient: traffic(protocol, bytes*share, 500)})
		at += busy + int64(p.d.logBetween(float64(minute), float64(hour)))
	}
	p.about(device)
	p.with(end)
	p.port(port)
	p.note("bytes_per_minute", rate)
	p.strength("%.0f kB a minute for %.1f h", rate/1e3, float64(lasts)/float64(hour))
}

func plantTunnelGRE(p *planting) {
	p.tunnel(p.device(), p.either(), pick(p.d, []uint8{gre, gre, ipip}), 0)
}

func plantTunnelIPsec(p *planting) {
	if p.d.chance(0.5) {
		p.tunnel(p.device(), p.either(), esp, 0)
		return
	}
	p.tunnel(p.device(), p.either(), udp, pick(p.d, []uint16{500, 4500}))
}

func plantTunnelUDP(p *planting) {
	p.tunnel(p.device(), p.either(), udp, pick(p.d, []uint16{4789, 1701, 6081}))
}

// plantMirror is a copy of a router's interface sent away: one way, a share of the
// bytes of each minute. The router is the switch inside a data centre, of which the
// edge sees every packet.
func plantMirror(p *planting) {
	var e *exporter
	for range 20 {
		e = p.c.exporters[p.c.exporters[pick(p.d, p.c.datasites)].inner]
		if !p.busy[e.host] {
			break
		}
	}
	p.busy[e.host] = true
	to := p.either()
	for to.edge == e.host.edge { // what stays inside would pass the switch itself only
		to = p.either()
	}
	share := p.d.logBetween(0.01, 0.1)
	minutes := p.d.count(125, 420)
	protocol, port := uint8(gre), uint16(0)
	if p.d.chance(0.5) {
		protocol, port = udp, uint16(p.d.count(2000, 60000))
	}
	at := p.begin() / minute * minute
	at += p.d.Int64N(minute)
	own := p.d.ephemeral()
	if port == 0 {
		own = 0
	}
	level := e.level(p.cfg.Seed)
	for i := range minutes {
		from := max(at, p.from) + int64(i)*minute
		bytes := share * level.between(from, from+minute) * p.c.shapes.people.at(from) * p.d.between(0.97, 1.03)
		p.say(conversation{start: from, duration: minute - 1, client: e.host, server: to, clientPort: own, serverPort: port, protocol: protocol,
			toServer: traffic(protocol, bytes, 1400), begun: i > 0, goesOn: i < minutes-1})
	}
	_, out := e.busy()
	p.about(e.host)
	p.with(to)
	p.port(port)
	p.note("share", share)
	p.note("minutes", float64(minutes))
	p.note("interface", float64(out))
	p.strength("%.1f %% of interface %d for %d minutes, %s", 100*share, out, minutes, flow.ProtocolName(protocol))
}
