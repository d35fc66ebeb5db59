package campaign

// signalling is what the systems of the core say to one another.
func (b *background) signalling() {
	c, d := b.c, b.d
	people := b.shapes.people
	many := b.many(0.4)
	link := func(name string, from, to []*host, most int, protocol uint8, port, own uint16, perDay float64, sent, received amount) {
		for _, f := range from {
			for _, t := range some(d, to, most) {
				b.add(habit{name: name, client: f, server: t, protocol: protocol, port: port, clientPort: own, perDay: b.rate(perDay * many), when: people,
					lasts: 30e3, spread: 0.4, sent: sent, received: received})
			}
		}
	}
	link("s6a", c.role["mme"], c.role["hss"], 2, sctp, 3868, 0, 50, of(30e3, 420), of(44e3, 640))
	link("cx", c.role["cscf"], c.role["hss"], 3, sctp, 3868, 0, 30, of(20e3, 400), of(30e3, 600))
	link("dra", c.role["mme"], c.role["dra"], 2, sctp, 3868, 0, 30, of(20e3, 400), of(30e3, 600))
	link("gtp-c", c.role["mme"], c.role["smf"], 3, udp, 2123, 2123, 30, of(24e3, 220), of(20e3, 190))
	link("pfcp", c.role["smf"], c.role["upf"], 3, udp, 8805, 8805, 30, of(18e3, 260), of(14e3, 120))
	link("sbi", c.roles("amf", "smf"), c.role["udm"], 3, tcp, 8080, 0, 30, of(2100, 520), of(3900, 780))
	link("sip", c.role["cscf"], c.role["sbc"], 3, udp, 5060, 5060, 40, of(9e3, 500), of(8e3, 480))
	// Records of calls and data, which some systems collect from many.
	link("records", c.roles("upf", "smf", "mme", "sbc"), c.role["cdr"], 2, tcp, 22, 0, 10, amount{3e6, 1300, 0.6}, of(50e3, 60))
	for _, partner := range c.roaming {
		for _, dra := range some(d, c.role["dra-public"], 2) {
			b.add(habit{name: "roaming", client: partner, server: dra, protocol: sctp, port: 3868, perDay: b.rate(30 * many), when: people,
				lasts: 50e3, spread: 0.4, sent: of(30e3, 420), received: of(36e3, 520)})
		}
	}
	for range c.size.subscribers {
		z := pick(d, c.subscribers)
		phone := &host{addr: c.free(z.prefixes[0]), zone: z, edge: z.edge, port: z.port, mask: 16, self: -1}
		c.phones = append(c.phones, phone)
		b.add(b.call(phone, pick(d, c.role["sbc-public"]), 3))
	}
}

// call is a subscriber's calls.
func (b *background) call(phone, sbc *host, perDay float64) habit {
	return habit{name: "call", client: phone, server: sbc, protocol: udp, port: 5060, clientPort: 5060, perDay: b.rate(perDay), when: b.shapes.people,
		lasts: 4e3, spread: 0.8, sent: of(3100, 620), received: of(2600, 520)}
}

// access is base stations, as many as it takes to reach the number of pairs: each
// talks with a few systems that control it and a few that carry its traffic.
func (b *background) access() {
	for stations := 0; len(b.pairs) < b.cfg.Pairs || stations < 4; stations++ {
		b.station(0)
	}
}

// station adds a base station that is there from a time on; 0: always.
func (b *background) station(from int64) {
	c, d := b.c, b.d
	z := pick(d, c.radio)
	h := c.stranger(z, z.prefixes[0])
	people := b.shapes.people
	control, port := c.role["mme"], uint16(36412)
	if d.chance(0.4) {
		control, port = c.role["amf"], 38412
	}
	for _, to := range some(d, control, 2) {
		b.add(habit{name: "ran-control", client: h, server: to, protocol: sctp, port: port, perDay: max(0.8, d.lognormal(1.4, 0.8)), when: people, from: from,
			lasts: 30e3, spread: 0.4, sent: of(26e3, 210), received: of(21e3, 190), tos: 40 << 2})
	}
	for _, to := range some(d, c.role["upf"], 2) {
		b.add(habit{name: "gtp-u", client: h, server: to, protocol: udp, port: 2152, clientPort: 2152, perDay: max(0.8, d.lognormal(1.4, 0.8)), when: people, from: from,
			lasts: 25e3, spread: 0.4, sent: of(120e3, 340), received: of(700e3, 1280)})
	}
}
