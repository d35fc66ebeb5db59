package detect

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tapwatch/alert"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed conversations.sql
var conversationsSQL string

//go:embed active.sql
var activeSQL string

// Param binds a query's {name:Type} to a value. Times keep milliseconds.
func Param(name string, value any) any {
	if t, ok := value.(time.Time); ok {
		return clickhouse.DateNamed(name, t, clickhouse.MilliSeconds)
	}
	return driver.NamedValue{Name: name, Value: value}
}

// ConversationQuery selects conversations.
type ConversationQuery struct {
	// Window is where a conversation must have been active. What is counted
	// (flows, bytes, packets, sessions) is counted in the window alone.
	Window Window
	// Horizon is how long before the window evidence is looked for: whether the
	// other end answered, who opened it.
	Horizon time.Duration
	// Filter is a condition on the columns of watched_flows, SQL from the
	// detector's own files.
	Filter string
	// Protected are the names of the protected zones; see ProtectedZones.
	Protected []string
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
	AssetAddr netip.Addr `ch:"asset_addr"`
	PeerAddr  netip.Addr `ch:"peer_addr"`
	Protocol  uint8      `ch:"protocol"`
	// Port is the service port, 0 where the protocol has none. Without an
	// initiator it is the lower one of the two.
	Port uint16 `ch:"port"`
	// Initiator is "peer" or "asset", or empty where the flows do not tell.
	Initiator string `ch:"initiator"`
	// AssetServes says that Port is the asset's.
	AssetServes bool `ch:"asset_serves"`
	// Established says that there was more than an attempt; Answered, that both
	// directions were seen to take part. See the package's README.
	Established bool `ch:"established"`
	Answered    bool `ch:"answered"`
	// AssetTried and PeerTried say that the end sent a TCP SYN without ACK, which
	// only who opens a connection does.
	AssetTried bool `ch:"asset_tried"`
	PeerTried  bool `ch:"peer_tried"`
	// AssetSpoke and PeerSpoke say that the end sent data over TCP.
	AssetSpoke bool `ch:"asset_spoke"`
	PeerSpoke  bool `ch:"peer_spoke"`

	// Sessions counts five-tuples, Flows records, in the window.
	Sessions uint64 `ch:"sessions"`
	Flows    uint64 `ch:"flows"`
	BytesIn  uint64 `ch:"bytes_in"`  // to the asset
	BytesOut uint64 `ch:"bytes_out"` // to the peer
	Packets  uint64 `ch:"packets"`
	// FirstSeen and LastSeen bound the records in the window by received_at.
	FirstSeen time.Time `ch:"first_seen"`
	LastSeen  time.Time `ch:"last_seen"`
	// StartedAt is the earliest first packet, by the exporter's clock, of the
	// sessions active in the window, as far back as the horizon's records tell.
	StartedAt time.Time `ch:"started_at"`
	// Exporters reported the window's records; Unsampled are those of them that
	// gave no sampling interval. Sampling is the largest interval, 0 none known.
	Exporters []netip.Addr
	Unsampled []netip.Addr
	Sampling  uint32 `ch:"sampling"`
	// Sightings are the window's amounts as each exporter alone saw them, by address.
	Sightings []Sighting

	AssetZone     string `ch:"asset_zone"`
	AssetZoneKind string `ch:"asset_zone_kind"`
	AssetName     string `ch:"asset_name"`
	AssetRole     string `ch:"asset_role"`
	AssetCountry  string `ch:"asset_country"`
	AssetASN      uint32 `ch:"asset_asn"`
	AssetASOrg    string `ch:"asset_as_org"`
	AssetIntel    string `ch:"asset_intel"`
	PeerZone      string `ch:"peer_zone"`
	PeerZoneKind  string `ch:"peer_zone_kind"`
	PeerName      string `ch:"peer_name"`
	PeerRole      string `ch:"peer_role"`
	PeerCountry   string `ch:"peer_country"`
	PeerASN       uint32 `ch:"peer_asn"`
	PeerASOrg     string `ch:"peer_as_org"`
	PeerIntel     string `ch:"peer_intel"`
}

// Sighting is what one exporter reported of a conversation, multiplied by its
// sampling interval; Sampling is 0 where it has not said.
type Sighting struct {
	Exporter                          netip.Addr
	Sampling                          uint32
	Flows, BytesIn, BytesOut, Packets uint64
}

