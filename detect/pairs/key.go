package pairs

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Key is two ends and a service between them. Port is the service port, 0 where the
// protocol has none.
type Key struct {
	Asset, Peer netip.Addr
	Protocol    uint8
	Port        uint16
}

// Compare orders keys.
func (k Key) Compare(o Key) int {
	return cmp.Or(k.Asset.Compare(o.Asset), k.Peer.Compare(o.Peer), cmp.Compare(k.Protocol, o.Protocol), cmp.Compare(k.Port, o.Port))
}

// Of is the key of a session.
func Of(s *detect.Session) Key { return Key{s.AssetAddr, s.PeerAddr, s.Protocol, s.Port} }

// Row is a pair as queries on pair_hours return it: embed it in the structs of such
// queries and select the columns of Columns.
type Row struct {
	Asset     string     `ch:"asset"`
	AssetAddr netip.Addr `ch:"asset_addr"`
	PeerAddr  netip.Addr `ch:"peer_addr"`
	Protocol  uint8      `ch:"protocol"`
	Port      uint16     `ch:"port"`
	// Serves says that the port is the asset's; Initiator is "peer", "asset" or empty.
	Serves    bool   `ch:"serves"`
	Initiator string `ch:"opened"`

	AssetName string `ch:"asset_is"`
	AssetZone string `ch:"asset_in"`
	AssetKind string `ch:"asset_kind"`
	AssetRole string `ch:"asset_does"`
	PeerName  string `ch:"peer_is"`
	PeerZone  string `ch:"peer_in"`
	PeerKind  string `ch:"peer_kind"`
	PeerRole  string `ch:"peer_does"`
	Country   string `ch:"country"`
	ASN       uint32 `ch:"asn"`
	ASOrg     string `ch:"as_org"`
}

// Key is the pair's key.
func (r *Row) Key() Key { return Key{r.AssetAddr.Unmap(), r.PeerAddr.Unmap(), r.Protocol, r.Port} }

// Columns is what a query on pair_hours AS p selects for a Row, and by what it groups:
// both stand in its text as {pair} and {by}.
func Columns(query string) string {
	return strings.NewReplacer("{pair}", `p.asset AS asset, p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol, p.port AS port,
    argMax(p.asset_serves, p.hour) AS serves, toString(argMax(p.initiator, (p.initiator != '', p.hour))) AS opened,
    argMax(p.asset_name, p.hour) AS asset_is, argMax(p.asset_zone, p.hour) AS asset_in, argMax(p.asset_zone_kind, p.hour) AS asset_kind,
    argMax(p.asset_role, p.hour) AS asset_does, argMax(p.peer_name, p.hour) AS peer_is, argMax(p.peer_zone, p.hour) AS peer_in,
    argMax(p.peer_zone_kind, p.hour) AS peer_kind, argMax(p.peer_role, p.hour) AS peer_does, argMax(p.peer_country, p.hour) AS country,
    argMax(p.peer_asn, p.hour) AS asn, argMax(p.peer_as_org, p.hour) AS as_org`,
		"{by}", "asset, asset_addr, peer_addr, protocol, port").Replace(query)
}

// AssetParty and PeerParty are the ends as alerts name them.
func (r *Row) AssetParty() alert.Party {
	return alert.Party{Addr: r.AssetAddr.Unmap(), Zone: r.AssetZone, ZoneKind: r.AssetKind, Asset: r.AssetName, Role: r.AssetRole}
}

// PeerParty is the other end.
func (r *Row) PeerParty() alert.Party {
	return alert.Party{Addr: r.PeerAddr.Unmap(), Zone: r.PeerZone, ZoneKind: r.PeerKind, Asset: r.PeerName, Role: r.PeerRole,
		Country: r.Country, ASN: r.ASN, ASOrg: r.ASOrg}
}

// External tells whether the peer lies outside of all zones.
func (r *Row) External() bool { return r.PeerZone == "" }

// Hosts tells whether both ends are single hosts that may stand anywhere: what goes to
// a group, to all or stays on the link (discovery, redundancy, routing) calls nobody.
func (r *Row) Hosts() bool { return single(r.AssetAddr.Unmap()) && single(r.PeerAddr.Unmap()) }

func single(a netip.Addr) bool {
	return a.IsValid() && !a.IsMulticast() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() && !a.IsLoopback() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// AsAsked is the pair in the inventory's terms, at a moment.
func (r *Row) AsAsked(at time.Time) inventory.Conversation {
	c := inventory.Conversation{Client: r.AssetAddr.Unmap(), Server: r.PeerAddr.Unmap(), Protocol: r.Protocol, Port: r.Port,
		At: at, InitiatorKnown: r.Initiator != ""}
	if r.Initiator == "peer" || r.Initiator == "" && r.Serves {
		c.Client, c.Server = c.Server, c.Client
	}
	return c
}

// Allowed tells whether the inventory allows the pair, by a rule or as a tunnel, at any
// of the moments.
func (r *Row) Allowed(inv *inventory.Inventory, moments ...time.Time) bool {
	if inv.ExpectsTunnel(r.AssetAddr, r.PeerAddr, r.Protocol) {
		return true
	}
	return slices.ContainsFunc(moments, func(at time.Time) bool {
		_, ok := inv.Allowed(r.AsAsked(at))
		return ok
	})
}

// Services are services as the configuration lists them: "udp/123", "sctp", "tcp/9339".
type Services []string

// Has tells whether the list holds the service, or its protocol.
func (s Services) Has(protocol uint8, port uint16) bool {
	name := flow.ProtocolName(protocol)
	return slices.Contains(s, name) || slices.Contains(s, name+"/"+strconv.Itoa(int(port)))
}

// Wrong is the index of the first entry that is no service, -1 for none.
func (s Services) Wrong() int {
	return slices.IndexFunc(s, func(text string) bool {
		name, port, hasPort := strings.Cut(text, "/")
		if _, err := strconv.ParseUint(port, 10, 16); hasPort && err != nil {
			return true
		}
		number, err := flow.ParseProtocol(name)
		return err != nil || flow.ProtocolName(number) != name
	})
}
