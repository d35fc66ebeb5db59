package simulate

import "net/netip"

// noise is what the internet sends to every address without being asked: probes of
// scanners, and answers to packets that somebody else sent with our addresses in
// them (backscatter). Nobody answers, save that routers and hosts of the core
// refuse TCP probes with a reset; the lawful-intercept site stays mute.
type noise struct {
	network *Network
	// perSecond is how many packets come to the carrier in a second, interceptSite
	// how many more to the lawful-intercept site.
	perSecond, interceptSite float64
	site                     netip.Prefix
	hosts                    []netip.Addr
}

func (x *noise) during(second int64, yield func(*conversation, *dice)) {
	d := newDice(x.network.cfg.Seed, "noise", second)
	for range d.poisson(x.perSecond) {
		yield(x.stray(second, x.target(d), d), d)
	}
	for range d.poisson(x.interceptSite) {
		yield(x.stray(second, d.host(x.site), d), d)
	}
}

// target is a subscriber, or one time in four a system of the carrier.
func (x *noise) target(d *dice) netip.Addr {
	if d.IntN(4) == 0 {
		return x.hosts[d.IntN(len(x.hosts))]
	}
	return d.host(x.network.subscribers[d.IntN(4)].prefix)
}

func (x *noise) stray(second int64, target netip.Addr, d *dice) *conversation {
	c := &conversation{
		start: second*1000 + int64(d.IntN(1000)), client: x.network.internet.draw(d, "hosting", false), server: target,
		clientPort: d.ephemeral(), protocol: protocolTCP,
	}
	switch pick := d.IntN(10); {
	case pick < 6:
		x.probe(c, d)
	case pick < 8:
		c.backscatter(d)
	case pick < 9:
		ports := []uint16{53, 123, 161, 1900, 5060, 11211}
		c.protocol, c.serverPort = protocolUDP, ports[d.IntN(len(ports))]
		c.toServer = c.traffic(float64(60+d.IntN(60)), 200)
	default:
		c.protocol, c.icmpType, c.clientPort = protocolICMP, 8, 0
		c.toServer = c.traffic(64, 64)
	}
	return c
}

// probe is a SYN, sent again once or twice where nobody answers.
func (x *noise) probe(c *conversation, d *dice) {
	ports := []uint16{22, 23, 80, 443, 445, 3389, 4786, 8080, 8443, 57722}
	c.serverPort, c.clientFlags = ports[d.IntN(len(ports))], syn
	c.toServer = volume{packets: 1, bytes: 40}
	if x.refuses(c.server) {
		c.serverFlags, c.toClient = rst|ack, volume{packets: 1, bytes: 40}
		return
	}
	if d.IntN(3) == 0 {
		c.toServer = volume{packets: 3, bytes: 180}
		c.duration = 3000
	}
}

// refuses tells whether the target answers probes with a reset.
func (x *noise) refuses(target netip.Addr) bool {
	for _, h := range x.hosts {
		if h == target {
			return true
		}
	}
	return false
}

// backscatter is the answer of a server under attack: it says SYN-ACK, or RST, to
// whom it never heard from.
func (c *conversation) backscatter(d *dice) {
	c.clientPort, c.serverPort = 443, d.ephemeral()
	if d.IntN(2) == 0 {
		c.clientPort = 80
	}
	c.clientFlags, c.toServer = syn|ack, volume{packets: 1, bytes: 44}
	if d.IntN(3) == 0 {
		c.clientFlags, c.toServer = rst|ack, volume{packets: 1, bytes: 40}
	}
}
