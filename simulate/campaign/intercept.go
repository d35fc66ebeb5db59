package campaign

// intercept is what the lawful-intercept site does: tasking (X1), delivery from the
// points of interception (X2, X3), handover to the agencies (HI2, HI3), and its own
// time, names and administration. Every bit of it has an allow rule.
func (b *background) intercept() {
	c := b.c
	site := c.interceptAssets()
	many := b.many(0.5)
	for _, admf := range c.role["admf"] {
		for _, to := range c.roles("poi", "mdf2", "mdf3", "mediation") {
			b.add(habit{name: "x1", client: admf, server: to, protocol: tcp, port: 8443, perDay: b.rate(12 * many), when: b.shapes.people,
				lasts: 2e3, spread: 0.5, sent: of(2600, 420), received: of(1900, 380)})
		}
		for _, from := range c.role["poi"] {
			b.add(habit{name: "x1-report", client: from, server: admf, protocol: tcp, port: 8443, perDay: b.rate(8 * many),
				lasts: 1e3, spread: 0.4, sent: of(1800, 400), received: of(900, 250)})
		}
	}
	for _, poi := range c.role["poi"] {
		for _, to := range some(b.d, c.role["mdf2"], 2) {
			b.add(habit{name: "x2", client: poi, server: to, protocol: tcp, port: 8890, perDay: b.rate(48 * many), when: b.shapes.people,
				lasts: 30e3, spread: 0.4, sent: of(14e3, 480), received: of(2200, 60)})
		}
		for _, to := range some(b.d, c.role["mdf3"], 2) {
			b.add(habit{name: "x3", client: poi, server: to, protocol: tcp, port: 8891, perDay: b.rate(48 * many), when: b.shapes.people,
				lasts: 40e3, spread: 0.5, sent: of(2.4e6, 1180), received: of(60e3, 58)})
		}
	}
	for _, from := range c.role["mediation"] {
		for _, to := range c.roles("mdf2", "mdf3") {
			b.add(habit{name: "mediation", client: from, server: to, protocol: tcp, port: 9009, perDay: b.rate(50 * many), when: b.shapes.people,
				lasts: 55e3, spread: 0.3, sent: of(80e3, 700), received: of(9e3, 90)})
		}
	}
	for _, from := range c.role["mdf2-handover"] {
		for _, to := range c.agencies {
			b.add(habit{name: "hi2", client: from, server: to, protocol: tcp, port: 12001, perDay: b.rate(50 * many), when: b.shapes.people,
				lasts: 40e3, spread: 0.4, sent: of(30e3, 620), received: of(4e3, 70)})
		}
	}
	for _, from := range c.role["mdf3-handover"] {
		for _, to := range c.agencies {
			b.add(habit{name: "hi3", client: from, server: to, protocol: tcp, port: 443, perDay: b.rate(40 * many), when: b.shapes.people,
				lasts: 60e3, spread: 0.5, sent: of(4.5e6, 1240), received: of(110e3, 60)})
		}
	}
	for _, h := range site {
		b.clock(h, c.role["li-ntp"])
		for _, dns := range c.role["li-dns"] {
			b.add(habit{name: "li-names", client: h, server: dns, protocol: udp, port: 53, perDay: b.rate(24 * many), lasts: 15,
				sent: of(70, 70), received: of(130, 130)})
		}
	}
	for _, admin := range c.role["li-admin"] {
		for _, to := range c.roles("admf", "mdf2", "mdf3", "mediation") {
			b.add(habit{name: "li-administration", client: admin, server: to, protocol: tcp, port: 443, perDay: b.rate(2), when: b.shapes.desk,
				lasts: 240e3, spread: 0.6, sent: of(40e3, 300), received: of(390e3, 900)})
			b.add(habit{name: "li-shell", client: admin, server: to, protocol: tcp, port: 22, perDay: b.rate(0.7), when: b.shapes.desk,
				lasts: 300e3, spread: 0.6, sent: of(14e3, 90), received: of(62e3, 150)})
		}
	}
}

// many is the share of a rate that a carrier of this size has: a small one does less.
func (b *background) many(low float64) float64 {
	return min(1, low+(1-low)*float64(b.cfg.Pairs)/10_000)
}

// calm is 1 for a small carrier, whose machines ask half as often.
func (b *background) calm() int {
	if b.cfg.Pairs < 1000 {
		return 1
	}
	return 0
}

// clock asks time servers at one of the intervals that ntpd settles on (RFC 5905,
// poll exponents of 11 to 13), from port 123.
func (b *background) clock(h *host, servers []*host) {
	for _, s := range servers {
		every := second << b.d.count(11+b.calm(), 12+b.calm())
		b.add(habit{name: "ntp", client: h, server: s, protocol: udp, port: 123, clientPort: 123, every: every, jitter: 0.01,
			lasts: 20, sent: same(76), received: same(76)})
	}
}
