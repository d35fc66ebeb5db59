package campaign

import "net/netip"

// one draws a host of a list that no other instance has, while there are some.
func (p *planting) one(all []*host) *host {
	for range 50 {
		h := pick(p.d, all)
		if !p.busy[h] {
			p.busy[h] = true
			return h
		}
	}
	return pick(p.d, all)
}

// device draws a router of which an unsampled exporter sees every packet.
func (p *planting) device() *host { return p.one(p.devices()) }

func (p *planting) devices() []*host {
	var all []*host
	for _, h := range p.c.role["router"] {
		if p.c.unsampled(h) && h.self < 0 {
			all = append(all, h)
		}
	}
	return all
}

// system draws an asset of the core.
func (p *planting) system() *host { return p.one(p.c.coreAssets()) }

// outsider draws a host of the internet with which the background has nothing to do.
// Its network may be one that the background knows well, as intruders choose it to be.
func (p *planting) outsider() *host {
	h, _ := p.abroad()
	return h
}

// abroad draws an address and its network. Of the network that updates come from, the
// inventory allows everything, so nothing there could be told from an update.
func (p *planting) abroad() (*host, *network) {
	h, net := p.c.external(p.d, func(n *network) bool { return elsewhere()(n) && n.asn != p.c.cdn.asn })
	if p.c.internet.usedASN[net.asn] {
		p.note("known_asn", 1)
	}
	return h, net
}

// insider draws a host inside the carrier that has no business with devices or
// intercept: a customer's server, a subscriber, a system of the core.
func (p *planting) insider() *host {
	switch p.d.IntN(3) {
	case 0:
		return p.customer()
	case 1:
		z := pick(p.d, p.c.subscribers)
		return &host{addr: p.free(z.prefixes[0]), zone: z, edge: z.edge, port: z.port, mask: 16, self: -1}
	default:
		return pick(p.d, p.c.coreAssets())
	}
}

// customer is a new server in the hosting range of a data centre.
func (p *planting) customer() *host {
	z := pick(p.d, p.c.hosting)
	return &host{addr: p.free(z.prefixes[0]), zone: z, edge: z.edge, port: z.port, mask: 16, self: -1}
}

// free draws an address that nobody has.
func (p *planting) free(prefix netip.Prefix) netip.Addr {
	for {
		a := p.d.host(prefix)
		if !p.c.taken[a] {
			p.c.taken[a] = true
			return a
		}
	}
}

// either draws an outsider or an insider.
func (p *planting) either() *host {
	if p.d.chance(0.5) {
		return p.outsider()
	}
	return p.insider()
}
