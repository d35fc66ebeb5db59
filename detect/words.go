package detect

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/flow"
)

// Bytes writes a number of bytes for people, in powers of 1000: "812 bytes",
// "12 kB", "4.8 GB".
func Bytes(n uint64) string {
	if n == 1 {
		return "1 byte"
	}
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n)/1000, 0
	for v >= 999.5 && unit < 4 {
		v, unit = v/1000, unit+1
	}
	name := [...]string{"kB", "MB", "GB", "TB", "PB"}[unit]
	if v < 9.95 {
		return fmt.Sprintf("%.1f %s", v, name)
	}
	return fmt.Sprintf("%.0f %s", v, name)
}

// Count writes a number of things: "1 flow", "12 flows".
func Count(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "s") {
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Clock writes a moment for people, in UTC, with seconds.
func Clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Span writes when something was seen: "at …" or "from … to …".
func Span(first, last time.Time) string {
	if from, to := Clock(first), Clock(last); from != to {
		return "from " + from + " to " + to
	}
	return "at " + Clock(first)
}

// Duration writes a length of time for people: "45 seconds", "5 minutes",
// "3 h 20 min", "2 days".
func Duration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < 2*time.Minute:
		return Count(uint64(d/time.Second), "second")
	case d < 2*time.Hour:
		return Count(uint64(d/time.Minute), "minute")
	case d < 2*day:
		if minutes := d % time.Hour / time.Minute; minutes > 0 {
			return fmt.Sprintf("%d h %d min", d/time.Hour, minutes)
		}
		return Count(uint64(d/time.Hour), "hour")
	default:
		return Count(uint64(d/day), "day")
	}
}

// Service names protocol and port as a person would: "SSH (tcp/22)", "tcp/4433",
// "GRE".
func Service(protocol uint8, port uint16) string {
	name := flow.ProtocolName(protocol)
	if port == 0 {
		if protocol > 0 && name[0] >= '0' && name[0] <= '9' {
			return "IP protocol " + name
		}
		return strings.ToUpper(name)
	}
	at := fmt.Sprintf("%s/%d", name, port)
	if known := portName(protocol, port); known != "" {
		return known + " (" + at + ")"
	}
	return at
}

// portName is what commonly listens on the port; empty where nothing does.
func portName(protocol uint8, port uint16) string {
	if protocol == flow.ProtocolUDP {
		return map[uint16]string{
			53: "DNS", 69: "TFTP", 123: "NTP", 161: "SNMP", 162: "SNMP trap", 443: "QUIC", 500: "IKE", 514: "syslog",
			1645: "RADIUS", 1646: "RADIUS", 1701: "L2TP", 1812: "RADIUS", 1813: "RADIUS", 2123: "GTP-C", 2152: "GTP-U",
			4500: "IPsec NAT-T", 4789: "VXLAN", 51820: "WireGuard",
		}[port]
	}
	if protocol != flow.ProtocolTCP {
		return ""
	}
	return map[uint16]string{
		20: "FTP data", 21: "FTP", 22: "SSH", 23: "Telnet", 25: "SMTP", 49: "TACACS+", 53: "DNS", 80: "HTTP",
		57400: "gNMI", 139: "NetBIOS", 179: "BGP", 389: "LDAP", 443: "HTTPS", 445: "SMB", 636: "LDAPS", 830: "NETCONF", 1433: "SQL Server",
		1521: "Oracle", 2083: "RadSec", 3306: "MySQL", 3389: "RDP", 3868: "Diameter", 4786: "Smart Install",
		5432: "PostgreSQL", 5900: "VNC", 5985: "WinRM", 6514: "syslog over TLS", 8080: "HTTP", 8443: "HTTPS",
		9339: "gNMI", 57722: "IOS XR SSH",
	}[port]
}

