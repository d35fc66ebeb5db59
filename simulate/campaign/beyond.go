package campaign

// drawPartners draws whom the carrier talks with outside: agencies, roaming partners,
// resolvers, those that update, license and monitor its systems, popular content.
func (b *background) drawPartners() {
	c, d := b.c, b.d
	for range 2 + d.IntN(2) {
		h, _ := c.external(d, used("agency"))
		c.agencies = append(c.agencies, h)
	}
	draw := func(list *[]*host, n int, uses ...string) {
		for range n {
			h, net := c.external(d, used(uses...))
			c.internet.background(net)
			*list = append(*list, h)
		}
	}
	draw(&c.roaming, c.size.partners, "eyeball")
	draw(&c.resolvers, 2, "dns")
	draw(&c.licensing, c.size.licensing, "content")
	draw(&c.monitors, 1+c.size.extras/4, "hosting")
	draw(&c.popular, 12, "content")
	// Updates come from one or two content networks, of which ever new addresses show.
	_, cdn := c.external(d, used("content"))
	c.cdn = cdn
	for i := range c.internet.networks { // its servers may be in any of its ranges
		if n := &c.internet.networks[i]; n.asn == cdn.asn {
			c.internet.background(n)
		}
	}
	for range c.size.updates {
		c.updates = append(c.updates, c.update())
	}
}

// update is one more address of the network that updates come from.
func (c *carrier) update() *host {
	h, _ := c.external(c.d, func(n *network) bool { return n.asn == c.cdn.asn })
	return h
}

// beyond is what the core does with the internet: names, licences, updates, a few
// monitoring services.
func (b *background) beyond() {
	c, d := b.c, b.d
	many := b.many(0.5)
	for _, h := range c.coreAssets() {
		for _, r := range c.resolvers {
			b.add(habit{name: "names", client: h, server: r, protocol: udp, port: 53, perDay: b.rate(9 * many), lasts: 18,
				sent: of(72, 72), received: of(150, 150)})
		}
		for _, l := range c.licensing {
			if d.chance(0.85) {
				b.add(habit{name: "licensing", client: h, server: l, protocol: tcp, port: 443, every: pick(d, []int64{4, 6, 8, 12, 24}) * hour, jitter: 0.05,
					lasts: 3e3, spread: 0.4, sent: of(5e3, 300), received: of(9e3, 700)})
			}
		}
		if d.chance(0.6) {
			for _, u := range some(d, c.updates, 2) {
				b.add(habit{name: "update", client: h, server: u, protocol: tcp, port: 443, perDay: b.rate(0.8), when: b.shapes.night,
					lasts: 60e3, spread: 0.7, sent: of(60e3, 70), received: amount{6e6, 1380, 0.9}})
			}
		}
		if d.chance(0.15) {
			m := habit{name: "monitoring", client: h, server: pick(d, c.monitors), protocol: tcp, port: 443, perDay: b.rate(12), lasts: 2e3, spread: 0.4,
				sent: amount{18e3, 900, 0.5}, received: of(3e3, 300)}
			if d.chance(0.4) { // an agent with a rhythm, much as a beacon has
				m.every, m.jitter = int64(d.logBetween(float64(15*minute), float64(hour))), d.between(0.02, 0.3)
			}
			b.add(m)
		}
	}
	for _, h := range c.role["ntp"] {
		for range 2 {
			server, net := c.external(d, used("content", "hosting"))
			c.internet.background(net)
			c.stratum = append(c.stratum, server)
			b.clock(h, []*host{server})
		}
	}
}

// newcomers are benign things that appear while the campaign runs: a base station a
// day, an address of the update network a day, a workstation a week.
func (b *background) newcomers() {
	c, d := b.c, b.d
	days := int((b.cfg.end() - b.cfg.start()) / day)
	core := c.coreAssets()
	stations := b.many(0.3)
	for n := range days {
		at := b.cfg.start() + int64(n)*day + d.Int64N(day)
		if d.chance(stations) {
			b.station(at)
		}
		u := c.update()
		for _, h := range some(d, core, 1+d.IntN(3)) {
			b.add(habit{name: "update", client: h, server: u, protocol: tcp, port: 443, perDay: b.rate(0.8), when: b.shapes.night, from: at,
				lasts: 60e3, spread: 0.7, sent: of(60e3, 70), received: amount{6e6, 1380, 0.9}})
		}
		if n%7 == 3 {
			ws := c.workstations[0]
			h := b.session("jump-login", c.stranger(ws, ws.prefixes[0]), pick(d, c.role["jump"]), 22, 3, b.shapes.office[1])
			h.from = at
			b.add(h)
		}
	}
}
