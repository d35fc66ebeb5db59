package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"tapwatch/flow"
	"tapwatch/storage/native"
)

// watchedColumns are the columns of watched flow records that sessions are made from.
// Times come as milliseconds: reading them as numbers is cheaper.
type watchedColumns struct {
	receivedAt, exportDelay, duration proto.ColInt64
	exporter, src, dst                proto.ColIPv6
	srcPort, dstPort, tcpFlags        proto.ColUInt16
	protocol, ipVersion, icmpType     proto.ColUInt8
	sampling, inIf, srcASN, dstASN    proto.ColUInt32
	direction, initiator, assetEnd    proto.ColInt8
	bytes, packets                    proto.ColUInt64
	texts                             [len(watchedTexts)]*proto.ColLowCardinality[string]
}

// watchedTexts are the columns that hold words, with where they go.
var watchedTexts = [...]struct {
	name string
	at   func(b *flow.Batch) []string
}{
	{"src_zone", func(b *flow.Batch) []string { return b.SrcZone }},
	{"dst_zone", func(b *flow.Batch) []string { return b.DstZone }},
	{"src_zone_kind", func(b *flow.Batch) []string { return b.SrcZoneKind }},
	{"dst_zone_kind", func(b *flow.Batch) []string { return b.DstZoneKind }},
	{"src_asset", func(b *flow.Batch) []string { return b.SrcAsset }},
	{"dst_asset", func(b *flow.Batch) []string { return b.DstAsset }},
	{"src_role", func(b *flow.Batch) []string { return b.SrcRole }},
	{"dst_role", func(b *flow.Batch) []string { return b.DstRole }},
	{"src_country", func(b *flow.Batch) []string { return b.SrcCountry }},
	{"dst_country", func(b *flow.Batch) []string { return b.DstCountry }},
	{"src_as_org", func(b *flow.Batch) []string { return b.SrcASOrg }},
	{"dst_as_org", func(b *flow.Batch) []string { return b.DstASOrg }},
	{"src_intel", func(b *flow.Batch) []string { return b.SrcIntel }},
	{"dst_intel", func(b *flow.Batch) []string { return b.DstIntel }},
}

func newWatchedColumns() *watchedColumns {
	c := new(watchedColumns)
	for i := range c.texts {
		c.texts[i] = new(proto.ColStr).LowCardinality()
	}
	return c
}

// columns pairs each with the expression that it reads.
func (c *watchedColumns) columns() (expressions []string, results proto.Results) {
	for _, x := range []struct {
		expression string
		column     proto.ColResult
	}{
		{"toUnixTimestamp64Milli(received_at)", &c.receivedAt},
		{"export_delay_ms", &c.exportDelay},
		{"duration_ms", &c.duration},
		{"exporter", &c.exporter},
		{"src_addr", &c.src},
		{"dst_addr", &c.dst},
		{"src_port", &c.srcPort},
		{"dst_port", &c.dstPort},
		{"tcp_flags", &c.tcpFlags},
		{"protocol", &c.protocol},
		{"ip_version", &c.ipVersion},
		{"icmp_type", &c.icmpType},
		{"sampling_interval", &c.sampling},
		{"in_if", &c.inIf},
		{"src_asn", &c.srcASN},
		{"dst_asn", &c.dstASN},
		{"toInt8(direction)", &c.direction},
		{"toInt8(initiator)", &c.initiator},
		{"toInt8(asset_end)", &c.assetEnd},
		{"bytes", &c.bytes},
		{"packets", &c.packets},
	} {
		expressions = append(expressions, x.expression)
		results = append(results, proto.ResultColumn{Name: fmt.Sprintf("c%d", len(results)), Data: x.column})
	}
	for i, t := range watchedTexts {
		expressions = append(expressions, t.name)
		results = append(results, proto.ResultColumn{Name: fmt.Sprintf("c%d", len(results)), Data: c.texts[i]})
	}
	return expressions, results
}

// ReadWatched hands on the watched flow records received in [from, to), in the order in
// which they were received, in batches that are valid until take returns. Only the
// columns that sessions are made from are filled.
func (s *Store) ReadWatched(ctx context.Context, from, to time.Time, take func(*flow.Batch) error) error {
	columns := newWatchedColumns()
	expressions, results := columns.columns()
	query := fmt.Sprintf("SELECT %s\nFROM watched_flows\nWHERE received_at >= %s AND received_at < %s\nORDER BY received_at",
		numbered(expressions), momentSQL(from), momentSQL(to))
	var b flow.Batch
	err := s.readRows(ctx, query, results, func(rows int) error {
		b.Reset()
		b.Grow(rows)
		columns.fill(&b)
		return take(&b)
	})
	if err != nil {
		return fmt.Errorf("read the watched flows from %s to %s: %w", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// fill copies the columns into a batch of as many records.
func (c *watchedColumns) fill(b *flow.Batch) {
	copy(b.ReceivedAt, c.receivedAt)
	for i, received := range c.receivedAt {
		// As the columns end_at and start_at do.
		end := received
		if delay := c.exportDelay[i]; delay != native.UnknownTime {
			end = received - delay
			b.EndAt[i] = end
		}
		if d := c.duration[i]; d != native.UnknownTime {
			b.StartAt[i] = end - d
		}
	}
	copyAddresses(b.Exporter, c.exporter)
	copyAddresses(b.SrcAddr, c.src)
	copyAddresses(b.DstAddr, c.dst)
	copy(b.SrcPort, c.srcPort)
	copy(b.DstPort, c.dstPort)
	copy(b.TCPFlags, c.tcpFlags)
	copy(b.Protocol, c.protocol)
	copy(b.IPVersion, c.ipVersion)
	copy(b.ICMPType, c.icmpType)
	copy(b.SamplingInterval, c.sampling)
	copy(b.InIf, c.inIf)
	copy(b.SrcASN, c.srcASN)
	copy(b.DstASN, c.dstASN)
	copy(b.Direction, c.direction)
	copy(b.Initiator, c.initiator)
	copy(b.AssetEnd, c.assetEnd)
	copy(b.Bytes, c.bytes)
	copy(b.Packets, c.packets)
	for i, t := range watchedTexts {
		copy(t.at(b), c.texts[i].Values)
	}
}

func copyAddresses(into [][16]byte, from proto.ColIPv6) {
	for i := range from {
		into[i] = from[i]
	}
}
