package campaign

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// rule is an allow rule of the inventory.
type rule struct {
	name, from, to, protocol, ports string
	either                          bool
	schedule, owner                 string
}

// rules are what the carrier allows: all of its background, and nothing that is
// planted toward the lawful-intercept site.
func (c *carrier) rules() []rule {
	li, core, net, ops := "li-operations", "core-engineering", "network-engineering", "network-operations"
	zone := "zone:" + c.li[0].name
	ws := "zone:" + c.workstations[0].name
	return []rule{
		{name: "x1-tasking", from: "role:admf", to: "[role:poi, role:mdf2, role:mdf3, role:mediation]", protocol: "tcp", ports: "[8443]", either: true, owner: li},
		{name: "x2-delivery", from: "role:poi", to: "role:mdf2", protocol: "tcp", ports: "[8890]", owner: li},
		{name: "x3-delivery", from: "role:poi", to: "role:mdf3", protocol: "tcp", ports: "[8891]", owner: li},
		{name: "mediation-feed", from: "role:mediation", to: "[role:mdf2, role:mdf3]", protocol: "tcp", ports: "[9009]", owner: li},
		{name: "hi2-hi3-handover", from: "[role:mdf2, role:mdf3]", to: "service:lemf", protocol: "tcp", ports: "[443, 12001]", owner: li},
		{name: "li-administration", from: "role:li-admin", to: "[role:admf, role:mdf2, role:mdf3, role:mediation]", protocol: "tcp", ports: "[22, 443]", schedule: "Mon-Fri 07:00-20:00 UTC", owner: li},
		{name: "li-time", from: zone, to: "role:li-ntp", protocol: "udp", ports: "[123]", owner: li},
		{name: "li-names", from: zone, to: "role:li-dns", protocol: "udp", ports: "[53]", owner: li},

		{name: "device-administration", from: "service:jump", to: "[role:router, kind:core]", protocol: "tcp", ports: "[22, 830]", owner: ops},
		{name: "workstations", from: ws, to: "service:jump", protocol: "tcp", ports: "[22]", owner: ops},
		{name: "tools", from: "service:jump", to: "[service:nms, service:archive, service:syslog]", protocol: "tcp", ports: "[443]", owner: ops},
		{name: "operations", from: "kind:management", to: "kind:core", protocol: "tcp", ports: "[22, 443]", owner: ops},
		{name: "device-aaa", from: "role:router", to: "service:aaa", protocol: "tcp", ports: "[49]", owner: ops},
		{name: "polling", from: "service:nms", to: "[role:router, kind:core]", protocol: "udp", ports: "[161]", owner: ops},
		{name: "automation", from: "service:nms", to: "role:router", protocol: "tcp", ports: "[830]", owner: ops},
		{name: "logging", from: "[role:router, kind:core]", to: "service:syslog", protocol: "udp", ports: "[514]", owner: ops},
		{name: "time", from: "[role:router, kind:core, kind:management]", to: "service:ntp", protocol: "udp", ports: "[123]", owner: ops},
		{name: "time-outside", from: "service:ntp", to: "service:stratum-1", protocol: "udp", ports: "[123]", owner: ops},
		{name: "config-archive", from: "service:archive", to: "role:router", protocol: "tcp", ports: "[22]", owner: ops},
		{name: "device-upload", from: "role:router", to: "service:archive", protocol: "tcp", ports: "[22, 443]", owner: ops},
		{name: "backup", from: "kind:core", to: "service:archive", protocol: "tcp", ports: "[22]", owner: ops},
		{name: "ibgp", from: "role:router", to: "role:router", protocol: "tcp", ports: "[179]", either: true, owner: net},

		{name: "ran-control", from: "kind:access", to: "[role:mme, role:amf]", protocol: "sctp", ports: "[36412, 38412]", either: true, owner: core},
		{name: "gtp-u", from: "kind:access", to: "role:upf", protocol: "udp", ports: "[2152]", either: true, owner: core},
		{name: "diameter", from: "kind:core", to: "[role:hss, role:dra]", protocol: "sctp", ports: "[3868]", either: true, owner: core},
		{name: "roaming", from: "service:roaming", to: "role:dra", protocol: "sctp", ports: "[3868]", either: true, owner: core},
		{name: "gtp-c", from: "role:mme", to: "role:smf", protocol: "udp", ports: "[2123]", either: true, owner: core},
		{name: "pfcp", from: "role:smf", to: "role:upf", protocol: "udp", ports: "[8805]", either: true, owner: core},
		{name: "sbi", from: "kind:core", to: "[role:udm, role:amf, role:smf]", protocol: "tcp", ports: "[8080]", owner: core},
		{name: "sip", from: "[kind:customer, kind:core]", to: "role:sbc", protocol: "udp", ports: "[5060]", either: true, owner: core},
		{name: "records", from: "kind:core", to: "role:cdr", protocol: "tcp", ports: "[22]", owner: core},
		{name: "names", from: "kind:core", to: "service:resolvers", protocol: "udp", ports: "[53]", owner: core},
		{name: "licensing", from: "kind:core", to: "service:licensing", protocol: "tcp", ports: "[443]", owner: core},
		{name: "updates", from: "kind:core", to: "service:updates", protocol: "tcp", ports: "[443]", owner: core},
		{name: "monitoring", from: "kind:core", to: "service:monitoring", protocol: "tcp", ports: "[443]", owner: core},
	}
}

