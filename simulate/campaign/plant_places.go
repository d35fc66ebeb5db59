package campaign

import "slices"

// plantIntelContact is a system of the core that talks with an address of an
// intelligence list, whoever opens it.
func plantIntelContact(p *planting) {
	asset := p.system()
	i := pick(p.d, p.c.indicators)
	net := &i
	for k := range p.c.internet.networks {
		if n := &p.c.internet.networks[k]; n.prefix.Contains(i.prefix.Addr()) {
			net = n
		}
	}
	bad := p.c.outside(p.d.host(i.prefix), net)
	port := pick(p.d, []uint16{443, 443, 8443, 80, 22})
	sessions := p.d.count(1, 8)
	at := p.begin()
	client, server := asset, bad
	if p.d.chance(0.25) {
		client, server = bad, asset
	}
	for range sessions {
		lasts := int64(p.d.logBetween(float64(second), float64(10*minute)))
		p.talk(client, server, tcp, port, at, lasts, p.d.logBetween(1e3, 400e3), p.d.logBetween(2e3, 900e3))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(90*minute)))
	}
	p.about(asset)
	p.with(bad)
	p.port(port)
	p.strength("%d sessions", sessions)
}

// plantFence is a system of the core that talks with a country in which it has
// nothing to do.
func plantFence(p *planting) {
	asset := p.system()
	far, _ := p.c.external(p.d, func(n *network) bool { return slices.Contains(p.c.denied, n.country) })
	port := pick(p.d, []uint16{443, 443, 22, 8080})
	sessions := p.d.count(1, 6)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(second), float64(10*minute)))
		p.talk(asset, far, tcp, port, at, lasts, p.d.logBetween(1e3, 400e3), p.d.logBetween(2e3, 900e3))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(90*minute)))
	}
	p.about(asset)
	p.with(far)
	p.port(port)
	p.strength("%d sessions with %s", sessions, far.country)
}

// plantSpoofedInfra is packets with the address of a router that come in from a
// peering: enough of them that the border, which samples, sees some.
func plantSpoofedInfra(p *planting) {
	border := pick(p.d, p.c.borders)
	sampling := p.c.exporters[border].sampling
	of, target := p.device(), p.one(p.c.coreAssets())
	if p.d.chance(0.5) {
		target = p.device()
	}
	for target == of {
		target = p.device()
	}
	forged := *of
	forged.edge, forged.port, forged.self = border, firstPeering+p.d.Uint32N(peerings), -1
	minutes := p.d.count(3, 40)
	packets := uint64(float64(sampling) * float64(minutes) * p.d.logBetween(8, 40))
	at := p.begin()
	protocol, port := uint8(udp), pick(p.d, []uint16{161, 514, 179, 123})
	c := conversation{start: at, duration: int64(minutes) * minute, client: &forged, server: target, clientPort: p.d.ephemeral(), serverPort: port, protocol: protocol,
		toServer: volume{packets, packets * uint64(p.d.count(80, 400))}}
	p.say(c)
	p.about(of, target, p.c.exporters[border].host)
	p.with(of, target)
	p.port(port)
	p.sampledOnly()
	p.note("packets", float64(packets))
	p.strength("%d packets in %d minutes, border samples 1:%d", packets, minutes, sampling)
}

// plantFirstSeen is a host of another zone, whom a wide rule allows, that logs in to
// a system of the core for the first time.
func plantFirstSeen(p *planting) {
	asset := p.system()
	who := p.one(p.c.roles("aaa", "syslog", "ntp", "collector"))
	if p.d.chance(0.5) {
		z := p.c.management[0]
		who = &host{addr: p.free(z.prefixes[0]), zone: z, edge: z.edge, port: z.port, mask: 24, self: -1}
	}
	port := pick(p.d, []uint16{22, 443})
	sessions := p.d.count(2, 10)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(minute), float64(30*minute)))
		p.talk(who, asset, tcp, port, at, lasts, p.d.logBetween(5e3, 60e3), p.d.logBetween(9e3, 900e3))
		at += lasts + int64(p.d.logBetween(float64(5*minute), float64(10*hour)))
	}
	p.about(asset)
	p.with(who)
	p.port(port)
	p.strength("%d sessions to port %d", sessions, port)
}

// plantNewASN is a system of the core that talks with a network that nobody there
// knows.
func plantNewASN(p *planting) {
	asset := p.system()
	far, _ := p.c.external(p.d, func(n *network) bool {
		return elsewhere()(n) && !p.c.internet.usedASN[n.asn]
	})
	port := pick(p.d, []uint16{443, 443, 8443, 22})
	sessions := p.d.count(2, 12)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(second), float64(10*minute)))
		p.talk(asset, far, tcp, port, at, lasts, p.d.logBetween(3e3, 900e3), p.d.logBetween(3e3, 900e3))
		at += lasts + int64(p.d.logBetween(float64(5*minute), float64(9*hour)))
	}
	p.about(asset)
	p.with(far)
	p.port(port)
	p.note("asn", float64(far.as))
	p.strength("%d sessions with AS%d", sessions, far.as)
}

// plantOffHours is a jump host whose crew works by day, used at night, for what it
// always does.
func plantOffHours(p *planting) {
	jump := p.one(p.c.dayJumps)
	var known []*host
	for i := range p.b.habits {
		if h := &p.b.habits[i]; h.client == jump && h.name == "device-shell" {
			known = append(known, h.server)
		}
	}
	sessions := p.d.count(2, 8)
	at := p.begin()
	at = at/day*day + int64(p.d.between(22, 27)*float64(hour))
	if at > p.to-4*hour {
		at -= day
	}
	for range sessions {
		to := pick(p.d, known)
		lasts := int64(p.d.logBetween(float64(2*minute), float64(30*minute)))
		p.talk(jump, to, tcp, 22, at, lasts, p.d.logBetween(5e3, 40e3), p.d.logBetween(9e3, 200e3))
		at += int64(p.d.logBetween(float64(minute), float64(30*minute)))
		p.with(to)
		p.about(to)
	}
	p.about(jump)
	p.with(jump)
	p.port(22)
	p.strength("%d sessions at night", sessions)
}
