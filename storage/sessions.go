package storage

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/flow"
)

// Bits of the column marks of table sessions.
const (
	markEstablished = 1 << iota
	markAnswered
	markAssetTried
	markPeerTried
	markAssetSpoke
	markPeerSpoke
)

// sessionEnds are the columns of an end that hold words.
var sessionEnds = [...]struct {
	name string
	of   func(s *flow.Session) *string
}{
	{"asset_name", func(s *flow.Session) *string { return &s.Asset.Name }},
	{"asset_zone", func(s *flow.Session) *string { return &s.Asset.Zone }},
	{"asset_zone_kind", func(s *flow.Session) *string { return &s.Asset.Kind }},
	{"asset_role", func(s *flow.Session) *string { return &s.Asset.Role }},
	{"asset_country", func(s *flow.Session) *string { return &s.Asset.Country }},
	{"asset_as_org", func(s *flow.Session) *string { return &s.Asset.ASOrg }},
	{"asset_intel", func(s *flow.Session) *string { return &s.Asset.Intel }},
	{"peer_name", func(s *flow.Session) *string { return &s.Peer.Name }},
	{"peer_zone", func(s *flow.Session) *string { return &s.Peer.Zone }},
	{"peer_zone_kind", func(s *flow.Session) *string { return &s.Peer.Kind }},
	{"peer_role", func(s *flow.Session) *string { return &s.Peer.Role }},
	{"peer_country", func(s *flow.Session) *string { return &s.Peer.Country }},
	{"peer_as_org", func(s *flow.Session) *string { return &s.Peer.ASOrg }},
	{"peer_intel", func(s *flow.Session) *string { return &s.Peer.Intel }},
}

// sessionColumns are the columns of table sessions as they are read.
type sessionColumns struct {
	pane, first, last, flowStart, flowEnd, started  proto.ColInt64
	asset, peer                                     proto.ColIPv6
	assetPort, peerPort, port, flagsIn, flagsOut    proto.ColUInt16
	protocol, marks                                 proto.ColUInt8
	serves                                          proto.ColBool
	initiator                                       proto.ColInt8
	flows, bytesIn, bytesOut, packetsIn, packetsOut proto.ColUInt64
	sampling, leastSampling, assetASN, peerASN      proto.ColUInt32
	words                                           [len(sessionEnds)]*proto.ColLowCardinality[string]
	sightExporters                                  *proto.ColArr[proto.IPv6]
	sightToAsset                                    *proto.ColArr[bool]
	sightSampling, sightInIf                        *proto.ColArr[uint32]
	sightFlows, sightBytes, sightPackets            *proto.ColArr[uint64]
}

func newSessionColumns() *sessionColumns {
	c := &sessionColumns{
		sightExporters: new(proto.ColIPv6).Array(), sightToAsset: new(proto.ColBool).Array(),
		sightSampling: new(proto.ColUInt32).Array(), sightInIf: new(proto.ColUInt32).Array(),
		sightFlows: new(proto.ColUInt64).Array(), sightBytes: new(proto.ColUInt64).Array(), sightPackets: new(proto.ColUInt64).Array(),
	}
	for i := range c.words {
		c.words[i] = new(proto.ColStr).LowCardinality()
	}
	return c
}

func (c *sessionColumns) columns() (expressions []string, results proto.Results) {
	for _, x := range []struct {
		expression string
		column     proto.ColResult
	}{
		{"toInt64(toUnixTimestamp(pane)) * 1000", &c.pane},
		{"toUnixTimestamp64Milli(first_seen)", &c.first},
		{"toUnixTimestamp64Milli(last_seen)", &c.last},
		{"toUnixTimestamp64Milli(flow_start)", &c.flowStart},
		{"toUnixTimestamp64Milli(flow_end)", &c.flowEnd},
		{"toUnixTimestamp64Milli(started_at)", &c.started},
		{"asset_addr", &c.asset},
		{"peer_addr", &c.peer},
		{"asset_port", &c.assetPort},
		{"peer_port", &c.peerPort},
		{"port", &c.port},
		{"flags_in", &c.flagsIn},
		{"flags_out", &c.flagsOut},
		{"protocol", &c.protocol},
		{"marks", &c.marks},
		{"asset_serves", &c.serves},
		{"toInt8(initiator)", &c.initiator},
		{"flows", &c.flows},
		{"bytes_in", &c.bytesIn},
		{"bytes_out", &c.bytesOut},
		{"packets_in", &c.packetsIn},
		{"packets_out", &c.packetsOut},
		{"sampling", &c.sampling},
		{"least_sampling", &c.leastSampling},
		{"asset_asn", &c.assetASN},
		{"peer_asn", &c.peerASN},
		{"sighting_exporters", c.sightExporters},
		{"sighting_to_asset", c.sightToAsset},
		{"sighting_sampling", c.sightSampling},
		{"sighting_in_if", c.sightInIf},
		{"sighting_flows", c.sightFlows},
		{"sighting_bytes", c.sightBytes},
		{"sighting_packets", c.sightPackets},
	} {
		expressions = append(expressions, x.expression)
		results = append(results, proto.ResultColumn{Name: fmt.Sprintf("c%d", len(results)), Data: x.column})
	}
	for i := range sessionEnds {
		expressions = append(expressions, sessionEnds[i].name)
		results = append(results, proto.ResultColumn{Name: fmt.Sprintf("c%d", len(results)), Data: c.words[i]})
	}
	return expressions, results
}

