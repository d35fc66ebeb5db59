package simulate

import "net/netip"

// people is the habit of subscribers: web, video, names, games and calls.
type people struct {
	network *Network
	// perSecond is how many conversations begin in a second of the busiest hour.
	perSecond float64
	sbc       []netip.Addr
}

// subscriberRange is where subscribers have their addresses.
type subscriberRange struct {
	prefix netip.Prefix
	share  int
}

// subscriberRanges are the subscribers of the provider edges, with their shares of
// all traffic in percent.
func subscriberRanges() []subscriberRange {
	return []subscriberRange{
		{netip.MustParsePrefix("100.64.0.0/16"), 20},
		{netip.MustParsePrefix("100.68.0.0/16"), 20},
		{netip.MustParsePrefix("100.72.0.0/16"), 20},
		{netip.MustParsePrefix("100.76.0.0/16"), 15},
		{netip.MustParsePrefix("2001:db8:100::/48"), 15},
		{netip.MustParsePrefix("2001:db8:110::/48"), 10},
	}
}

func (p *people) during(second int64, yield func(*conversation, *dice)) {
	d := newDice(p.network.cfg.Seed, "people", second)
	for range d.poisson(p.perSecond * activity(second)) {
		c := &conversation{start: second*1000 + int64(d.IntN(1000)), client: p.subscriber(d), clientPort: d.ephemeral()}
		switch pick := d.IntN(100); {
		case pick < 38:
			p.web(c, d)
		case pick < 50:
			p.video(c, d)
		case pick < 80:
			p.names(c, d)
		case pick < 96:
			p.game(c, d)
		default:
			p.call(c, d)
		}
		yield(c, d)
	}
}

func (p *people) subscriber(d *dice) netip.Addr {
	pick := d.IntN(100)
	for _, r := range p.network.subscribers {
		if pick -= r.share; pick < 0 {
			return d.host(r.prefix)
		}
	}
	panic("simulate: the shares of subscriber ranges are less than 100")
}

// web is a page over TLS or, as often, over QUIC.
func (p *people) web(c *conversation, d *dice) {
	c.server, c.serverPort = p.network.internet.draw(d, "content", c.client.Is6()), 443
	c.protocol = protocolTCP
	if d.IntN(2) == 0 {
		c.protocol = protocolUDP
	}
	c.duration = int64(min(d.lognormal(4e3, 1), 60e3))
	c.established()
	received := min(d.lognormal(70e3, 1.4), 30e6)
	c.toServer = c.traffic(1800+received/30, 140)
	c.toClient = c.traffic(received, 1150)
}

func (p *people) video(c *conversation, d *dice) {
	c.server, c.serverPort = p.network.internet.draw(d, "content", c.client.Is6()), 443
	c.protocol = protocolUDP
	if d.IntN(3) == 0 {
		c.protocol = protocolTCP
	}
	c.duration = int64(20e3 + d.Float64()*80e3)
	c.established()
	received := float64(c.duration) * d.lognormal(350, 0.6) // bytes a millisecond
	c.toServer = c.traffic(received/45, 80)
	c.toClient = c.traffic(received, 1320)
}

func (p *people) names(c *conversation, d *dice) {
	c.server, c.serverPort = p.network.internet.draw(d, "dns", false), 53
	if c.client.Is6() { // the resolvers of the table have IPv4 addresses only
		c.client = d.host(p.network.subscribers[0].prefix)
	}
	c.protocol, c.duration = protocolUDP, int64(5+d.IntN(60))
	c.toServer, c.toClient = c.traffic(68, 68), c.traffic(d.lognormal(150, 0.4), 512)
}

// game is play, voice or file sharing with somebody else's customer.
func (p *people) game(c *conversation, d *dice) {
	c.server, c.serverPort = p.network.internet.draw(d, "eyeball", c.client.Is6()), uint16(3074+d.IntN(24000))
	c.protocol = protocolUDP
	c.duration = int64(10e3 + d.Float64()*90e3)
	each := float64(c.duration) * d.lognormal(12, 0.7)
	c.toServer, c.toClient = c.traffic(each, 190), c.traffic(each*1.2, 220)
}

// call is SIP with the session border controller; voice itself is in the radio
// network's tunnels.
func (p *people) call(c *conversation, d *dice) {
	if c.client.Is6() {
		c.client = d.host(p.network.subscribers[0].prefix)
	}
	c.server, c.serverPort, c.clientPort = p.sbc[d.IntN(len(p.sbc))], 5060, 5060
	c.protocol, c.duration, c.tos = protocolUDP, int64(1000+d.IntN(9000)), tosSignalling
	c.toServer, c.toClient = c.traffic(4200, 620), c.traffic(3600, 560)
}
