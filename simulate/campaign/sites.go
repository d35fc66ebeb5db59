package campaign

import (
	"fmt"
	"net/netip"

	"tapwatch/flow"
)

// exporter is a router that exports flows.
type exporter struct {
	index int
	// host is its loopback, from which it exports.
	host *host
	site string
	// what it is: an edge of a data centre, of the lawful-intercept site, of the
	// provider's access, of the internet, a switch inside of a data centre, or the
	// backbone.
	what     string
	protocol int8
	sampling uint32
	// active and idle are its timeouts, in milliseconds; clock is how far its clock
	// is ahead.
	active, idle, clock int64
	domain              uint32
	boot                int64
	// inner is the exporter that sees what stays inside the site; -1: none does.
	inner int
	// transit is how many bytes of other people's traffic it carries in a minute; 0
	// none.
	transit float64
}

const (
	whatData, whatInner, whatLI, whatAccess, whatBorder, whatBackbone = "data centre", "inner", "li", "access", "border", "backbone"
)

// The SNMP indexes of interfaces.
const (
	uplink       = 1 // toward the backbone; of a backbone router: its first interface
	innerPort    = 40
	hostingPort  = 55
	customerPort = 100
	firstPeering = 10
	peerings     = 4
	radioPort    = 101
	loopbackPort = 30
)

// codes are those of cities, from which sites take their names.
var codes = []string{
	"ams", "bcn", "ber", "bru", "bud", "cdg", "cph", "dub", "dus", "edi", "fra", "gdn", "gva", "ham", "hel", "kra", "lis", "lon", "lux",
	"lyo", "mad", "man", "mil", "mrs", "muc", "nce", "osl", "prg", "rot", "sto", "stu", "tls", "vie", "vlc", "waw", "wro", "zrh",
}

// buildSites draws the exporters. Those of data centres and of the lawful-intercept
// site see every packet; the others sample.
func (c *carrier) buildSites(cfg *Config) {
	d := c.d
	names := some(d, codes, len(codes))
	next := func() string { n := names[0]; names = names[1:]; return n }
	for range c.size.datasites {
		site := next()
		edge := c.exporter(cfg, whatData, site)
		inner := c.exporter(cfg, whatInner, site)
		edge.inner = inner.index
		c.datasites = append(c.datasites, edge.index)
	}
	c.liEdge = c.exporter(cfg, whatLI, next()).index
	for range c.size.pops {
		c.pops = append(c.pops, c.exporter(cfg, whatAccess, next()).index)
	}
	for range c.size.borders {
		c.borders = append(c.borders, c.exporter(cfg, whatBorder, next()).index)
	}
	for range c.size.backbone {
		c.backbone = append(c.backbone, c.exporter(cfg, whatBackbone, next()).index)
	}
	// One router with an active timeout of five minutes, one of thirty: both with
	// 64-bit counters.
	slow := some(d, append([]int{c.backbone[0]}, c.pops...), 2)
	for i, timeout := range []int64{5 * minute, 30 * minute} {
		c.exporters[slow[i]].active = timeout
		c.exporters[slow[i]].protocol = flow.ExportIPFIX
	}
}

func (c *carrier) exporter(cfg *Config, what, site string) *exporter {
	d := c.d
	e := &exporter{
		index: len(c.exporters), site: site, what: what, sampling: 1, inner: -1,
		active: minute, idle: 15 * second, clock: int64(d.NormFloat64() * 250), domain: uint32(d.IntN(1 << 16)),
		boot:    cfg.start() - int64(d.between(float64(day), float64(16*day))),
		transit: d.logBetween(60e6, 500e6),
	}
	e.idle = pick(d, []int64{10, 15, 15, 30}) * second
	kinds := []int8{flow.ExportNetFlow9, flow.ExportIPFIX}
	switch what {
	case whatData, whatLI: // their own traffic keeps them busy
		e.transit = 0
	case whatInner:
		e.sampling = pick(d, []uint32{100, 128, 200, 256})
		kinds = []int8{flow.ExportNetFlow5, flow.ExportIPFIX}
	case whatAccess:
		e.sampling = pick(d, []uint32{100, 128, 256, 512, 1000})
		kinds = []int8{flow.ExportNetFlow5, flow.ExportNetFlow9, flow.ExportIPFIX}
	case whatBorder:
		e.sampling = pick(d, []uint32{512, 1000, 1024, 2048, 4096})
		kinds = []int8{flow.ExportSFlow5, flow.ExportIPFIX, flow.ExportNetFlow9}
	case whatBackbone:
		e.sampling = pick(d, []uint32{1000, 1024, 2048, 4096})
	}
	// Every kind comes, one after the other from a random one on.
	if c.kinds == nil {
		c.kinds = map[string]int{}
	}
	if _, begun := c.kinds[what]; !begun && what != whatBorder {
		c.kinds[what] = d.IntN(len(kinds))
	}
	e.protocol = kinds[c.kinds[what]%len(kinds)]
	c.kinds[what]++
	c.exporters = append(c.exporters, e)
	return e
}