// ReadSessions hands on the sessions of the panes that begin in [from, to), pane by
// pane, within a pane in the order of their ends. The slice is valid until take returns;
// what it holds stays good.
func (s *Store) ReadSessions(ctx context.Context, from, to time.Time, take func([]flow.Session) error) error {
	columns := newSessionColumns()
	expressions, results := columns.columns()
	query := fmt.Sprintf("SELECT %s\nFROM sessions\nWHERE pane >= toDateTime(%d) AND pane < toDateTime(%d)\nORDER BY pane, asset_addr, peer_addr, protocol, asset_port, peer_port",
		numbered(expressions), from.Unix(), to.Unix())
	var rows []flow.Session
	err := s.readRows(ctx, query, results, func(n int) error {
		rows = rows[:0]
		for i := range n {
			rows = append(rows, columns.session(i))
		}
		return take(rows)
	})
	if err != nil {
		return fmt.Errorf("read the sessions from %s to %s: %w", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), err)
	}
	return nil
}

var initiators = [...]string{"", "peer", "asset"}

// session is row i.
func (c *sessionColumns) session(i int) flow.Session {
	marks := c.marks[i]
	s := flow.Session{
		Pane: readMilli(c.pane[i]), AssetAddr: readAddr(c.asset[i]), PeerAddr: readAddr(c.peer[i]),
		AssetPort: c.assetPort[i], PeerPort: c.peerPort[i], Protocol: c.protocol[i], Port: c.port[i], AssetServes: c.serves[i],
		Initiator:   initiators[c.initiator[i]],
		Established: marks&markEstablished != 0, Answered: marks&markAnswered != 0,
		AssetTried: marks&markAssetTried != 0, PeerTried: marks&markPeerTried != 0,
		AssetSpoke: marks&markAssetSpoke != 0, PeerSpoke: marks&markPeerSpoke != 0,
		FlagsIn: c.flagsIn[i], FlagsOut: c.flagsOut[i],
		Flows: c.flows[i], BytesIn: c.bytesIn[i], BytesOut: c.bytesOut[i], PacketsIn: c.packetsIn[i], PacketsOut: c.packetsOut[i],
		FirstSeen: readMilli(c.first[i]), LastSeen: readMilli(c.last[i]),
		FlowStart: readMilli(c.flowStart[i]), FlowEnd: readMilli(c.flowEnd[i]), StartedAt: readMilli(c.started[i]),
		Sampling: c.sampling[i], LeastSampling: c.leastSampling[i],
	}
	s.Asset.ASN, s.Peer.ASN = c.assetASN[i], c.peerASN[i]
	for k := range sessionEnds {
		*sessionEnds[k].of(&s) = c.words[k].Values[i]
	}
	exporters := c.sightExporters.Row(i)
	toAsset, sampling, inIf := c.sightToAsset.Row(i), c.sightSampling.Row(i), c.sightInIf.Row(i)
	flows, bytes, packets := c.sightFlows.Row(i), c.sightBytes.Row(i), c.sightPackets.Row(i)
	s.Sightings = make([]flow.SessionSighting, len(exporters))
	for k := range exporters {
		s.Sightings[k] = flow.SessionSighting{Exporter: readAddr(exporters[k]), ToAsset: toAsset[k], Sampling: sampling[k], InIf: inIf[k],
			Flows: flows[k], Bytes: bytes[k], Packets: packets[k]}
	}
	return s
}

func readMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func readAddr(a proto.IPv6) netip.Addr { return netip.AddrFrom16(a).Unmap() }

// WriteSessions stores the sessions of whole panes. Sessions that were stored with the
// same token before are left alone; an empty token stores them in any case.
func (s *Store) WriteSessions(ctx context.Context, sessions []flow.Session, token string) error {
	if len(sessions) == 0 {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(once(token)))
	w := newSessionWriter(sessions)
	batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO sessions ("+w.names()+")")
	if err != nil {
		return fmt.Errorf("store %d sessions: %w", len(sessions), s.orAway(err))
	}
	for i, c := range w.columns {
		if err := batch.Column(i).Append(c.values); err != nil {
			_ = batch.Abort() // the first error tells more
			return fmt.Errorf("store %d sessions: column %s: %w", len(sessions), c.name, err)
		}
	}
	if err := s.orAway(batch.Send()); err != nil {
		return fmt.Errorf("store %d sessions: %w", len(sessions), err)
	}
	return nil
}

// once are the settings of an insert that is to happen once for a token; for an empty
// one, as often as it is made: the same rows may have been stored and deleted before.
func once(token string) clickhouse.Settings {
	if token == "" {
		return clickhouse.Settings{"async_insert": 0, "insert_deduplicate": 0}
	}
	return clickhouse.Settings{"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token}
}
