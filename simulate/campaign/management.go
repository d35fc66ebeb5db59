package campaign

// devices is what routers and hosts do with the systems that manage them: polling,
// logging, time, AAA, archived configurations, routing.
func (b *background) devices() {
	c := b.c
	routers, core := c.role["router"], c.coreAssets()
	nms, ntp := c.role["nms"], c.role["ntp"]
	many := b.many(0.5)
	for i, to := range routers {
		poller := nms[i%len(nms)]
		every := 30 * minute << b.calm()
		if i%(len(routers)/2) == 1 && b.calm() == 0 {
			every = minute // two are watched closely
		}
		b.poll(poller, to, every)
		b.add(habit{name: "syslog", client: to, server: c.role["syslog"][i%len(c.role["syslog"])], protocol: udp, port: 514, perDay: max(60, b.rate(100*many)), lasts: 900, spread: 0.8,
			sent: of(1100, 220)})
		b.clock(to, some(b.d, ntp, 1+b.d.IntN(2)))
		b.add(habit{name: "tacacs", client: to, server: c.role["aaa"][0], protocol: tcp, port: 49, perDay: b.rate(20), when: b.shapes.people,
			lasts: 900, spread: 0.4, sent: of(620, 90), received: of(480, 80)})
		b.add(habit{name: "archive", client: c.role["archive"][0], server: to, protocol: tcp, port: 22, perDay: 1, when: b.shapes.night,
			lasts: 6e3, spread: 0.3, sent: of(9e3, 80), received: of(420e3, 1300)})
		b.add(habit{name: "netconf", client: poller, server: to, protocol: tcp, port: 830, perDay: b.rate(4), lasts: 8e3, spread: 0.3,
			sent: of(9e3, 240), received: of(140e3, 1000)})
	}
	for i, h := range core {
		b.clock(h, ntp[i%2:i%2+1])
		b.poll(nms[i%len(nms)], h, 60*minute<<b.calm())
		b.add(habit{name: "syslog", client: h, server: c.role["syslog"][0], protocol: udp, port: 514, perDay: b.rate(40 * many), lasts: 900, spread: 0.8,
			sent: of(1400, 240)})
	}
	b.routing()
}

// poll is SNMP, in a strict rhythm.
func (b *background) poll(from, to *host, every int64) {
	b.add(habit{name: "snmp", client: from, server: to, protocol: udp, port: 161, every: every, jitter: 0.005, lasts: 3e3,
		sent: amount{6e3, 110, 0.03}, received: amount{21e3, 380, 0.03}})
}

// routing is sessions between routers that last for ever, told in parts, and the
// tunnels that the inventory lists.
func (b *background) routing() {
	c := b.c
	var dc []*host
	for _, h := range c.role["router"] {
		if c.unsampled(h) {
			dc = append(dc, h)
		}
	}
	ends := some(b.d, dc, 4)
	b.add(habit{name: "ibgp", client: ends[0], server: ends[1], protocol: tcp, port: 179, clientPort: b.d.ephemeral(), every: 5 * minute << (2 * b.calm()),
		jitter: 0.02, lasts: 240e3, sent: of(1900, 90), received: of(3400, 160), tos: 48 << 2})
	for i, protocol := range []uint8{gre, esp} {
		t := tunnel{ends[2*i], ends[2*i+1], protocol}
		c.tunnels = append(c.tunnels, t)
		b.add(habit{name: "tunnel", client: t.from, server: t.to, protocol: protocol, perDay: 60, lasts: 100e3, spread: 0.4,
			when: b.shapes.people, sent: of(2e6, 900), received: of(3e6, 900)})
	}
}

// tunnel is one that the inventory lists.
type tunnel struct {
	from, to *host
	protocol uint8
}

// people is what admins do: they log in to a jump host from their workstation, and
// from there to routers and hosts. Each jump host has its crew, who keep its hours;
// one crew is there round the clock.
func (b *background) people() {
	c, d := b.c, b.d
	jumps := c.role["jump"]
	ws := c.workstations[0]
	for i, jump := range jumps {
		when := pick(d, b.shapes.office)
		if i == 0 {
			when = b.shapes.noc
		} else {
			c.dayJumps = append(c.dayJumps, jump)
		}
		targets := some(d, append(append([]*host(nil), c.role["router"]...), c.coreAssets()...), 4+d.IntN(20))
		sessions := d.between(14, 30)
		for _, to := range targets {
			b.add(b.session("device-shell", jump, to, 22, sessions/float64(len(targets)), when))
		}
		for range max(1, c.size.laptops/len(jumps)) {
			b.add(b.session("jump-login", c.stranger(ws, ws.prefixes[0]), jump, 22, d.between(2, 5), when))
		}
	}
	for _, admin := range c.role["jump"] {
		for _, to := range some(d, c.roles("nms", "archive", "syslog"), 2) {
			b.add(b.session("tools", admin, to, 443, d.between(1, 4), b.shapes.office[1]))
		}
	}
}

// session is a person at a terminal: lengths vary widely.
func (b *background) session(name string, from, to *host, port uint16, perDay float64, when *shape) habit {
	return habit{name: name, client: from, server: to, protocol: tcp, port: port, perDay: perDay, when: when,
		lasts: b.d.logBetween(150e3, 600e3), spread: 1, sent: amount{14e3, 90, 0.6}, received: amount{52e3, 180, 0.8}}
}