// buildZones draws the address plan.
func (c *carrier) buildZones() {
	d := c.d
	tens := d.Perm(250)
	ten := func(bits int) netip.Prefix {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(tens[0] + 2), byte(d.IntN(256)), 0}), bits).Masked()
		tens = tens[1:]
		return p
	}
	zone := func(list *[]*zone, name, kind string, edge int, port uint32, prefixes ...netip.Prefix) {
		z := &zone{name: name, kind: kind, prefixes: prefixes, edge: edge, port: port}
		*list = append(*list, z)
		c.zones = append(c.zones, z)
	}
	site := func(e int) string { return c.exporters[e].site }
	public := func(net byte, bits, n int) netip.Prefix {
		base := [4]byte{198, 51, 100, 0}
		if net == 203 {
			base = [4]byte{203, 0, 113, 0}
		}
		base[3] = byte(n << (32 - bits))
		return netip.PrefixFrom(netip.AddrFrom4(base), bits)
	}
	zone(&c.li, "li-"+site(c.liEdge), kindLI, c.liEdge, 60, ten(24), public(203, 28, d.IntN(16)))
	for i, e := range c.datasites {
		zone(&c.core, "core-"+site(e), kindCore, e, 50, ten(16), public(198, 26, i))
	}
	oob := pick(d, c.datasites)
	zone(&c.management, "management", kindManagement, oob, 52, ten(24))
	zone(&c.workstations, "workstations", kindManagement, oob, 53, ten(24))
	zone(&c.routers, "routers", kindInfrastructure, oob, loopbackPort, ten(16))
	for _, e := range c.pops {
		zone(&c.radio, "radio-"+site(e), "access", e, radioPort, ten(16))
		zone(&c.subscribers, "subscribers-"+site(e), "customer", e, customerPort,
			netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(64 + 8*len(c.subscribers) + d.IntN(8)), 0, 0}), 16))
	}
	for i, e := range c.datasites {
		zone(&c.hosting, "hosting-"+site(e), "customer", e, hostingPort,
			netip.PrefixFrom(netip.AddrFrom4([4]byte{172, byte(16 + 5*i + d.IntN(5)), 0, 0}), 16))
	}
	c.internet.networks = append(c.internet.networks,
		network{netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(16 * d.IntN(16))}), 28), agencyAS, c.home, "agency"},
		network{netip.MustParsePrefix("198.51.100.0/24"), carrierAS, c.home, "carrier"},
		network{netip.MustParsePrefix("203.0.113.0/24"), carrierAS, c.home, "carrier"})
}

// buildRouters gives each exporter its loopback and puts the routers that export
// nothing behind an edge: more than a third of them in the data centres.
func (c *carrier) buildRouters() {
	z := c.routers[0]
	for _, e := range c.exporters {
		role := map[string]string{whatData: "dc", whatInner: "leaf", whatLI: "li", whatAccess: "pe", whatBorder: "br", whatBackbone: "core"}[e.what]
		h := c.router(z, role, e.site)
		h.edge, h.port, h.self = e.index, 0, e.index
		if e.what == whatInner {
			edge := c.edgeOf(e)
			h.edge, h.port = edge, innerPort
		}
		e.host = h
	}
	edges := append(append([]int(nil), c.datasites...), c.pops...)
	for i := len(c.exporters); i < c.size.routers; i++ {
		e := edges[i%len(edges)]
		h := c.router(z, pick(c.d, []string{"agg", "ac", "sw", "rr", "cgn"}), c.exporters[e].site)
		h.edge, h.port = e, loopbackPort+uint32(i%5)
	}
}

// router adds a router; its role in the inventory is router, its name tells more.
func (c *carrier) router(z *zone, what, site string) *host {
	h := c.stranger(z, z.prefixes[0])
	h.mask = 32
	h.role = "router"
	for n := 1; ; n++ {
		if h.name = fmt.Sprintf("%s%d.%s", what, n, site); !c.given[h.name] {
			break
		}
	}
	c.given[h.name] = true
	z.hosts = append(z.hosts, h)
	c.role["router"] = append(c.role["router"], h)
	return h
}

// edgeOf is the edge of the data centre that an inner exporter belongs to.
func (c *carrier) edgeOf(inner *exporter) int {
	for _, e := range c.datasites {
		if c.exporters[e].inner == inner.index {
			return e
		}
	}
	return inner.index
}

// unsampled tells whether every packet to and from the host is metered by some
// exporter: the edge of a data centre or of the lawful-intercept site, unless the
// host is that very router.
func (c *carrier) unsampled(h *host) bool {
	return c.exporters[h.edge].sampling == 1 && h.self != h.edge
}
