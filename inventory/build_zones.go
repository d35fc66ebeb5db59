package inventory

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"tapwatch/internal/config"
)

func (b *builder) addZones(docs []zoneDocument) {
	b.inventory.Zones = make([]Zone, len(docs))
	for i, d := range docs {
		key := config.Index("zones", i)
		b.claim(b.zoneAt, key+".name", d.Name, "zone")
		b.checkKind(key+".kind", d.Kind)
		b.kinds[d.Kind] = key
		z := &b.inventory.Zones[i]
		*z = Zone{Name: d.Name, Kind: d.Kind, Protected: slices.Contains(Kinds(), d.Kind)}
		if d.Protected != nil {
			z.Protected = *d.Protected
		}
		b.addPrefixes(key+".prefixes", d.Prefixes, z)
	}
}

// checkKind refuses a kind that looks like one with a meaning of its own: a slip
// of the pen there would leave a zone without protection.
func (b *builder) checkKind(key, kind string) {
	near := nearest(kind, Kinds())
	switch {
	case kind == "":
		b.mistake(key, "is missing: use %s, or a word of your own such as customer", strings.Join(Kinds(), ", "))
	case near != "" && near != kind:
		b.mistake(key, "%q is too close to %q, which is protected: write that, or choose another word", kind, near)
	}
}

func (b *builder) addPrefixes(key string, list texts, z *Zone) {
	if len(list.items) == 0 {
		b.mistake(key, "is missing: list the zone's prefixes, as in [10.66.0.0/24]")
	}
	for i, text := range list.items {
		at := list.key(key, i)
		p, ok := b.prefix(at, text, false)
		if !ok {
			continue
		}
		if first, taken := b.prefixAt[p]; taken {
			b.mistake(at, "%s is a prefix of zone %q already: remove it from one of the two", p, first)
			continue
		}
		b.prefixAt[p] = z.Name
		b.zones.Insert(p, z)
		b.inventory.entries.Insert(p, &Entry{Zone: z.Name, Kind: z.Kind, Protected: z.Protected})
		z.Prefixes = append(z.Prefixes, p)
	}
}

// addAssets runs after addZones: whether an address belongs to a zone takes all
// of them.
func (b *builder) addAssets(docs []zoneDocument) {
	for i, zone := range docs {
		z := &b.inventory.Zones[i]
		for j, d := range zone.Assets {
			key := config.Index(config.Index("zones", i)+".assets", j)
			b.claim(b.assetAt, key+".name", d.Name, "asset")
			if d.Role != "" {
				b.roles[d.Role] = key
			}
			a := Asset{Name: d.Name, Role: d.Role}
			a.Addresses = b.assetAddresses(key+".addresses", d, z)
			z.Assets = append(z.Assets, a)
		}
	}
}

func (b *builder) assetAddresses(key string, d assetDocument, z *Zone) (addresses []netip.Addr) {
	if len(d.Addresses.items) == 0 {
		b.mistake(key, "is missing: list the asset's addresses, as in [10.66.0.10]")
	}
	for i, text := range d.Addresses.items {
		at := d.Addresses.key(key, i)
		addr, ok := b.address(at, text)
		if !ok || !b.inZone(at, addr, z) {
			continue
		}
		if first, taken := b.addressAt[addr]; taken {
			b.mistake(at, "%s is an address of asset %q already: remove it from one of the two", addr, first)
			continue
		}
		b.addressAt[addr] = d.Name
		b.inventory.entries.Insert(netip.PrefixFrom(addr, addr.BitLen()),
			&Entry{Zone: z.Name, Kind: z.Kind, Protected: z.Protected, Asset: d.Name, Role: d.Role})
		addresses = append(addresses, addr)
	}
	return addresses
}

// inZone tells whether z is the innermost zone that holds addr; it is a mistake
// where not.
func (b *builder) inZone(key string, addr netip.Addr, z *Zone) bool {
	inner, held := b.zones.Lookup(addr)
	holds := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case held && inner == z:
		return true
	case held && slices.ContainsFunc(z.Prefixes, holds):
		b.mistake(key, "%s lies in the narrower zone %q: list the asset there", addr, inner.Name)
	case held:
		b.mistake(key, "%s lies in zone %q, outside the prefixes of %q: list the asset there, or correct the address", addr, inner.Name, z.Name)
	default:
		b.mistake(key, "%s lies outside the prefixes of zone %q: correct the address, or add a prefix that holds it", addr, z.Name)
	}
	return false
}

func (b *builder) addServices(docs map[string]texts) {
	for _, name := range sortedKeys(docs) {
		key := "services." + quotedKey(name)
		s := Service{Name: name}
		table := new(bart.Lite)
		list := docs[name]
		if len(list.items) == 0 {
			b.mistake(key, "is empty: list the addresses or prefixes of the service, as in [10.20.0.10]")
		}
		for i, text := range list.items {
			if p, ok := b.prefix(list.key(key, i), text, true); ok {
				table.Insert(p)
				s.Prefixes = append(s.Prefixes, p)
			}
		}
		b.inventory.services[name] = table
		b.inventory.Services = append(b.inventory.Services, s)
	}
}

// quotedKey quotes a name that a path of keys could not hold otherwise.
func quotedKey(name string) string {
	if strings.ContainsAny(name, ".[]*$' ") {
		return "'" + strings.ReplaceAll(name, "'", `\'`) + "'"
	}
	return name
}
