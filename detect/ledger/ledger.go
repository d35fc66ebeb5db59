package ledger

import (
	"cmp"
	_ "embed"
	"net/netip"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed ends.sql
var endsSQL string

// Query puts the columns of a pair's two directions into a query on pair_hours, where
// it says {ends}. The query binds protected, the names of the protected zones.
func Query(query string) string {
	_, columns, _ := strings.Cut(endsSQL, "turned.\n")
	return strings.ReplaceAll(query, "{ends}", strings.TrimSpace(columns))
}

// Protected binds the names of the inventory's protected zones.
func Protected(inv *inventory.Inventory) any {
	return detect.Param("protected", detect.ProtectedZones(inv))
}

// Key tells senders or receivers apart: by name, or by address what has none.
type Key struct {
	Name string
	Addr netip.Addr
}

// Move is what one end sent another over one service in a span of time.
type Move struct {
	At       time.Time  `ch:"at"`
	FromName string     `ch:"from_name"`
	FromAddr netip.Addr `ch:"from_addr"`
	FromZone string     `ch:"from_zone"`
	FromKind string     `ch:"from_kind"`
	FromRole string     `ch:"from_role"`

	ToName    string     `ch:"to_name"`
	ToAddr    netip.Addr `ch:"to_addr"`
	ToZone    string     `ch:"to_zone"`
	ToKind    string     `ch:"to_kind"`
	ToRole    string     `ch:"to_role"`
	ToCountry string     `ch:"to_country"`
	ToASN     uint32     `ch:"to_asn"`
	ToASOrg   string     `ch:"to_as_org"`

	Protocol uint8  `ch:"protocol"`
	Port     uint16 `ch:"port"`
	// Opened is the end that opened it: "from", "to", or empty: not known. FromServes
	// says that the port is the sender's.
	Opened     string `ch:"opened"`
	FromServes bool   `ch:"from_serves"`
	// Sent is what went that way, Received what came back; in bytes, multiplied by the
	// sampling interval.
	Sent     uint64 `ch:"sent_bytes"`
	Received uint64 `ch:"received_bytes"`
	// Sampling is the interval of the router that tells best, the largest of the span's.
	Sampling uint32 `ch:"sampling"`
}

// Tidy gives the addresses and the time their plain form.
func (m *Move) Tidy() {
	m.At, m.FromAddr, m.ToAddr = m.At.UTC(), m.FromAddr.Unmap(), m.ToAddr.Unmap()
}

// From is the sender's key.
func (m *Move) From() Key { return key(m.FromName, m.FromAddr) }

// To is the receiver's key.
func (m *Move) To() Key { return key(m.ToName, m.ToAddr) }

func key(name string, addr netip.Addr) Key {
	if name != "" {
		return Key{Name: name}
	}
	return Key{Addr: addr.Unmap()}
}

// Sender is the sender as alerts name it.
func (m *Move) Sender() alert.Party {
	return alert.Party{Addr: m.FromAddr, Zone: m.FromZone, ZoneKind: m.FromKind, Asset: m.FromName, Role: m.FromRole}
}

// Receiver is the receiver as alerts name it.
func (m *Move) Receiver() alert.Party {
	return alert.Party{Addr: m.ToAddr, Zone: m.ToZone, ZoneKind: m.ToKind, Asset: m.ToName, Role: m.ToRole,
		Country: m.ToCountry, ASN: m.ToASN, ASOrg: m.ToASOrg}
}

// Moves are a session's two directions.
func Moves(s *detect.Session) [2]Move {
	one, other := moveOf(s, false), moveOf(s, true)
	return [2]Move{one, other}
}

func moveOf(s *detect.Session, turned bool) Move {
	m := Move{At: s.Pane, Protocol: s.Protocol, Port: s.Port, FromServes: s.AssetServes != turned, Sampling: s.LeastSampling}
	from, to := &s.Asset, &s.Peer
	m.FromAddr, m.ToAddr, m.Sent, m.Received = s.AssetAddr, s.PeerAddr, s.BytesOut, s.BytesIn
	if turned {
		from, to = to, from
		m.FromAddr, m.ToAddr, m.Sent, m.Received = s.PeerAddr, s.AssetAddr, s.BytesIn, s.BytesOut
	}
	m.FromName, m.FromZone, m.FromKind, m.FromRole = from.Name, from.Zone, from.Kind, from.Role
	m.ToName, m.ToZone, m.ToKind, m.ToRole = to.Name, to.Zone, to.Kind, to.Role
	m.ToCountry, m.ToASN, m.ToASOrg = to.Country, to.ASN, to.ASOrg
	switch {
	case s.Initiator == "":
	case (s.Initiator == "peer") == turned:
		m.Opened = "from"
	default:
		m.Opened = "to"
	}
	return m
}

// Leaves tells the same as the column leaves: whether it goes to where nothing is
// protected, or from lawful intercept or the core to another kind of zone.
func (m *Move) Leaves(protected map[string]bool) bool {
	if !protected[m.FromZone] {
		return false
	}
	inner := m.FromKind == flow.ZoneLawfulIntercept || m.FromKind == flow.ZoneCore
	return !protected[m.ToZone] || inner && m.ToKind != m.FromKind && m.ToKind != flow.ZoneLawfulIntercept
}

// Network is the /24 (IPv4) or /48 (IPv6) of an address, as the column to_network.
func Network(addr netip.Addr) netip.Prefix {
	bits := 48
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	p, _ := addr.Prefix(bits)
	return p
}

// Last is the last address of a network.
func Last(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	host := p.Addr().BitLen() - p.Bits()
	for i := 15; host > 0; i, host = i-1, host-8 {
		b[i] |= byte(1<<min(host, 8) - 1)
	}
	return netip.AddrFrom16(b).Unmap()
}

// Compare orders keys.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Name, o.Name), k.Addr.Compare(o.Addr))
}

// Split gives the names and the addresses of keys, for queries.
func Split(keys []Key) (names []string, addrs []netip.Addr) {
	names = []string{}
	for _, k := range keys {
		if k.Name != "" {
			names = append(names, k.Name)
		} else {
			addrs = append(addrs, k.Addr)
		}
	}
	return names, addrs
}
