package campaign

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// host is an address somewhere: of an asset, of a base station, of a stranger.
type host struct {
	addr netip.Addr
	// name and role are those of the asset; empty where the inventory has none.
	name, role string
	zone       *zone // nil outside the carrier
	// edge is the exporter through which it is reached, port the SNMP index of the
	// interface there (0: it is that router), as and mask what the edge exports of it.
	edge int
	port uint32
	as   uint32
	mask uint8
	// self is the exporter that it is, or -1.
	self    int
	country string // outside the carrier
}

// zone is a zone of the inventory.
type zone struct {
	name, kind string
	prefixes   []netip.Prefix
	hosts      []*host // those of assets, by name
	// edge and port are where its hosts are attached, but for routers.
	edge int
	port uint32
}

// protected tells whether the inventory protects the zone.
func (z *zone) protected() bool {
	if z == nil {
		return false
	}
	switch z.kind {
	case kindLI, kindCore, kindManagement, kindInfrastructure:
		return true
	}
	return false
}

// The kinds of zones that the inventory protects.
const (
	kindLI             = "lawful-intercept"
	kindCore           = "core"
	kindManagement     = "management"
	kindInfrastructure = "infrastructure"
)

// carrier is who there is. It is drawn once and does not change.
type carrier struct {
	parties

	d         *dice
	size      size
	internet  *internet
	home      string // country
	zones     []*zone
	exporters []*exporter
	datasites []int // data centre edges
	pops      []int // provider edges
	borders   []int
	backbone  []int
	liEdge    int

	li, core, management, workstations, routers, radio, subscribers, hosting []*zone
	role                                                                     map[string][]*host
	names                                                                    func(role string, n int, site string) string
	kinds                                                                    map[string]int // how many exporters of a sort there are, by what they are
	given                                                                    map[string]bool
	taken                                                                    map[netip.Addr]bool
}

// parties is whom the carrier's systems talk with, and what was arranged for it.
type parties struct {
	shapes *shapes
	// Outside.
	agencies, roaming, resolvers, licensing, monitors, popular, updates, stratum []*host
	cdn                                                                          *network
	// Inside.
	phones []*host
	// dayJumps are the jump hosts whose crew works by day.
	dayJumps []*host
	tunnels  []tunnel
	// denied are countries that no system of the core may talk with.
	denied []string
	// lists are the intelligence lists by file name, indicators what is on them.
	lists      map[string][]byte
	indicators []network
}

// size is how many of everything there are.
type size struct {
	datasites, pops, borders, backbone   int
	routers, core, li                    int
	jumps, laptops, subscribers          int
	partners, updates, licensing, extras int
}

// sizeFor scales a carrier to a number of pairs. At 10,000 it has the size that
// DefaultConfig speaks of.
func sizeFor(d *dice, pairs int) size {
	big := float64(pairs-minPairs) / float64(10_000-minPairs)
	scaled := func(small, low, high int) int {
		return small + int(min(big, 1.5)*float64(d.count(low, high)-small)+0.5)
	}
	return size{
		datasites: scaled(2, 2, 3), pops: scaled(1, 3, 5), borders: scaled(1, 2, 2), backbone: scaled(1, 1, 2),
		routers: scaled(16, 40, 90), core: scaled(20, 55, 95), li: scaled(10, 14, 28),
		jumps: scaled(3, 5, 8), laptops: scaled(3, 15, 30), subscribers: scaled(10, 200, 400),
		partners: scaled(2, 8, 16), updates: scaled(2, 8, 14), licensing: scaled(1, 2, 3), extras: scaled(2, 8, 16),
	}
}

