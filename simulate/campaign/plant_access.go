package campaign

import "slices"

// plantLILogin is a login to a lawful-intercept system by somebody whom no rule
// allows, with valid credentials.
func plantLILogin(p *planting) {
	asset, who := p.one(p.c.interceptAssets()), p.either()
	// Not a port of tasking: a point of interception may use that.
	port := pick(p.d, []uint16{22, 443, 443, 9443, 3389})
	sessions := p.d.count(1, 5)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(minute), float64(40*minute)))
		p.talk(who, asset, tcp, port, at, lasts, p.d.logBetween(5e3, 100e3), p.d.logBetween(20e3, 2e6))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(hour)))
	}
	p.about(asset)
	p.with(who)
	p.port(port)
	p.note("sessions", float64(sessions))
	p.strength("%d sessions to port %d", sessions, port)
}

// managementPorts are those on which routers are managed.
var managementPorts = []uint16{22, 23, 80, 443, 830, 6513, 9339, 57400}

// plantManagementOutside is a session from the internet to the management of a
// router.
func plantManagementOutside(p *planting) {
	device, who := p.device(), p.outsider()
	port := pick(p.d, managementPorts)
	sessions := p.d.count(1, 4)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(20*second), float64(30*minute)))
		p.talk(who, device, tcp, port, at, lasts, p.d.logBetween(3e3, 60e3), p.d.logBetween(6e3, 400e3))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(hour)))
	}
	p.about(device)
	p.with(who)
	p.port(port)
	p.note("sessions", float64(sessions))
	p.strength("%d sessions to port %d", sessions, port)
}

// plantDeviceLateral is a router that logs in to others.
func plantDeviceLateral(p *planting) {
	from := p.device()
	at := p.begin()
	targets := some(p.d, p.c.role["router"], p.d.count(1, 4))
	for _, to := range targets {
		if to == from {
			continue
		}
		lasts := int64(p.d.logBetween(float64(30*second), float64(30*minute)))
		p.talk(from, to, tcp, 22, at, lasts, p.d.logBetween(4e3, 60e3), p.d.logBetween(9e3, 300e3))
		at += lasts + int64(p.d.logBetween(float64(20*second), float64(40*minute)))
		p.about(to)
		p.with(to)
	}
	if p.first == 0 { // it drew itself alone
		to := p.device()
		p.talk(from, to, tcp, 22, at, 5*minute, 9e3, 40e3)
		p.about(to)
		p.with(to)
	}
	p.about(from)
	p.with(from)
	p.port(22)
	p.strength("%d sessions from %s", len(targets), from.name)
}

// plantUnknownLoopback is a session to a router from an address of the
// infrastructure that belongs to nobody: a loopback that the intruder configured.
func plantUnknownLoopback(p *planting) {
	device := p.device()
	behind := p.device()
	z := p.c.routers[0]
	ghost := &host{addr: p.free(z.prefixes[0]), zone: z, edge: behind.edge, port: behind.port, mask: 32, self: -1}
	sessions := p.d.count(1, 3)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(30*second), float64(40*minute)))
		p.talk(ghost, device, tcp, 22, at, lasts, p.d.logBetween(4e3, 60e3), p.d.logBetween(9e3, 300e3))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(hour)))
	}
	p.about(device, ghost)
	p.with(ghost, device)
	p.port(22)
	p.strength("%d sessions", sessions)
}

// plantLegacyService is a router that is asked by a service nobody should use any
// more: Smart Install, FTP, Telnet, TFTP.
func plantLegacyService(p *planting) {
	device, who := p.device(), p.either()
	port := pick(p.d, []uint16{4786, 4786, 21, 23, 69})
	protocol := uint8(tcp)
	if port == 69 {
		protocol = udp
	}
	at := p.begin()
	sessions := p.d.count(1, 3)
	for range sessions {
		lasts := int64(p.d.logBetween(float64(second), float64(5*minute)))
		p.talk(who, device, protocol, port, at, lasts, p.d.logBetween(300, 20e3), p.d.logBetween(500, 60e3))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(hour)))
	}
	p.about(device)
	p.with(who)
	p.port(port)
	p.strength("%d sessions to port %d", sessions, port)
}

