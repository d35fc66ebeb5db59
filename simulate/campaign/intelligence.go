package campaign

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// drawIntelligence draws the intelligence lists: addresses and small prefixes of the
// internet with which the background does not talk.
func (c *carrier) drawIntelligence() {
	d := c.d
	c.lists = map[string][]byte{}
	for i, source := range some(d, []string{"national-cert", "isac-telecom", "vendor-feed", "partner-carrier"}, 2) {
		var text strings.Builder
		fmt.Fprintf(&text, "# Addresses seen with intruders, from %s.\n", source)
		for range d.count(40, 120) {
			net := pick(d, c.strangerNetworks())
			p := netip.PrefixFrom(d.host(net.prefix), pick(d, []int{24, 29, 32, 32, 32, 32})).Masked()
			if c.internet.touches(p) {
				continue
			}
			c.indicators = append(c.indicators, network{p, net.asn, net.country, net.use})
			c.internet.listed = append(c.internet.listed, p)
			fmt.Fprintf(&text, "%s %s-%03d\n", p, source, d.IntN(1000))
		}
		c.lists[fmt.Sprintf("intel-%d.txt", i+1)] = []byte(text.String())
	}
	// Countries that the core has nothing to do with.
	var far []string
	for _, n := range c.internet.networks {
		if n.use != "carrier" && n.country != c.home && !c.internet.usedCountry[n.country] && !slices.Contains(far, n.country) {
			far = append(far, n.country)
		}
	}
	c.denied = some(d, far, d.count(3, 5))
}

func (c *carrier) strangerNetworks() []network {
	var all []network
	for _, n := range c.internet.networks {
		if elsewhere()(&n) {
			all = append(all, n)
		}
	}
	return all
}

// touches tells whether somebody with whom the carrier talks is in the prefix, or it
// is on a list already.
func (n *internet) touches(p netip.Prefix) bool {
	for a := range n.taken {
		if p.Contains(a) {
			return true
		}
	}
	return slices.ContainsFunc(n.listed, p.Overlaps)
}
