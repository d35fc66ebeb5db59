package detect

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tapwatch/alert"
	"tapwatch/inventory"
)

// Param binds a query's {name:Type} to a value. Times keep milliseconds.
func Param(name string, value any) any {
	if t, ok := value.(time.Time); ok {
		return driver.NamedValue{Name: name, Value: epoch(t)}
	}
	return driver.NamedValue{Name: name, Value: value}
}

// epoch writes a moment as seconds since 1970. ClickHouse takes a number of fewer than
// ten digits for a date, and captures of routers without a clock begin in 1970. Nothing
// is stored of the time before, so that all of it is 1970.
func epoch(t time.Time) string {
	ms := max(0, t.UnixMilli())
	return fmt.Sprintf("%010d.%03d", ms/1000, ms%1000)
}

// ConversationQuery selects conversations.
type ConversationQuery struct {
	// Window is where a conversation must have been active. What is counted
	// (flows, bytes, packets, sessions) is counted in the window alone.
	Window Window
	// Filter selects sessions; nil selects all.
	Filter func(*Session) bool
	// Attempts also selects what was tried and never established.
	Attempts bool
}

// Conversation is what the flows between two addresses for one service add up to
// in a window. Flows that several routers exported, or one router at both sides,
// are counted once: the exporter that samples least, and of those the one that
// counted most, stands for all. Bytes and
// packets are multiplied by the sampling interval where it is known.
//
// The asset is the better protected end: lawful-intercept before other protected
// zones, those before zones that are not, zones before the rest. Between equals it
// is the end that was asked; where that is not known, the higher address.
type Conversation struct {
	AssetAddr netip.Addr
	PeerAddr  netip.Addr
	Protocol  uint8
	// Port is the service port, 0 where the protocol has none. Without an
	// initiator it is the lower one of the two.
	Port uint16
	// Initiator is "peer" or "asset", or empty where the flows do not tell.
	Initiator string
	// AssetServes says that Port is the asset's.
	AssetServes bool
	// Established says that there was more than an attempt; Answered, that both
	// directions were seen to take part. See the package's README.
	Established bool
	Answered    bool
	// AssetTried and PeerTried say that the end sent a TCP SYN without ACK, which
	// only who opens a connection does.
	AssetTried bool
	PeerTried  bool
	// AssetSpoke and PeerSpoke say that the end sent data over TCP.
	AssetSpoke bool
	PeerSpoke  bool

	// Sessions counts five-tuples, Flows records, in the window.
	Sessions uint64
	Flows    uint64
	BytesIn  uint64 // to the asset
	BytesOut uint64 // to the peer
	Packets  uint64
	// FirstSeen and LastSeen bound the records in the window by received_at.
	FirstSeen time.Time
	LastSeen  time.Time
	// StartedAt is the earliest first packet, by the exporter's clock, of the
	// sessions active in the window, as far back as the horizon's records tell.
	StartedAt time.Time
	// Exporters reported the window's records; Unsampled are those of them that
	// gave no sampling interval. Sampling is the largest interval, 0 none known.
	Exporters []netip.Addr
	Unsampled []netip.Addr
	Sampling  uint32
	// Sightings are the window's amounts as each exporter alone saw them, by address.
	Sightings []Sighting

	AssetZone     string
	AssetZoneKind string
	AssetName     string
	AssetRole     string
	AssetCountry  string
	AssetASN      uint32
	AssetASOrg    string
	AssetIntel    string
	PeerZone      string
	PeerZoneKind  string
	PeerName      string
	PeerRole      string
	PeerCountry   string
	PeerASN       uint32
	PeerASOrg     string
	PeerIntel     string
}

// Sighting is what one exporter reported of a conversation, multiplied by its
// sampling interval; Sampling is 0 where it has not said.
type Sighting struct {
	Exporter                          netip.Addr
	Sampling                          uint32
	Flows, BytesIn, BytesOut, Packets uint64
}