// services names sets of peers. Updates may come from anywhere in their network, as
// carriers allow content networks.
func (c *carrier) services() []struct {
	name  string
	peers []string
} {
	addrs := func(hosts []*host) []string {
		all := make([]string, len(hosts))
		for i, h := range hosts {
			all[i] = h.addr.String()
		}
		return all
	}
	var updates []string
	for _, n := range c.internet.networks {
		if n.asn == c.cdn.asn {
			updates = append(updates, n.prefix.String())
		}
	}
	type service = struct {
		name  string
		peers []string
	}
	all := []service{}
	for _, role := range []string{"aaa", "nms", "syslog", "ntp", "jump", "archive"} {
		all = append(all, service{role, addrs(c.role[role])})
	}
	return append(all,
		service{"lemf", addrs(c.agencies)}, service{"roaming", addrs(c.roaming)}, service{"resolvers", addrs(c.resolvers)},
		service{"licensing", addrs(c.licensing)}, service{"monitoring", addrs(c.monitors)}, service{"stratum-1", addrs(c.stratum)},
		service{"updates", updates})
}

// maintenance is a window in which alerts about an exporter are held back.
type maintenance struct {
	exporter *exporter
	from, to int64
}

func list[T any](all []T, text func(T) string) string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = text(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func plain(s string) string { return s }

// inventory writes the inventory file.
func (c *carrier) inventory(p *plan) []byte {
	var b strings.Builder
	b.WriteString("zones:\n")
	for _, z := range c.zones {
		fmt.Fprintf(&b, "  - name: %s\n    kind: %s\n    prefixes: %s\n", z.name, z.kind, list(z.prefixes, netip.Prefix.String))
		c.writeAssets(&b, z)
	}
	b.WriteString("\nservices:\n")
	for _, s := range c.services() {
		fmt.Fprintf(&b, "  %s: %s\n", s.name, list(s.peers, plain))
	}
	b.WriteString("\nallow:\n")
	for i, r := range c.rules() {
		fmt.Fprintf(&b, "  - {name: %s, from: %s, to: %s, protocol: %s, ports: %s", r.name, quoted(r.from), quoted(r.to), r.protocol, r.ports)
		if r.either {
			b.WriteString(", initiator: either")
		}
		if r.schedule != "" {
			fmt.Fprintf(&b, ", schedule: %q", r.schedule)
		}
		fmt.Fprintf(&b, ", owner: %s, ticket: CHG-%d}\n", r.owner, 3001+i)
	}
	b.WriteString("\nexporters:\n")
	for _, e := range c.exporters {
		fmt.Fprintf(&b, "  - {address: %s, name: %q, site: %s, sampling: %d, interfaces: {%s}}\n", e.host.addr, e.host.name, e.site, e.sampling, e.interfaces(len(c.exporters)))
	}
	c.writeFences(&b)
	b.WriteString("\ntunnels:\n")
	for i, t := range c.tunnels {
		fmt.Fprintf(&b, "  - {endpoints: [%s, %s], protocol: %d, owner: network-engineering, ticket: CHG-%d}\n", t.from.addr, t.to.addr, t.protocol, 4001+i)
	}
	if len(p.maintenance) > 0 {
		b.WriteString("\nmaintenance:\n")
	}
	for i, m := range p.maintenance {
		at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
		fmt.Fprintf(&b, "  - {name: \"%s software upgrade\", exporters: [%s], from: %q, to: %q, ticket: CHG-%d}\n",
			m.exporter.host.name, m.exporter.host.addr, at(m.from), at(m.to), 5001+i)
	}
	return []byte(b.String())
}

// writeFences: the core opens nothing toward countries with which it has no business,
// and lawful intercept stays at home.
func (c *carrier) writeFences(b *strings.Builder) {
	quote := func(s string) string { return fmt.Sprintf("%q", s) }
	zoneName := func(z *zone) string { return z.name }
	b.WriteString("\nfences:\n")
	fmt.Fprintf(b, "  - {name: core-abroad, zones: %s, direction: out, deny_countries: %s, owner: core-engineering}\n",
		list(c.core, zoneName), list(c.denied, quote))
	fmt.Fprintf(b, "  - {name: intercept-at-home, zones: %s, direction: any, allow_countries: [%q], owner: li-operations}\n",
		list(c.li, zoneName), c.home)
}

// quoted quotes the selectors of a list, or the one there is.
func quoted(selectors string) string {
	if !strings.HasPrefix(selectors, "[") {
		return fmt.Sprintf("%q", selectors)
	}
	return list(strings.Split(strings.Trim(selectors, "[]"), ", "), func(s string) string { return fmt.Sprintf("%q", s) })
}

func (c *carrier) writeAssets(b *strings.Builder, z *zone) {
	if len(z.hosts) == 0 {
		return
	}
	b.WriteString("    assets:\n")
	written := map[string]bool{}
	for _, h := range z.hosts {
		if written[h.name] {
			continue
		}
		written[h.name] = true
		var addrs []string
		for _, other := range z.hosts {
			if other.name == h.name {
				addrs = append(addrs, other.addr.String())
			}
		}
		fmt.Fprintf(b, "      - {name: %q, addresses: %s, role: %s}\n", h.name, list(addrs, plain), h.role)
	}
}

// interfaces gives the roles of an exporter's interfaces.
func (e *exporter) interfaces(exporters int) string {
	switch e.what {
	case whatBackbone:
		return fmt.Sprintf("core: [1-%d]", uplink+exporters+30)
	case whatBorder:
		return "core: [1-9], peering: [10-19]"
	case whatLI:
		return "core: [1-9], lawful-intercept: [60-69]"
	case whatAccess:
		return "core: [1-9], access: [30-39, 101], customer: [100, 102-199]"
	default:
		return "core: [1-9], access: [30-49], hosting: [50-59]"
	}
}