// Conversations folds the watched flows that the query selects, ordered by asset,
// peer, protocol, port and initiator. A window without such flows costs only a
// look.
func Conversations(ctx context.Context, h History, q ConversationQuery) ([]Conversation, error) {
	var active []struct {
		Active uint8 `ch:"active"`
	}
	start, end := Param("start", q.Window.Start), Param("end", q.Window.End)
	if err := h.Select(ctx, &active, strings.ReplaceAll(activeSQL, "{filter}", q.Filter), start, end); err != nil {
		return nil, fmt.Errorf("look for flows: %w", err)
	}
	if len(active) == 0 {
		return nil, nil
	}
	var rows []row
	err := h.Select(ctx, &rows, strings.ReplaceAll(conversationsSQL, "{filter}", q.Filter),
		start, end,
		Param("since", q.Window.Start.Add(-q.Horizon)),
		Param("protected", append([]string{}, q.Protected...)),
		Param("attempts", q.Attempts))
	if err != nil {
		return nil, fmt.Errorf("fold flows into conversations: %w", err)
	}
	all := make([]Conversation, len(rows))
	for i := range rows {
		if all[i], err = rows[i].conversation(q.Protected); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// row is a Conversation as the query returns it: the driver reads lists of
// addresses only as text.
type row struct {
	Conversation
	ExporterTexts  []string `ch:"exporters"`
	UnsampledTexts []string `ch:"unsampled"`
	// An exporter stands here once for each session and direction.
	SeenExporters []string `ch:"seen_exporters"`
	SeenSampling  []uint32 `ch:"seen_sampling"`
	SeenFlows     []uint64 `ch:"seen_flows"`
	SeenBytesIn   []uint64 `ch:"seen_bytes_in"`
	SeenBytesOut  []uint64 `ch:"seen_bytes_out"`
	SeenPackets   []uint64 `ch:"seen_packets"`
}

// sightings adds up what each exporter saw.
func (r *row) sightings() ([]Sighting, error) {
	addrs, err := parseAddrs(r.SeenExporters)
	if err != nil {
		return nil, err
	}
	all := []Sighting{}
	at := map[netip.Addr]int{}
	for i, addr := range addrs {
		j, known := at[addr]
		if !known {
			j = len(all)
			at[addr] = j
			all = append(all, Sighting{Exporter: addr})
		}
		s := &all[j]
		s.Sampling = max(s.Sampling, r.SeenSampling[i])
		s.Flows += r.SeenFlows[i]
		s.BytesIn += r.SeenBytesIn[i]
		s.BytesOut += r.SeenBytesOut[i]
		s.Packets += r.SeenPackets[i]
	}
	slices.SortFunc(all, func(a, b Sighting) int { return a.Exporter.Compare(b.Exporter) })
	return all, nil
}

// conversation gives addresses their natural form, times in UTC, and, between ends
// of the same standing, the asset's part to the end that was asked.
func (r *row) conversation(protected []string) (Conversation, error) {
	c := r.Conversation
	c.AssetAddr, c.PeerAddr = c.AssetAddr.Unmap(), c.PeerAddr.Unmap()
	c.FirstSeen, c.LastSeen, c.StartedAt = c.FirstSeen.UTC(), c.LastSeen.UTC(), c.StartedAt.UTC()
	var err error
	if c.Exporters, err = parseAddrs(r.ExporterTexts); err != nil {
		return Conversation{}, err
	}
	if c.Unsampled, err = parseAddrs(r.UnsampledTexts); err != nil {
		return Conversation{}, err
	}
	if c.Sightings, err = r.sightings(); err != nil {
		return Conversation{}, err
	}
	same := standing(c.AssetZone, c.AssetZoneKind, protected) == standing(c.PeerZone, c.PeerZoneKind, protected)
	if same && c.Initiator == "asset" {
		return c.Turned(), nil
	}
	return c, nil
}

func parseAddrs(texts []string) ([]netip.Addr, error) {
	addrs := make([]netip.Addr, len(texts))
	for i, text := range texts {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("read an exporter's address: %w", err)
		}
		addrs[i] = addr.Unmap()
	}
	return addrs, nil
}

// standing is how well an end is protected, as conversations.sql ranks it.
func standing(zone, kind string, protected []string) int {
	switch {
	case kind == flow.ZoneLawfulIntercept:
		return 3
	case slices.Contains(protected, zone):
		return 2
	case zone != "":
		return 1
	default:
		return 0
	}
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
