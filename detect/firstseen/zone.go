package firstseen

import (
	"fmt"
	"net/netip"
	"time"

	"tapwatch/flow"
)

// relation is a group of peers that an asset of a zone has had for a service.
type relation struct {
	zone, asset string
	service     service
	group       group
	country     string // empty: within zones, or unknown
}

// relationRow is a relation in an hour, as it is read.
type relationRow struct {
	At          time.Time `ch:"at"`
	Zone        string    `ch:"zone"`
	Asset       string    `ch:"own"`
	Protocol    uint8     `ch:"protocol"`
	Port        uint16    `ch:"port"`
	AssetServes bool      `ch:"serves"`
	FromZone    string    `ch:"from_zone"`
	Role        string    `ch:"role"`
	ASN         uint32    `ch:"asn"`
	Subnet      string    `ch:"subnet"`
	Country     string    `ch:"country"`
}

func (r *relationRow) relation() relation {
	return relation{
		zone: r.Zone, asset: r.Asset, service: service{r.Protocol, r.Port, r.AssetServes}, country: r.Country,
		group: group{zone: r.FromZone, role: r.Role, asn: r.ASN, subnet: unmapped(r.Subnet)},
	}
}

// group is peers that are interchangeable: systems of one role in a zone, neighbours
// of one subnet, or an autonomous system outside.
type group struct {
	zone, role, subnet string
	asn                uint32
}

func (c *contact) group() group {
	switch {
	case c.PeerZone != "" && c.PeerRole != "":
		return group{zone: c.PeerZone, role: c.PeerRole}
	case c.PeerZone == "" && c.ASN != 0:
		return group{asn: c.ASN}
	default:
		return group{zone: c.PeerZone, subnet: subnetOf(c.PeerAddr)}
	}
}

// subnetOf is the first address of the /24 or, of IPv6, the /64.
func subnetOf(a netip.Addr) string {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.Addr().String()
}

// unmapped is a subnet of ClickHouse as subnetOf writes it.
func unmapped(text string) string {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().String()
	}
	return text
}

// text names the group for people.
func (g group) text() string {
	switch {
	case g.role != "":
		return fmt.Sprintf("systems of role %s in %s", g.role, g.zone)
	case g.asn != 0:
		return fmt.Sprintf("AS%d", g.asn)
	case g.zone != "":
		return fmt.Sprintf("the neighbours of %s in %s", g.subnet, g.zone)
	default:
		return "the neighbours of " + g.subnet
	}
}

// service is what is asked, and at which end.
type service struct {
	protocol uint8
	port     uint16
	serves   bool // the asset serves it
}

// management tells whether the service is one by which an asset is administered.
func (d *Detector) management(s service) bool {
	if !s.serves || s.protocol != flow.ProtocolTCP {
		return s.serves && s.protocol == flow.ProtocolUDP && (s.port == 161 || s.port == 10161)
	}
	for _, p := range d.cfg.Management {
		if p == s.port {
			return true
		}
	}
	return false
}

// link is a group's relation with an asset.
type link struct {
	asset string
	group group
}

// zone is what a protected zone has had to do with whom.
type zone struct {
	begin time.Time
	// assets is how many assets had any peer.
	assets map[string]bool
	// services is since when a group has used a service of an asset, any since when it
	// has had to do with it at all.
	services map[link]map[service]time.Time
	any      map[link]time.Time
	// reach is which assets a group has had to do with, at all and for a service.
	reach    map[group]map[string]bool
	reachFor map[group]map[service]map[string]bool
	// firsts is since when a group has used a service anywhere in the zone.
	firsts map[group]map[service]time.Time
	// patrons is how many groups of a zone (empty: outside) use a service of an asset.
	patrons   map[patronage]map[group]bool
	countries map[string]bool
}

type patronage struct {
	asset   string
	service service
	from    string
}

func newZone(begin time.Time) *zone {
	return &zone{
		begin: begin, assets: map[string]bool{}, services: map[link]map[service]time.Time{}, any: map[link]time.Time{},
		reach: map[group]map[string]bool{}, reachFor: map[group]map[service]map[string]bool{}, firsts: map[group]map[service]time.Time{},
		patrons: map[patronage]map[group]bool{}, countries: map[string]bool{},
	}
}

// add notes a relation and since when there is it.
func (z *zone) add(r relation, first time.Time) {
	g, s, l := r.group, r.service, link{r.asset, r.group}
	z.assets[r.asset] = true
	earliest(inner(z.services, l), s, first)
	earliest(z.any, l, first)
	inner(z.reach, g)[r.asset] = true
	inner(inner(z.reachFor, g), s)[r.asset] = true
	earliest(inner(z.firsts, g), s, first)
	inner(z.patrons, patronage{r.asset, s, g.zone})[g] = true
	if r.country != "" {
		z.countries[r.country] = true
	}
}

// inner gives the map under a key, made when it is first asked for.
func inner[K comparable, L comparable, V any](m map[K]map[L]V, k K) map[L]V {
	v := m[k]
	if v == nil {
		v = map[L]V{}
		m[k] = v
	}
	return v
}

// earliest keeps the earliest time of a key.
func earliest[K comparable](m map[K]time.Time, k K, t time.Time) {
	if known, ok := m[k]; !ok || t.Before(known) {
		m[k] = t
	}
}
