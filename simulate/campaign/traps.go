package campaign

import "time"

// always adds a conversation of a trap that is there in the history too.
func (p *planting) always(c conversation) {
	start, end := p.cfg.start(), p.cfg.end()-margin
	if c.start < start || c.start >= end {
		return
	}
	c.duration = max(1, min(c.duration, end-c.start))
	c.label = p.index
	p.conversations = append(p.conversations, c)
	p.span(c.start, c.start+c.duration)
}

// public draws a public address: of a system of the core or of lawful intercept, or
// one of their ranges that nobody has.
func (p *planting) public() *host {
	z := pick(p.d, append(append([]*zone(nil), p.c.core...), p.c.li...))
	prefix := z.prefixes[1]
	addr := p.d.host(prefix)
	for _, h := range z.hosts {
		if h.addr == addr || prefix.Contains(h.addr) && p.d.chance(0.2) {
			return h
		}
	}
	return &host{addr: addr, zone: z, edge: z.edge, port: z.port, mask: uint8(prefix.Bits()), self: -1}
}

// trapBackscatter is the answers of a server under attack, to packets that somebody
// forged with our addresses.
func trapBackscatter(p *planting) {
	at := p.begin()
	victims := p.d.count(1, 4)
	for range victims {
		server := p.outsider()
		p.with(server)
		lasts := p.d.logBetween(float64(10*minute), float64(6*hour))
		flags, port := uint8(syn|ack), pick(p.d, []uint16{80, 443, 22, 25565})
		if p.d.chance(0.3) {
			flags = rst | ack
		}
		for range p.d.count(30, 200) {
			to := p.public()
			c := conversation{start: at + int64(p.d.Float64()*lasts), duration: 1, client: server, server: to, clientPort: port, serverPort: p.d.ephemeral(),
				protocol: tcp, toServer: volume{1, 44}, clientFlags: flags}
			if flags&syn != 0 && to.name != "" && p.d.chance(0.7) {
				c.toClient, c.serverFlags = volume{1, 40}, rst // who never asked refuses
			}
			p.say(c)
			p.about(to)
		}
		p.port(port)
	}
	p.strength("answers of %d servers", victims)
}

// trapEphemeral22 is routers that ask allowed servers from ports that look like
// those of backdoors: their own numbering comes by there.
func trapEphemeral22(p *planting) {
	at := p.begin()
	n := p.d.count(10, 40)
	for range n {
		device := pick(p.d, p.devices())
		own := uint16(57722)
		switch p.d.IntN(3) {
		case 0:
			own = uint16(100*p.d.count(328, 609) + 22)
		case 1:
			own = uint16(p.d.count(18000, 18999))
		}
		server, port := p.c.role["aaa"][0], uint16(49)
		if p.d.chance(0.3) {
			server, port = p.c.role["archive"][0], 22
		}
		c := conversation{start: at + p.d.Int64N(40*hour), duration: int64(p.d.logBetween(300, 9000)), client: device, server: server, clientPort: own, serverPort: port, protocol: tcp,
			toServer: traffic(tcp, p.d.logBetween(400, 6000), 120), toClient: traffic(tcp, p.d.logBetween(400, 6000), 120)}
		c.established()
		p.say(c)
		p.about(device)
		p.with(server)
		p.port(port)
	}
	p.strength("%d sessions", n)
}

// trapPeriodic is polling in a strict rhythm, as the background has it.
func trapPeriodic(p *planting) {
	want := []string{"snmp", "ntp", "licensing"}[p.n%3]
	var candidates []*habit
	for i := range p.b.habits {
		if h := &p.b.habits[i]; h.name == want && h.label == 0 && (h.client.zone.protected() || h.server.zone.protected()) {
			candidates = append(candidates, h)
		}
	}
	h := pick(p.d, candidates)
	h.label = p.index
	h.jitter = 0
	p.span(p.cfg.start(), p.cfg.end())
	p.about(h.client, h.server)
	p.with(h.client, h.server)
	p.port(h.port)
	p.note("period_s", float64(h.every)/1000)
	p.strength("%s every %d s", want, h.every/second)
}

// trapSundayBackup is gigabytes to the archive every Sunday night, in the history
// too. A campaign without Sundays in both halves has none.
func trapSundayBackup(p *planting) {
	asset, to := p.one(p.c.roles("cdr", "hss", "udm")), p.c.role["archive"][0]
	bytes := p.d.logBetween(1.5e9, 12e9)
	hourOfDay := p.d.between(0.5, 4)
	var at []int64
	for t := p.cfg.start() / day * day; t < p.cfg.end()-6*hour; t += day {
		if time.UnixMilli(t).UTC().Weekday() == time.Sunday && t >= p.cfg.start() {
			at = append(at, t+int64(hourOfDay*float64(hour)))
		}
	}
	if len(at) < 2 || at[0] >= p.cfg.attackFrom() {
		return
	}
	for _, start := range at {
		start += p.d.Int64N(10 * minute)
		b := p.d.lognormal(bytes, 0.05)
		c := conversation{start: start, duration: int64(b / 4e3), client: asset, server: to, clientPort: p.d.ephemeral(), serverPort: 22, protocol: tcp,
			toServer: traffic(tcp, b, 1440), toClient: traffic(tcp, b/60, 60)}
		c.established()
		p.always(c)
	}
	p.about(asset, to)
	p.with(to, asset)
	p.port(22)
	p.note("bytes", bytes)
	p.strength("%.1f GB every Sunday", bytes/1e9)
}
