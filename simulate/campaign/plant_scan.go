package campaign

import "net/netip"

// target is an address in a protected zone: of an asset, or one that nobody has.
func (p *planting) target(z *zone, assets []*host, vacant float64) *host {
	if p.d.chance(vacant) {
		prefix := z.prefixes[0]
		h := &host{addr: p.free(prefix), zone: z, edge: z.edge, port: z.port, mask: uint8(prefix.Bits()), self: -1}
		delete(p.c.taken, h.addr)
		return h
	}
	return pick(p.d, assets)
}

// scanner draws who scans: a system that was taken over, or a rented server.
func (p *planting) scanner() *host {
	switch p.d.IntN(3) {
	case 0:
		return p.customer()
	case 1:
		return p.outsider()
	default:
		return p.system()
	}
}

// probe adds one probe: of systems that are there a part answers, sometimes with
// more than a reset.
func (p *planting) probe(from, to *host, port uint16, at int64) (failed bool) {
	switch {
	case to.name != "" && p.d.chance(0.25):
		p.talk(from, to, tcp, port, at, int64(p.d.between(50, 3000)), p.d.between(300, 900), p.d.between(300, 3000))
		return false
	default:
		p.attempt(from, to, port, at, to.name != "" && p.d.chance(0.6))
		return true
	}
}

// plantScanFast is a scan of a hundred addresses or more within minutes.
func plantScanFast(p *planting) {
	from := p.scanner()
	z := pick(p.d, append(append([]*zone(nil), p.c.core...), p.c.routers...))
	assets := z.hosts
	n := p.d.count(100, 400)
	port := pick(p.d, []uint16{22, 23, 443, 80, 830, 8443, 3389})
	lasts := p.d.logBetween(float64(20*second), float64(40*minute))
	at := p.begin()
	done := map[netip.Addr]bool{}
	for len(done) < n {
		to := p.target(z, assets, 0.8)
		if to == from || done[to.addr] && p.d.chance(0.9) {
			continue
		}
		done[to.addr] = true
		p.probe(from, to, port, at+int64(p.d.Float64()*lasts))
		if to.name != "" {
			p.about(to)
		}
	}
	p.about(from)
	p.with(from)
	p.port(port)
	p.note("addresses", float64(n))
	p.strength("%d addresses in %.0f min, port %d", n, lasts/float64(minute), port)
}

// plantScanSlow is ten addresses an hour, of which most fail.
func plantScanSlow(p *planting) {
	from := p.scanner()
	zones := append(append([]*zone(nil), p.c.core...), p.c.routers...)
	ports := some(p.d, []uint16{22, 23, 443, 80, 830, 8443, 161, 3389}, p.d.count(1, 3))
	hours := p.d.count(12, 22)
	at := p.begin()
	failed, n := 0, 0
	for h := range int64(hours) {
		for range p.d.count(8, 12) {
			z := pick(p.d, zones)
			to := p.target(z, z.hosts, 0.5)
			if to == from {
				continue
			}
			port := pick(p.d, ports)
			n++
			if p.probe(from, to, port, at+h*hour+p.d.Int64N(hour)) {
				failed++
			}
			p.port(port)
			if to.name != "" {
				p.about(to)
			}
		}
	}
	p.about(from)
	p.with(from)
	p.note("addresses", float64(n))
	p.note("failed", float64(failed)/float64(n))
	p.strength("%d probes in %d h, %.0f %% failed", n, hours, 100*float64(failed)/float64(n))
}

// plantSNMPWalk is somebody who is no NMS and reads several devices by SNMP.
func plantSNMPWalk(p *planting) {
	from := p.device()
	if p.d.chance(0.5) {
		from = p.system()
	}
	n := p.d.count(6, 16)
	lasts := p.d.between(1, 9) * float64(minute)
	at := p.begin()
	walked := 0
	for _, to := range some(p.d, p.c.role["router"], n+1) {
		if to == from || walked == n {
			continue
		}
		walked++
		packets := p.d.logBetween(20, 900)
		p.say(conversation{start: at + int64(p.d.Float64()*lasts), duration: int64(packets * 20), client: from, server: to,
			clientPort: p.d.ephemeral(), serverPort: 161, protocol: udp,
			toServer: volume{uint64(packets), uint64(packets * 88)}, toClient: volume{uint64(packets), uint64(packets * 260)}})
		p.about(to)
		p.with(to)
	}
	p.about(from)
	p.with(from)
	p.port(161)
	p.note("devices", float64(n))
	p.strength("%d devices in %.0f min", n, lasts/float64(minute))
}
