package campaign

import (
	"net/netip"
	"slices"

	"tapwatch/simulate"
)

// network is a range of the internet, or of a partner, with what address databases
// say of it.
type network struct {
	prefix  netip.Prefix
	asn     uint32
	country string
	use     string
}

// internet is everything outside the carrier.
type internet struct {
	networks []network
	// usedASN and usedCountry are those with which the background talks.
	usedASN     map[uint32]bool
	usedCountry map[string]bool
	taken       map[netip.Addr]bool
	// listed are the prefixes of the intelligence lists.
	listed []netip.Prefix
}

// newInternet reads the ranges that Northwind Telecom sees too; IPv6 ones are left
// out, for the campaign speaks IPv4.
func newInternet() (*internet, error) {
	ranges, err := simulate.Ranges()
	if err != nil {
		return nil, err
	}
	n := &internet{usedASN: map[uint32]bool{}, usedCountry: map[string]bool{}, taken: map[netip.Addr]bool{}}
	for _, r := range ranges {
		if r.Prefix.Addr().Is4() {
			n.networks = append(n.networks, network{r.Prefix, r.ASN, r.Country, r.Use})
		}
	}
	return n, nil
}

// draw picks an address that nobody has yet, in a network that keep accepts. It is
// not on an intelligence list.
func (n *internet) draw(d *dice, keep func(*network) bool) (netip.Addr, *network) {
	var from []int
	for i := range n.networks {
		if keep(&n.networks[i]) {
			from = append(from, i)
		}
	}
	for {
		net := &n.networks[pick(d, from)]
		addr := d.host(net.prefix)
		if !n.taken[addr] && !n.onList(addr) {
			n.taken[addr] = true
			return addr, net
		}
	}
}

func (n *internet) onList(addr netip.Addr) bool {
	return slices.ContainsFunc(n.listed, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// background marks a network as one that the carrier talks with.
func (n *internet) background(net *network) {
	n.usedASN[net.asn], n.usedCountry[net.country] = true, true
}

// used gives what draw keeps for the background: networks of the given uses.
func used(uses ...string) func(*network) bool {
	return func(n *network) bool { return slices.Contains(uses, n.use) }
}

// elsewhere gives what draw keeps for intruders and for strays: any rented server,
// other people's customer or cloud.
func elsewhere() func(*network) bool { return used("hosting", "quiet", "eyeball", "content") }

// organisations names autonomous systems; others go by their number.
var organisations = map[uint32]string{
	15169: "Google", 13335: "Cloudflare", 20940: "Akamai", 2906: "Netflix", 32934: "Meta", 16509: "Amazon", 8075: "Microsoft",
	54113: "Fastly", 19281: "Quad9", 3320: "Deutsche Telekom", 3215: "Orange", 2856: "BT", 3352: "Telefonica", 1136: "KPN",
	3301: "Telia", 4713: "NTT", 9318: "SK Broadband", 3462: "Chunghwa Telecom", 4134: "China Telecom", 55836: "Reliance Jio",
	1221: "Telstra", 28573: "Claro", 36994: "Vodacom", 9121: "Turk Telekom", 12389: "Rostelecom", 7552: "Viettel",
	5617: "Orange Polska", 7303: "Telecom Argentina", 24863: "Link Egypt", 24940: "Hetzner", 16276: "OVH", 14061: "DigitalOcean",
	12876: "Scaleway", 60781: "Leaseweb", 49505: "Selectel", 45102: "Alibaba Cloud", 20473: "Vultr",
	carrierAS: "Campaign Carrier", agencyAS: "National Monitoring Centre",
}

// Autonomous systems of the campaign's own, from the documentation range of
// RFC 5398.
const carrierAS, agencyAS = 64500, 64510