// plantOddListener is a router that answers on a port of the intruders' habit.
func plantOddListener(p *planting) {
	device, who := p.device(), p.either()
	port := uint16(57722)
	switch p.d.IntN(3) {
	case 0:
		port = uint16(100*p.d.count(100, 654) + 22)
	case 1:
		port = uint16(p.d.count(18000, 18999))
	}
	sessions := p.d.count(1, 4)
	at := p.begin()
	for range sessions {
		lasts := int64(p.d.logBetween(float64(minute), float64(50*minute)))
		p.talk(who, device, tcp, port, at, lasts, p.d.logBetween(5e3, 90e3), p.d.logBetween(9e3, 500e3))
		at += lasts + int64(p.d.logBetween(float64(minute), float64(hour)))
	}
	p.about(device)
	p.with(who)
	p.port(port)
	p.note("port", float64(port))
	p.strength("%d sessions to port %d", sessions, port)
}

// plantNewListener is a system of the core that begins to serve on a port of its own.
func plantNewListener(p *planting) {
	asset := p.system()
	port := uint16(p.d.count(1025, 49151))
	for slices.Contains(managementPorts, port) || p.b.serves(port) {
		port++
	}
	clients := p.d.count(2, 6)
	at := p.begin()
	for _, who := range some(p.d, p.c.coreAssets(), clients) {
		if who == asset || p.d.chance(0.4) {
			who = p.outsider()
		}
		for range p.d.count(1, 5) {
			lasts := int64(p.d.logBetween(float64(5*second), float64(20*minute)))
			p.talk(who, asset, tcp, port, at, lasts, p.d.logBetween(2e3, 60e3), p.d.logBetween(5e3, 900e3))
			at += int64(p.d.logBetween(float64(20*second), float64(40*minute)))
		}
		p.with(who)
	}
	p.about(asset)
	p.port(port)
	p.note("clients", float64(clients))
	p.strength("port %d, %d clients", port, clients)
}

// serves tells whether the background has a service on the port.
func (b *background) serves(port uint16) bool {
	for i := range b.habits {
		if b.habits[i].port == port {
			return true
		}
	}
	return false
}

// plantAAADiversion is a router that asks somebody else's AAA server.
func plantAAADiversion(p *planting) {
	device, server := p.device(), p.either()
	protocol, port := uint8(tcp), uint16(49)
	if p.d.chance(0.4) {
		protocol, port = udp, pick(p.d, []uint16{1812, 1813, 1645})
	}
	requests := p.d.count(2, 30)
	at := p.begin()
	for range requests {
		p.talk(device, server, protocol, port, at, int64(p.d.logBetween(200, 3000)), p.d.logBetween(300, 1500), p.d.logBetween(250, 1200))
		at += int64(p.d.logBetween(float64(10*second), float64(30*minute)))
	}
	p.about(device)
	p.with(server)
	p.port(port)
	p.note("requests", float64(requests))
	p.strength("%d requests to port %d", requests, port)
}

// plantDeviceTransfer is a router that sends files to a host that is no archive.
func plantDeviceTransfer(p *planting) {
	device, to := p.device(), p.either()
	port := pick(p.d, []uint16{22, 443, 21, 20})
	bytes := p.d.logBetween(12e3, 60e6)
	at := p.begin()
	files := p.d.count(1, 4)
	for range files {
		lasts := int64(max(2e3, bytes/p.d.logBetween(50, 2000)))
		p.talk(device, to, tcp, port, at, min(lasts, 20*minute), bytes, max(2000, bytes/40))
		at += lasts + int64(p.d.logBetween(float64(10*second), float64(20*minute)))
	}
	p.about(device)
	p.with(to)
	p.port(port)
	p.note("bytes", bytes*float64(files))
	p.strength("%.0f kB in %d files to port %d", bytes*float64(files)/1e3, files, port)
}

// plantTFTPTransfer is a router that writes its configuration to a TFTP server: the
// request goes to port 69, the data between ports of both ends' choice (RFC 1350 §4).
func plantTFTPTransfer(p *planting) {
	device, to := p.device(), p.either()
	bytes := p.d.logBetween(15e3, 800e3)
	at := p.begin()
	own, theirs := p.d.ephemeral(), p.d.ephemeral()
	p.say(conversation{start: at, duration: 1, client: device, server: to, clientPort: own, serverPort: 69, protocol: udp,
		toServer: volume{1, uint64(p.d.count(46, 70))}})
	blocks := bytes / 512
	p.say(conversation{start: at + 40, duration: int64(blocks * p.d.between(4, 30)), client: device, server: to, clientPort: own, serverPort: theirs, protocol: udp,
		toServer: volume{uint64(blocks) + 1, uint64(blocks*544 + 100)}, toClient: volume{uint64(blocks) + 2, uint64(blocks*32) + 96}})
	p.about(device)
	p.with(to)
	p.port(69, theirs)
	p.note("bytes", bytes)
	p.strength("%.0f kB", bytes/1e3)
}