// Conversations adds up the sessions that the query selects, in the order of asset,
// peer, protocol, port and initiator.
func Conversations(ctx context.Context, h History, q ConversationQuery) ([]Conversation, error) {
	sessions, err := h.Sessions(ctx, q.Window)
	if err != nil {
		return nil, err
	}
	return Converse(sessions, q.Filter, q.Attempts), nil
}

// Turned returns the conversation as the other end sees it: asset and peer change
// places.
func (c *Conversation) Turned() Conversation {
	t := *c
	t.AssetAddr, t.PeerAddr = c.PeerAddr, c.AssetAddr
	t.AssetZone, t.PeerZone = c.PeerZone, c.AssetZone
	t.AssetZoneKind, t.PeerZoneKind = c.PeerZoneKind, c.AssetZoneKind
	t.AssetName, t.PeerName = c.PeerName, c.AssetName
	t.AssetRole, t.PeerRole = c.PeerRole, c.AssetRole
	t.AssetCountry, t.PeerCountry = c.PeerCountry, c.AssetCountry
	t.AssetASN, t.PeerASN = c.PeerASN, c.AssetASN
	t.AssetASOrg, t.PeerASOrg = c.PeerASOrg, c.AssetASOrg
	t.AssetIntel, t.PeerIntel = c.PeerIntel, c.AssetIntel
	t.BytesIn, t.BytesOut = c.BytesOut, c.BytesIn
	t.Sightings = slices.Clone(c.Sightings)
	for i, s := range c.Sightings {
		t.Sightings[i].BytesIn, t.Sightings[i].BytesOut = s.BytesOut, s.BytesIn
	}
	t.AssetServes = !c.AssetServes
	t.AssetTried, t.PeerTried = c.PeerTried, c.AssetTried
	t.AssetSpoke, t.PeerSpoke = c.PeerSpoke, c.AssetSpoke
	switch c.Initiator {
	case "peer":
		t.Initiator = "asset"
	case "asset":
		t.Initiator = "peer"
	}
	return t
}

// Asset returns the protected end.
func (c *Conversation) Asset() alert.Party {
	return alert.Party{Addr: c.AssetAddr, Zone: c.AssetZone, ZoneKind: c.AssetZoneKind, Asset: c.AssetName,
		Role: c.AssetRole, Country: c.AssetCountry, ASN: c.AssetASN, ASOrg: c.AssetASOrg}
}

// Peer returns the other end.
func (c *Conversation) Peer() alert.Party {
	return alert.Party{Addr: c.PeerAddr, Zone: c.PeerZone, ZoneKind: c.PeerZoneKind, Asset: c.PeerName,
		Role: c.PeerRole, Country: c.PeerCountry, ASN: c.PeerASN, ASOrg: c.PeerASOrg}
}

// AsAsked is the conversation in the inventory's terms. Where the initiator is not
// known, the end with the service port counts as the server.
func (c *Conversation) AsAsked() inventory.Conversation {
	asked := inventory.Conversation{
		Client: c.AssetAddr, Server: c.PeerAddr,
		Protocol: c.Protocol, Port: c.Port,
		At: c.At(), InitiatorKnown: c.Initiator != "",
	}
	if c.Initiator == "peer" || c.Initiator == "" && c.AssetServes {
		asked.Client, asked.Server = c.PeerAddr, c.AssetAddr
	}
	return asked
}

// clockSkew is how far an exporter's clock may be off before the time of a flow is
// taken from the collector instead.
const clockSkew = day

// At is when the conversation took place, for schedules: its first packet, or when
// the collector heard of it where the exporter's clock cannot be right.
func (c *Conversation) At() time.Time {
	if early := c.FirstSeen.Sub(c.StartedAt); early < 0 || early > clockSkew {
		return c.FirstSeen
	}
	return c.StartedAt
}

// ProtectedZones are the names of the inventory's protected zones.
func ProtectedZones(inv *inventory.Inventory) []string {
	names := []string{}
	for _, z := range inv.Zones {
		if z.Protected {
			names = append(names, z.Name)
		}
	}
	return names
}