// roleText says what a role is for, with its article; empty for no role.
func roleText(role string) string {
	known := map[string]string{
		"admf": "the administration function that provisions intercepts",
		"mdf2": "a delivery function for intercept records (MDF2)",
		"mdf3": "a delivery function for intercepted content (MDF3)",
		"poi":  "a point of interception",
		"lemf": "an agency's monitoring facility",
		"hss":  "a subscriber database (HSS)",
		"hlr":  "a subscriber database (HLR)",
		"udm":  "a subscriber database (UDM)",
		"udr":  "a subscriber database (UDR)",
		"cdr":  "a system for charging records (CDR)",
		"mme":  "a mobility node (MME)",
		"amf":  "a mobility node (AMF)",
		"smf":  "a session node (SMF)",
		"upf":  "a user-plane gateway (UPF)",
		"sbc":  "a session border controller (SBC)",
		"dra":  "a Diameter agent (DRA)",
		"aaa":  "a login server (AAA)",
		"jump": "a jump host",
	}[strings.ToLower(role)]
	if known != "" || role == "" {
		return known
	}
	if name, ok := strings.CutPrefix(role, "li-"); ok {
		return "a lawful-intercept system (" + name + ")"
	}
	if strings.ContainsRune("aeiouAEIOU", rune(role[0])) {
		return "an " + role
	}
	return "a " + role
}

// AssetText names a protected end: "mdf3-1, a delivery function for intercepted
// content (MDF3) in li-east", or "10.66.0.77, an address of li-east that no asset
// owns".
func AssetText(p alert.Party) string {
	switch {
	case p.Asset == "" && p.Zone == "":
		return PeerText(p)
	case p.Asset == "":
		return fmt.Sprintf("%s, an address in %s that no asset owns", p.Addr, p.Zone)
	case p.Role == "":
		return fmt.Sprintf("%s in %s", p.Asset, p.Zone)
	default:
		return fmt.Sprintf("%s, %s in %s", p.Asset, roleText(p.Role), p.Zone)
	}
}

// PeerText names the other end with what places it: "91.2.3.4 (RU, AS64500 Example
// Hosting)", "jump-1 (10.20.0.5, management)".
func PeerText(p alert.Party) string {
	var facts []string
	name := p.Addr.String()
	if p.Asset != "" {
		name, facts = p.Asset, append(facts, p.Addr.String())
	}
	if p.Zone != "" {
		facts = append(facts, p.Zone)
	} else {
		facts = append(facts, PlaceText(p)...)
	}
	if len(facts) == 0 {
		return name
	}
	return name + " (" + strings.Join(facts, ", ") + ")"
}

// PlaceText is where in the world an end is: country and network, as far as known.
func PlaceText(p alert.Party) []string {
	var facts []string
	if p.Country != "" {
		facts = append(facts, p.Country)
	}
	if p.ASN != 0 {
		facts = append(facts, strings.TrimSpace(fmt.Sprintf("AS%d %s", p.ASN, p.ASOrg)))
	}
	return facts
}

// ExporterText names a router: "pe1.east (10.30.0.1)", or its address alone.
// name gives the inventory's name.
func ExporterText(addr netip.Addr, name func(netip.Addr) string) string {
	if n := name(addr); n != "" && n != addr.String() {
		return n + " (" + addr.String() + ")"
	}
	return addr.String()
}

// Deed says who did what to whom, in one line without a full stop.
func (c *Conversation) Deed() string {
	asset, peer, service := AssetText(c.Asset()), PeerText(c.Peer()), Service(c.Protocol, c.Port)
	switch {
	case c.Initiator == "peer" && c.Established:
		return fmt.Sprintf("%s opened %s to %s", peer, service, asset)
	case c.Initiator == "peer":
		return fmt.Sprintf("%s tried %s on %s", peer, service, asset)
	case c.Initiator == "asset" && c.Established:
		return fmt.Sprintf("%s opened %s to %s", shortText(c.Asset()), service, peer)
	case c.Initiator == "asset":
		return fmt.Sprintf("%s tried to reach %s by %s", shortText(c.Asset()), peer, service)
	case c.BytesIn == 0 && !c.Answered:
		return fmt.Sprintf("%s sent %s to %s", shortText(c.Asset()), service, peer)
	case c.BytesOut == 0 && !c.Answered:
		return fmt.Sprintf("%s sent %s to %s", peer, service, asset)
	default:
		return fmt.Sprintf("%s exchanged %s traffic with %s", peer, service, asset)
	}
}

// shortText names the asset at the start of a line: "mdf3-1 of li-east".
func shortText(p alert.Party) string {
	if p.Zone == "" {
		return p.Name()
	}
	return p.Name() + " of " + p.Zone
}
