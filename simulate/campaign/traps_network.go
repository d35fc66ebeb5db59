package campaign

// trapExporterReboot is a router that is upgraded, as announced: it is silent, then
// begins its numbers anew.
func trapExporterReboot(p *planting) {
	e := p.silenceable()
	from := p.undisturbed(e)
	until := from + int64(p.d.between(4, 16)*float64(minute))
	p.deeds = append(p.deeds, deed{at: from, exporter: e.index, silence: true}, deed{at: until, exporter: e.index, speak: true, restart: true})
	open := (from - 20*minute) / (15 * minute) * 15 * minute
	p.maintenance = append(p.maintenance, maintenance{e, open, open + 2*hour})
	p.span(from, until)
	p.about(e.host)
	p.strength("silent for %d min, announced", (until-from)/minute)
}

// trapAAAFailover is an hour in which devices ask the second of the listed servers.
func trapAAAFailover(p *planting) {
	from := p.begin()
	until := from + int64(p.d.between(0.7, 1.5)*float64(hour))
	second := p.c.role["aaa"][1]
	n := 0
	for i := range p.b.habits {
		h := &p.b.habits[i]
		if h.name != "tacacs" {
			continue
		}
		h.pauses = append(h.pauses, pause{from, until})
		for range p.d.poisson(2) {
			p.talk(h.client, second, tcp, 49, from+p.d.Int64N(until-from), int64(p.d.logBetween(300, 3000)), p.d.logBetween(400, 900), p.d.logBetween(300, 700))
			p.about(h.client)
			n++
		}
	}
	p.about(second)
	p.with(second)
	p.port(49)
	p.strength("%d requests in %d min", n, (until-from)/minute)
}

// trapNewJumpHost is one more jump host, entered in the inventory, which begins to
// work in the attack half.
func trapNewJumpHost(p *planting) {
	z := p.c.management[0]
	jump := p.c.asset(z, z.prefixes[0], "jump", p.c.exporters[z.edge].site)
	ws := p.c.workstations[0]
	from := p.begin()
	when := pick(p.d, p.c.shapes.office)
	var habits []habit
	targets := some(p.d, append(append([]*host(nil), p.c.role["router"]...), p.c.coreAssets()...), p.d.count(4, 12))
	for _, to := range targets {
		habits = append(habits, p.b.session("device-shell", jump, to, 22, p.d.between(0.5, 2), when))
		p.with(to)
		p.about(to)
	}
	for range p.d.count(1, 4) {
		laptop := p.c.stranger(ws, ws.prefixes[0])
		habits = append(habits, p.b.session("jump-login", laptop, jump, 22, p.d.between(2, 5), when))
		p.with(laptop)
	}
	for i := range habits {
		habits[i].from, habits[i].label = from, p.index
	}
	p.habits = append(p.habits, habits...)
	p.span(from, p.cfg.end())
	p.about(jump)
	p.with(jump)
	p.port(22)
	p.strength("to %d systems", len(targets))
}

// trapCustomerTunnels is tunnels of customers, which the carrier only passes on.
func trapCustomerTunnels(p *planting) {
	customer, far := p.customer(), p.outsider()
	protocol := pick(p.d, []uint8{gre, esp, gre})
	hours := p.d.logBetween(0.5, 10)
	rate := p.d.logBetween(50e3, 5e6)
	p.talk(customer, far, protocol, 0, p.begin(), int64(hours*float64(hour)), rate*hours*60, rate*hours*60*p.d.between(0.2, 2))
	p.with(customer, far)
	p.strength("%.1f h of protocol %d", hours, protocol)
}

// trapFlashCrowd is an hour in which everybody calls: ten to twenty times the
// sessions of the hour.
func trapFlashCrowd(p *planting) {
	sbc := p.one(p.c.role["sbc-public"])
	usual := 0.0
	for i := range p.b.habits {
		if h := &p.b.habits[i]; h.name == "call" && h.server == sbc {
			usual += h.perDay / 24
		}
	}
	factor := p.d.between(10, 20)
	n := int(max(60, usual*factor))
	at := p.begin()
	for range n {
		z := pick(p.d, p.c.subscribers)
		phone := &host{addr: p.d.host(z.prefixes[0]), zone: z, edge: z.edge, port: z.port, mask: 16, self: -1}
		if p.d.chance(0.4) {
			phone = pick(p.d, p.c.phones)
		}
		// It swells and ebbs away.
		when := at + int64((p.d.Float64()+p.d.Float64())/2*float64(hour))
		p.say(conversation{start: when, duration: int64(p.d.logBetween(1000, 20e3)), client: phone, server: sbc, clientPort: 5060, serverPort: 5060, protocol: udp,
			toServer: traffic(udp, p.d.lognormal(3100, 0.35), 620), toClient: traffic(udp, p.d.lognormal(2600, 0.35), 520)})
		p.with(phone)
	}
	p.about(sbc)
	p.port(5060)
	p.note("factor", factor)
	p.strength("%d calls in an hour, %.0f times the usual", n, factor)
}

// trapScanBackground is the scanners of the internet: SYNs to public addresses, which
// nobody answers.
func trapScanBackground(p *planting) {
	at := p.begin()
	scanners := p.d.count(3, 10)
	total := 0
	for range scanners {
		from := p.outsider()
		port := pick(p.d, []uint16{22, 23, 80, 443, 445, 3389, 8080, 57722, 4786})
		for range p.d.count(10, 60) {
			to := p.public()
			p.attempt(from, to, port, at+p.d.Int64N(20*hour), false)
			p.about(to)
			total++
		}
		p.with(from)
		p.port(port)
	}
	p.strength("%d probes of %d scanners", total, scanners)
}
