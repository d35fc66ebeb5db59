package simulate

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"
)

// attachment is where a prefix meets the network.
type attachment struct {
	router int
	// index is the SNMP index of the interface; 0 the router itself.
	index uint32
	as    uint32 // 0: ours
	mask  uint8
	// peer4 and peer6 are the next hop beyond the interface; zero where hosts are
	// attached.
	peer4, peer6 netip.Addr
}

// hop is a router on the way of a packet.
type hop struct {
	router        int
	in, out       uint32
	next4, next6  netip.Addr // zero where the packet is delivered
	originatesOwn bool       // the packet starts at this very router
}

// site is a row of the table of what is attached where inside the carrier.
type site struct {
	prefix, router string
	index          uint32
}

func sites() []site {
	return []site{
		{"10.66.0.0/24", "li1.east", 60},
		{"2001:db8:66::/64", "li1.east", 60},
		{"198.51.100.64/28", "li1.east", 61},
		{"10.40.0.0/16", "dc1.east", 50},
		{"2001:db8:40::/48", "dc1.east", 50},
		{"10.20.0.0/24", "dc1.east", 52},
		{"10.41.0.0/16", "dc1.west", 50},
		{"10.50.1.0/24", "pe1.east", 150},
		{"10.50.2.0/24", "pe1.west", 150},
		{"10.50.3.0/24", "pe1.north", 150},
		{"100.64.0.0/14", "pe1.east", 100},
		{"100.68.0.0/14", "pe2.east", 100},
		{"100.72.0.0/14", "pe1.west", 100},
		{"100.76.0.0/14", "pe1.north", 100},
		{"2001:db8:100::/44", "pe1.east", 101},
		{"2001:db8:110::/44", "pe1.west", 101},
	}
}

// partners are neighbours with an interface of their own at br1.east: the agencies'
// monitoring facilities and the roaming hub, with documentation AS numbers.
func partners() []internetRange {
	return []internetRange{
		{prefix: netip.MustParsePrefix("192.0.2.64/28"), as: 64510},
		{prefix: netip.MustParsePrefix("192.0.2.128/28"), as: 64511},
	}
}

// partnerIndex is the SNMP index of the first partner's interface; firstPeering
// that of the first of peerings internet peerings of a border router.
const (
	partnerIndex = 15
	firstPeering = 10
	peerings     = 4
)

// buildRoutes makes the routing table of the whole network.
func (n *Network) buildRoutes() error {
	n.routes = new(bart.Table[attachment])
	for _, s := range sites() {
		p := netip.MustParsePrefix(s.prefix)
		router, ok := n.routerIndex[s.router]
		if !ok {
			return fmt.Errorf("prefix %s is attached to router %s, which does not exist", s.prefix, s.router)
		}
		n.routes.Insert(p, attachment{router: router, index: s.index, mask: uint8(p.Bits())})
	}
	for i := range n.routers {
		for _, a := range []netip.Addr{n.routers[i].Loopback, n.routers[i].loopback6} {
			n.routes.Insert(netip.PrefixFrom(a, a.BitLen()), attachment{router: i, mask: uint8(a.BitLen())})
		}
	}
	for i, p := range partners() {
		n.attachPeer(p, n.routerIndex["br1.east"], uint32(partnerIndex+i))
	}
	borders := []int{n.routerIndex["br1.east"], n.routerIndex["br1.west"]}
	for i, r := range n.internet.ranges {
		n.attachPeer(r, borders[i%len(borders)], uint32(firstPeering+i/len(borders)%peerings))
	}
	return nil
}

// attachPeer routes a range of another network to an interface of a border router.
// The neighbour's address is from a documentation prefix.
func (n *Network) attachPeer(r internetRange, router int, index uint32) {
	n.routes.Insert(r.prefix, attachment{
		router: router, index: index, as: r.as, mask: uint8(r.prefix.Bits()),
		peer4: netip.AddrFrom4([4]byte{192, 0, 2, byte(224 + index)}),
		peer6: netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0xff, 15: byte(index)}),
	})
}

// buildPaths finds, for each two routers, the next link on the shortest way, by
// breadth first search from each destination.
func (n *Network) buildPaths() {
	n.toward = make([][]link, len(n.routers))
	for destination := range n.routers {
		toward := make([]link, len(n.routers))
		seen := make([]bool, len(n.routers))
		seen[destination] = true
		for queue := []int{destination}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			for _, l := range n.routers[at].links {
				if seen[l.to] {
					continue
				}
				seen[l.to] = true
				toward[l.to] = link{to: at, index: n.linkIndex(l.to, at)}
				queue = append(queue, l.to)
			}
		}
		n.toward[destination] = toward
	}
}

// linkIndex is the SNMP index of the interface at router from that leads to to.
func (n *Network) linkIndex(from, to int) uint32 {
	for _, l := range n.routers[from].links {
		if l.to == to {
			return l.index
		}
	}
	return 0
}

// path appends to hops the routers between two attachments.
func (n *Network) path(hops []hop, from, to attachment) []hop {
	at, in := from.router, from.index
	own := from.index == 0
	for at != to.router {
		next := n.toward[to.router][at]
		hops = append(hops, hop{
			router: at, in: in, out: next.index, originatesOwn: own,
			next4: n.routers[next.to].Loopback, next6: n.routers[next.to].loopback6,
		})
		in, at, own = n.linkIndex(next.to, at), next.to, false
	}
	return append(hops, hop{router: at, in: in, out: to.index, next4: to.peer4, next6: to.peer6, originatesOwn: own})
}
