package storage

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"tapwatch/flow"
)

// sessionWriter turns sessions into columns.
type sessionWriter struct {
	columns []sessionColumn
}

type sessionColumn struct {
	name   string
	values any // a slice
}

func (w *sessionWriter) names() string {
	names := make([]string, len(w.columns))
	for i := range w.columns {
		names[i] = w.columns[i].name
	}
	return strings.Join(names, ", ")
}

// column appends a column of what of gives of each session.
func column[T any](w *sessionWriter, sessions []flow.Session, name string, of func(s *flow.Session) T) {
	values := make([]T, len(sessions))
	for i := range sessions {
		values[i] = of(&sessions[i])
	}
	w.columns = append(w.columns, sessionColumn{name, values})
}

// sighted appends a column of lists of what of gives of each sighting.
func sighted[T any](w *sessionWriter, sessions []flow.Session, name string, of func(s *flow.SessionSighting) T) {
	column(w, sessions, name, func(s *flow.Session) []T {
		list := make([]T, len(s.Sightings))
		for i := range s.Sightings {
			list[i] = of(&s.Sightings[i])
		}
		return list
	})
}

func newSessionWriter(all []flow.Session) *sessionWriter {
	w := new(sessionWriter)
	column(w, all, "pane", func(s *flow.Session) time.Time { return s.Pane })
	column(w, all, "asset", func(s *flow.Session) string {
		if s.Asset.Name != "" {
			return s.Asset.Name
		}
		return s.AssetAddr.String()
	})
	column(w, all, "asset_addr", func(s *flow.Session) net.IP { return ip(s.AssetAddr) })
	column(w, all, "peer_addr", func(s *flow.Session) net.IP { return ip(s.PeerAddr) })
	column(w, all, "asset_port", func(s *flow.Session) uint16 { return s.AssetPort })
	column(w, all, "peer_port", func(s *flow.Session) uint16 { return s.PeerPort })
	column(w, all, "protocol", func(s *flow.Session) uint8 { return s.Protocol })
	column(w, all, "port", func(s *flow.Session) uint16 { return s.Port })
	column(w, all, "asset_serves", func(s *flow.Session) bool { return s.AssetServes })
	column(w, all, "initiator", func(s *flow.Session) string { return s.Initiator })
	column(w, all, "marks", sessionMarks)
	column(w, all, "flags_in", func(s *flow.Session) uint16 { return s.FlagsIn })
	column(w, all, "flags_out", func(s *flow.Session) uint16 { return s.FlagsOut })
	column(w, all, "flows", func(s *flow.Session) uint64 { return s.Flows })
	column(w, all, "bytes_in", func(s *flow.Session) uint64 { return s.BytesIn })
	column(w, all, "bytes_out", func(s *flow.Session) uint64 { return s.BytesOut })
	column(w, all, "packets_in", func(s *flow.Session) uint64 { return s.PacketsIn })
	column(w, all, "packets_out", func(s *flow.Session) uint64 { return s.PacketsOut })
	column(w, all, "first_seen", func(s *flow.Session) time.Time { return s.FirstSeen })
	column(w, all, "last_seen", func(s *flow.Session) time.Time { return s.LastSeen })
	column(w, all, "flow_start", func(s *flow.Session) time.Time { return s.FlowStart })
	column(w, all, "flow_end", func(s *flow.Session) time.Time { return s.FlowEnd })
	column(w, all, "started_at", func(s *flow.Session) time.Time { return s.StartedAt })
	column(w, all, "sampling", func(s *flow.Session) uint32 { return s.Sampling })
	column(w, all, "least_sampling", func(s *flow.Session) uint32 { return s.LeastSampling })
	column(w, all, "asset_asn", func(s *flow.Session) uint32 { return s.Asset.ASN })
	column(w, all, "peer_asn", func(s *flow.Session) uint32 { return s.Peer.ASN })
	for i := range sessionEnds {
		column(w, all, sessionEnds[i].name, func(s *flow.Session) string { return *sessionEnds[i].of(s) })
	}
	sighted(w, all, "sighting_exporters", func(s *flow.SessionSighting) net.IP { return ip(s.Exporter) })
	sighted(w, all, "sighting_to_asset", func(s *flow.SessionSighting) bool { return s.ToAsset })
	sighted(w, all, "sighting_sampling", func(s *flow.SessionSighting) uint32 { return s.Sampling })
	sighted(w, all, "sighting_in_if", func(s *flow.SessionSighting) uint32 { return s.InIf })
	sighted(w, all, "sighting_flows", func(s *flow.SessionSighting) uint64 { return s.Flows })
	sighted(w, all, "sighting_bytes", func(s *flow.SessionSighting) uint64 { return s.Bytes })
	sighted(w, all, "sighting_packets", func(s *flow.SessionSighting) uint64 { return s.Packets })
	return w
}

func ip(a netip.Addr) net.IP {
	b := a.As16()
	return b[:]
}

func sessionMarks(s *flow.Session) (marks uint8) {
	for _, m := range []struct {
		set bool
		bit uint8
	}{
		{s.Established, markEstablished},
		{s.Answered, markAnswered},
		{s.AssetTried, markAssetTried},
		{s.PeerTried, markPeerTried},
		{s.AssetSpoke, markAssetSpoke},
		{s.PeerSpoke, markPeerSpoke},
	} {
		if m.set {
			marks |= m.bit
		}
	}
	return marks
}