func newCarrier(cfg *Config) (*carrier, error) {
	d := newDice(cfg.Seed, "carrier")
	c := &carrier{d: d, size: sizeFor(d, cfg.Pairs), role: map[string][]*host{}, given: map[string]bool{}, taken: map[netip.Addr]bool{}}
	var err error
	if c.internet, err = newInternet(); err != nil {
		return nil, err
	}
	c.home = pick(d, []string{"DE", "FR", "GB", "ES", "NL", "SE", "PL"})
	c.names = namingStyle(d)
	c.buildSites(cfg)
	c.buildZones()
	c.buildRouters()
	c.buildCore()
	c.buildManagement()
	c.buildIntercept()
	return c, nil
}

// namingStyle draws how the carrier names its systems.
func namingStyle(d *dice) func(role string, n int, site string) string {
	switch d.IntN(4) {
	case 0:
		return func(role string, n int, site string) string { return fmt.Sprintf("%s-%d.%s", role, n, site) }
	case 1:
		return func(role string, n int, site string) string { return fmt.Sprintf("%s-%s-%02d", site, role, n) }
	case 2:
		return func(role string, n int, site string) string { return fmt.Sprintf("%s%02d-%s", role, n, site) }
	default:
		return func(role string, n int, site string) string {
			return fmt.Sprintf("%s%s%d", site, strings.ReplaceAll(role, "-", ""), n)
		}
	}
}

// asset adds an asset at a free address of one of the zone's prefixes.
func (c *carrier) asset(z *zone, prefix netip.Prefix, role, site string) *host {
	h := c.stranger(z, prefix)
	h.role = role
	for n := len(c.role[role]) + 1; ; n++ {
		if h.name = c.names(role, n, site); !c.given[h.name] {
			break
		}
	}
	c.given[h.name] = true
	z.hosts = append(z.hosts, h)
	c.role[role] = append(c.role[role], h)
	return h
}

// second gives an asset one more address.
func (c *carrier) second(of *host, prefix netip.Prefix) *host {
	h := c.stranger(of.zone, prefix)
	h.name, h.role = of.name, of.role
	of.zone.hosts = append(of.zone.hosts, h)
	return h
}

// stranger is a host of a zone that no asset owns.
func (c *carrier) stranger(z *zone, prefix netip.Prefix) *host {
	return &host{addr: c.free(prefix), zone: z, edge: z.edge, port: z.port, mask: uint8(prefix.Bits()), self: -1}
}

func (c *carrier) free(prefix netip.Prefix) netip.Addr {
	for {
		a := c.d.host(prefix)
		if !c.taken[a] {
			c.taken[a] = true
			return a
		}
	}
}

// external is a host of the internet, in a network that keep accepts.
func (c *carrier) external(d *dice, keep func(*network) bool) (*host, *network) {
	addr, net := c.internet.draw(d, keep)
	return c.outside(addr, net), net
}

// outside attaches an address of the internet to the border that carries its
// network.
func (c *carrier) outside(addr netip.Addr, net *network) *host {
	i := slices.IndexFunc(c.internet.networks, func(n network) bool { return n.prefix == net.prefix })
	return &host{
		addr: addr, edge: c.borders[i%len(c.borders)], port: firstPeering + uint32(i/len(c.borders)%peerings),
		as: net.asn, mask: uint8(net.prefix.Bits()), self: -1, country: net.country,
	}
}

// roles lists the hosts of several roles.
func (c *carrier) roles(names ...string) []*host {
	var all []*host
	for _, n := range names {
		all = append(all, c.role[n]...)
	}
	return all
}

// coreAssets lists the private addresses of all assets of the core.
func (c *carrier) coreAssets() []*host {
	var all []*host
	for _, z := range c.core {
		for _, h := range z.hosts {
			if h.addr.IsPrivate() {
				all = append(all, h)
			}
		}
	}
	return all
}

// interceptAssets lists the private addresses of all lawful-intercept assets.
func (c *carrier) interceptAssets() []*host {
	var all []*host
	for _, z := range c.li {
		for _, h := range z.hosts {
			if h.addr.IsPrivate() {
				all = append(all, h)
			}
		}
	}
	return all
}
