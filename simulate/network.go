package simulate

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"tapwatch/inventory"
)

// Network is a simulated carrier over stream time. It is immutable and safe for
// concurrent use.
type Network struct {
	cfg         Config
	inv         *inventory.Inventory
	routers     []Router
	routerIndex map[string]int
	toward      [][]link // by destination router, then by router: the way there
	routes      *bart.Table[attachment]
	internet    *internet
	subscribers []subscriberRange
	habits      []habit
	steps       []step
}

// New builds the network that cfg describes. The error of a bad cfg joins one
// *config.KeyError for each bad value.
func New(cfg Config) (*Network, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Network{cfg: cfg, routerIndex: map[string]int{}, subscribers: subscriberRanges()}
	var err error
	if n.inv, err = inventory.Parse("carrier.yaml", carrierYAML); err != nil {
		return nil, fmt.Errorf("read the simulated carrier's inventory: %w", err)
	}
	if n.internet, err = parseInternet(internetCSV); err != nil {
		return nil, err
	}
	if n.routers, err = buildRouters(n.inv); err != nil {
		return nil, err
	}
	for i := range n.routers {
		n.routerIndex[n.routers[i].Name] = i
	}
	if err := n.buildRoutes(); err != nil {
		return nil, err
	}
	n.buildPaths()
	n.buildHabits()
	if n.steps, err = n.compile(cfg.Plan); err != nil {
		return nil, err
	}
	return n, nil
}

// Routers are the exporters, in no particular order.
func (n *Network) Routers() []Router { return slices.Clone(n.routers) }

// How many records the network exports, measured in the busiest hour: those of its
// machines in a second, those of one conversation of a subscriber, those of one
// stray packet.
const (
	recordsOfMachines     = 10.4
	recordsOfConversation = 3.53
	recordsOfStray        = 0.28
	// straysPerConversation is how much noise there is.
	straysPerConversation = 0.08
	// straysAtInterceptSite come to the lawful-intercept site in a second.
	straysAtInterceptSite = 0.4
)

func (n *Network) buildHabits() {
	for _, s := range n.services() {
		n.habits = append(n.habits, newSchedule(s, n.cfg.Seed))
	}
	perSecond := (n.cfg.Rate - recordsOfMachines - straysAtInterceptSite) / (recordsOfConversation + straysPerConversation*recordsOfStray)
	n.habits = append(n.habits,
		&people{network: n, perSecond: perSecond, sbc: n.role("sbc")},
		&noise{
			network: n, perSecond: perSecond * straysPerConversation, interceptSite: straysAtInterceptSite,
			site: netip.MustParsePrefix("198.51.100.64/28"), hosts: join(n.role("router"), n.kind("core")),
		})
}

// assets lists the assets that keep, in the order of the inventory.
func (n *Network) assets(keep func(z *inventory.Zone, a *inventory.Asset) bool) []inventory.Asset {
	var kept []inventory.Asset
	for i := range n.inv.Zones {
		z := &n.inv.Zones[i]
		for j := range z.Assets {
			if keep(z, &z.Assets[j]) {
				kept = append(kept, z.Assets[j])
			}
		}
	}
	return kept
}

func first(assets []inventory.Asset) []netip.Addr {
	all := make([]netip.Addr, len(assets))
	for i := range assets {
		all[i] = assets[i].Addresses[0]
	}
	return all
}

// role, kind and zone give the first address of each asset of a role, of a kind of
// zone, of a zone.
func (n *Network) role(role string) []netip.Addr {
	return first(n.assets(func(_ *inventory.Zone, a *inventory.Asset) bool { return a.Role == role }))
}

func (n *Network) kind(kind string) []netip.Addr {
	return first(n.assets(func(z *inventory.Zone, _ *inventory.Asset) bool { return z.Kind == kind }))
}

func (n *Network) zone(name string) []netip.Addr {
	return first(n.assets(func(z *inventory.Zone, _ *inventory.Asset) bool { return z.Name == name }))
}

// handover gives the addresses that mediation devices of a role have on the
// handover network.
func (n *Network) handover(role string) []netip.Addr {
	var all []netip.Addr
	for _, a := range n.assets(func(_ *inventory.Zone, a *inventory.Asset) bool { return a.Role == role }) {
		all = append(all, a.Addresses[1])
	}
	return all
}

func (n *Network) loopbacks(names ...string) []netip.Addr {
	all := make([]netip.Addr, len(names))
	for i, name := range names {
		all[i] = n.routers[n.routerIndex[name]].Loopback
	}
	return all
}
