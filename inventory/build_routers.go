package inventory

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/internal/config"
)

func (b *builder) addExporters(docs []exporterDocument) {
	b.inventory.Exporters = make([]Exporter, len(docs))
	for i, d := range docs {
		key := config.Index("exporters", i)
		e := &b.inventory.Exporters[i]
		*e = Exporter{Name: d.Name, Site: d.Site, Platform: d.Platform, Sampling: d.Sampling}
		if !knownPlatform(d.Platform) {
			b.mistake(key+".platform", "%q is no platform that tapwatch knows commands of: use one of %s, or leave it out", d.Platform, strings.Join(Platforms(), ", "))
		}
		e.Interfaces = b.interfaces(key+".interfaces", d.Interfaces)
		e.Attached = b.attached(key+".attached", d.Attached)
		addr, ok := b.address(key+".address", d.Address)
		if !ok {
			continue
		}
		if first, taken := b.exporterAt[addr]; taken {
			b.mistake(key+".address", "%s is the address of %s already: list each exporter once", addr, first)
			continue
		}
		b.exporterAt[addr] = key
		e.Address = addr
		e.Name = cmp.Or(e.Name, addr.String())
		b.claim(b.exporterNameAt, key+".name", e.Name, "exporter")
		b.inventory.exporters[addr] = e
	}
}

func (b *builder) interfaces(key string, docs map[string]texts) (roles []InterfaceRole) {
	for _, role := range sortedKeys(docs) {
		list := docs[role]
		path := key + "." + quotedKey(role)
		for i, text := range list.items {
			at := list.key(path, i)
			first, last, err := parseRange(text, 32)
			if err != nil {
				b.mistake(at, "%v", err)
				continue
			}
			r := InterfaceRole{Role: role, First: uint32(first), Last: uint32(last)}
			overlaps := func(o InterfaceRole) bool { return o.First <= r.Last && r.First <= o.Last }
			if k := slices.IndexFunc(roles, overlaps); k >= 0 {
				b.mistake(at, "index %d has the role %q already: give each interface one role", max(r.First, roles[k].First), roles[k].Role)
				continue
			}
			roles = append(roles, r)
		}
	}
	return roles
}

func (b *builder) addTunnels(docs []tunnelDocument) {
	for i, d := range docs {
		key := config.Index("tunnels", i)
		t := Tunnel{Owner: d.Owner, Ticket: d.Ticket}
		if len(d.Endpoints.items) != 2 {
			b.mistake(key+".endpoints", "has %d addresses: write the two ends, as in [10.30.0.1, 10.30.0.2]", len(d.Endpoints.items))
			continue
		}
		for j, text := range d.Endpoints.items {
			t.Endpoints[j], _ = b.address(d.Endpoints.key(key+".endpoints", j), text)
		}
		if t.Endpoints[0] == t.Endpoints[1] && t.Endpoints[0].IsValid() {
			b.mistake(key+".endpoints", "names one address twice: write the two ends of the tunnel")
		}
		if d.Protocol == "" {
			b.mistake(key+".protocol", "is missing: write gre, ipip, esp, ah, l2tp, udp or a number")
		} else {
			t.Protocol = b.protocol(key+".protocol", d.Protocol)
		}
		b.inventory.Tunnels = append(b.inventory.Tunnels, t)
	}
}

func (b *builder) addMaintenance(docs []maintenanceDocument) {
	for i, d := range docs {
		key := config.Index("maintenance", i)
		m := Maintenance{Name: d.Name, Ticket: d.Ticket, Zones: d.Zones.items, Assets: d.Assets.items}
		if d.Name == "" {
			b.mistake(key+".name", "is missing: say what the maintenance is")
		}
		m.From, m.To = b.time(key+".from", d.From), b.time(key+".to", d.To)
		if !m.From.IsZero() && !m.To.IsZero() && !m.From.Before(m.To) {
			b.mistake(key+".to", "%s is not after from, %s: swap or correct them", d.To, d.From)
		}
		if len(d.Exporters.items)+len(d.Zones.items)+len(d.Assets.items) == 0 {
			b.mistake(key, "names nothing: list exporters, zones or assets")
		}
		m.Exporters = b.maintainedExporters(key+".exporters", d.Exporters)
		for j, name := range d.Zones.items {
			b.mustKnow(d.Zones.key(key+".zones", j), known(b.zoneAt, name, "zone"))
		}
		for j, name := range d.Assets.items {
			b.mustKnow(d.Assets.key(key+".assets", j), known(b.assetAt, name, "asset"))
		}
		b.inventory.Maintenance = append(b.inventory.Maintenance, m)
	}
}

func (b *builder) mustKnow(key string, err error) {
	if err != nil {
		b.mistake(key, "%v", err)
	}
}

// maintainedExporters reads addresses, and names of listed exporters.
func (b *builder) maintainedExporters(key string, list texts) (addresses []netip.Addr) {
	for i, text := range list.items {
		byName := func(e Exporter) bool { return e.Name == text }
		if k := slices.IndexFunc(b.inventory.Exporters, byName); k >= 0 {
			addresses = append(addresses, b.inventory.Exporters[k].Address)
			continue
		}
		addr, message := parseAddr(text)
		if message != "" {
			b.mustKnow(list.key(key, i), known(b.exporterNameAt, text, "exporter"))
			continue
		}
		addresses = append(addresses, addr)
	}
	return addresses
}

func (b *builder) time(key, text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		b.mistake(key, "%q is not a time with a zone: write it as in 2026-12-01T01:00:00Z", text)
	}
	return t
}
