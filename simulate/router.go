package simulate

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"tapwatch/flow"
	"tapwatch/inventory"
)

// localAS is the autonomous system of the carrier, from the documentation range of
// RFC 5398.
const localAS = 64500

// Router is one exporter of the simulated network.
type Router struct {
	Name, Site string
	// Address is where it exports from, Loopback its address in the network.
	Address, Loopback netip.Addr
	// Protocol is the export protocol, one of the flow.Export constants.
	Protocol int8
	// Sampling is one of how many packets it samples.
	Sampling uint32

	loopback6 netip.Addr
	links     []link
}

// link leads to a neighbour through the interface with that SNMP index.
type link struct {
	to    int
	index uint32
}

// blueprint is a router that the inventory does not describe in full: what it
// exports, and the routers it is linked to. A link is listed at one end.
type blueprint struct {
	name     string
	protocol int8
	links    []string
}

func blueprints() []blueprint {
	return []blueprint{
		{"core1.east", flow.ExportIPFIX, []string{"core1.west", "core1.north"}},
		{"core1.west", flow.ExportIPFIX, []string{"core1.north"}},
		{"core1.north", flow.ExportNetFlow9, nil},
		{"pe1.east", flow.ExportNetFlow9, []string{"core1.east"}},
		{"pe2.east", flow.ExportNetFlow5, []string{"core1.east"}},
		{"br1.east", flow.ExportSFlow5, []string{"core1.east"}},
		{"dc1.east", flow.ExportNetFlow9, []string{"core1.east"}},
		{"li1.east", flow.ExportIPFIX, []string{"core1.east"}},
		{"pe1.west", flow.ExportIPFIX, []string{"core1.west"}},
		{"br1.west", flow.ExportSFlow5, []string{"core1.west"}},
		{"dc1.west", flow.ExportIPFIX, []string{"core1.west"}},
		{"pe1.north", flow.ExportNetFlow5, []string{"core1.north"}},
	}
}

// buildRouters joins the blueprints with the inventory's exporters and assets.
func buildRouters(inv *inventory.Inventory) ([]Router, error) {
	plans := blueprints()
	routers := make([]Router, len(plans))
	index := map[string]int{}
	for i, p := range plans {
		index[p.name] = i
		var err error
		if routers[i], err = buildRouter(inv, p); err != nil {
			return nil, err
		}
	}
	for i, p := range plans {
		for _, neighbour := range p.links {
			j, ok := index[neighbour]
			if !ok {
				return nil, fmt.Errorf("router %s is linked to %s, which does not exist", p.name, neighbour)
			}
			routers[i].linkTo(j)
			routers[j].linkTo(i)
		}
	}
	return routers, nil
}

func (r *Router) linkTo(other int) {
	r.links = append(r.links, link{to: other, index: uint32(len(r.links) + 1)})
}

func buildRouter(inv *inventory.Inventory, p blueprint) (Router, error) {
	for _, e := range inv.Exporters {
		if e.Name != p.name {
			continue
		}
		loopback, ok := assetAddr(inv, p.name)
		if !ok {
			return Router{}, fmt.Errorf("router %s is no asset of the inventory", p.name)
		}
		return Router{
			Name: e.Name, Site: e.Site, Address: e.Address, Loopback: loopback,
			Protocol: p.protocol, Sampling: e.Sampling, loopback6: loopback6(loopback),
		}, nil
	}
	return Router{}, fmt.Errorf("router %s is no exporter of the inventory", p.name)
}

// loopback6 is the IPv6 loopback of the router with that IPv4 loopback: the same
// bytes at the end of a documentation prefix.
func loopback6(a netip.Addr) netip.Addr {
	v := netip.MustParseAddr("2001:db8:30::").As16()
	v4 := a.As4()
	copy(v[12:], v4[:])
	return netip.AddrFrom16(v)
}

// domain is the router's observation domain: the low half of its address.
func (r *Router) domain() uint32 {
	a := r.Address.As4()
	return uint32(binary.BigEndian.Uint16(a[2:]))
}

// assetAddr is the first address of the asset with that name.
func assetAddr(inv *inventory.Inventory, name string) (netip.Addr, bool) {
	for _, z := range inv.Zones {
		for _, a := range z.Assets {
			if a.Name == name && len(a.Addresses) > 0 {
				return a.Addresses[0], true
			}
		}
	}
	return netip.Addr{}, false
}
