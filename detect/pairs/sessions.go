package pairs

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
)

//go:embed sessions.sql
var sessionsSQL string

// Sessions are the sessions of the keys in the window, pane by pane. Where hours are
// given, only those that begin then are read.
func Sessions(ctx context.Context, h detect.History, w detect.Window, keys []Key, hours ...time.Time) ([]detect.Session, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	assets, peers := make([]string, len(keys)), make([]string, len(keys))
	protocols, ports := make([]uint16, len(keys)), make([]uint16, len(keys)) // a []uint8 would go as text
	for i, k := range keys {
		assets[i], peers[i], protocols[i], ports[i] = k.Asset.String(), k.Peer.String(), uint16(k.Protocol), k.Port
	}
	spans := []uint32{}
	for _, at := range hours {
		spans = append(spans, uint32(at.Unix()))
	}
	var rows []sessionRow
	err := h.Select(ctx, &rows, sessionsSQL, detect.Param("start", w.Start), detect.Param("end", w.End), detect.Param("hours", spans),
		detect.Param("assets", assets), detect.Param("peers", peers), detect.Param("protocols", protocols), detect.Param("ports", ports))
	if err != nil {
		return nil, fmt.Errorf("read the sessions of %d pairs: %w", len(keys), err)
	}
	all := make([]detect.Session, len(rows))
	for i := range rows {
		if all[i], err = rows[i].session(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sessionRow is a session as the table has it.
type sessionRow struct {
	Pane          time.Time  `ch:"pane"`
	AssetAddr     netip.Addr `ch:"asset_addr"`
	PeerAddr      netip.Addr `ch:"peer_addr"`
	AssetPort     uint16     `ch:"asset_port"`
	PeerPort      uint16     `ch:"peer_port"`
	Protocol      uint8      `ch:"protocol"`
	Port          uint16     `ch:"port"`
	AssetServes   bool       `ch:"asset_serves"`
	Initiator     string     `ch:"opened"`
	Established   uint8      `ch:"established"`
	Answered      uint8      `ch:"answered"`
	AssetTried    uint8      `ch:"asset_tried"`
	PeerTried     uint8      `ch:"peer_tried"`
	AssetSpoke    uint8      `ch:"asset_spoke"`
	PeerSpoke     uint8      `ch:"peer_spoke"`
	Flows         uint64     `ch:"flows"`
	BytesIn       uint64     `ch:"bytes_in"`
	BytesOut      uint64     `ch:"bytes_out"`
	PacketsIn     uint64     `ch:"packets_in"`
	PacketsOut    uint64     `ch:"packets_out"`
	FirstSeen     time.Time  `ch:"first_seen"`
	LastSeen      time.Time  `ch:"last_seen"`
	FlowStart     time.Time  `ch:"flow_start"`
	FlowEnd       time.Time  `ch:"flow_end"`
	StartedAt     time.Time  `ch:"started_at"`
	Sampling      uint32     `ch:"sampling"`
	LeastSampling uint32     `ch:"least_sampling"`
	AssetName     string     `ch:"asset_name"`
	AssetZone     string     `ch:"asset_zone"`
	AssetZoneKind string     `ch:"asset_zone_kind"`
	AssetRole     string     `ch:"asset_role"`
	AssetCountry  string     `ch:"asset_country"`
	AssetASN      uint32     `ch:"asset_asn"`
	AssetASOrg    string     `ch:"asset_as_org"`
	AssetIntel    string     `ch:"asset_intel"`
	PeerName      string     `ch:"peer_name"`
	PeerZone      string     `ch:"peer_zone"`
	PeerZoneKind  string     `ch:"peer_zone_kind"`
	PeerRole      string     `ch:"peer_role"`
	PeerCountry   string     `ch:"peer_country"`
	PeerASN       uint32     `ch:"peer_asn"`
	PeerASOrg     string     `ch:"peer_as_org"`
	PeerIntel     string     `ch:"peer_intel"`
	Exporters     []string   `ch:"exporters"`
	ToAsset       []uint8    `ch:"to_asset"`
	Samplings     []uint32   `ch:"samplings"`
	InIfs         []uint32   `ch:"in_ifs"`
	EachFlows     []uint64   `ch:"each_flows"`
	EachBytes     []uint64   `ch:"each_bytes"`
	EachPackets   []uint64   `ch:"each_packets"`
}

func (r *sessionRow) session() (detect.Session, error) {
	s := detect.Session{
		Pane: r.Pane.UTC(), AssetAddr: r.AssetAddr.Unmap(), PeerAddr: r.PeerAddr.Unmap(), AssetPort: r.AssetPort, PeerPort: r.PeerPort,
		Protocol: r.Protocol, Port: r.Port, AssetServes: r.AssetServes, Initiator: r.Initiator,
		Established: r.Established != 0, Answered: r.Answered != 0, AssetTried: r.AssetTried != 0, PeerTried: r.PeerTried != 0,
		AssetSpoke: r.AssetSpoke != 0, PeerSpoke: r.PeerSpoke != 0,
		Flows: r.Flows, BytesIn: r.BytesIn, BytesOut: r.BytesOut, PacketsIn: r.PacketsIn, PacketsOut: r.PacketsOut,
		FirstSeen: r.FirstSeen.UTC(), LastSeen: r.LastSeen.UTC(), FlowStart: r.FlowStart.UTC(), FlowEnd: r.FlowEnd.UTC(),
		StartedAt: r.StartedAt.UTC(), Sampling: r.Sampling, LeastSampling: r.LeastSampling,
		Asset: detect.End{Zone: r.AssetZone, Kind: r.AssetZoneKind, Name: r.AssetName, Role: r.AssetRole, Country: r.AssetCountry,
			ASN: r.AssetASN, ASOrg: r.AssetASOrg, Intel: r.AssetIntel},
		Peer: detect.End{Zone: r.PeerZone, Kind: r.PeerZoneKind, Name: r.PeerName, Role: r.PeerRole, Country: r.PeerCountry,
			ASN: r.PeerASN, ASOrg: r.PeerASOrg, Intel: r.PeerIntel},
	}
	for i, text := range r.Exporters {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return detect.Session{}, fmt.Errorf("read an exporter's address: %w", err)
		}
		s.Sightings = append(s.Sightings, detect.SessionSighting{Exporter: addr.Unmap(), ToAsset: r.ToAsset[i] != 0,
			Sampling: r.Samplings[i], InIf: r.InIfs[i], Flows: r.EachFlows[i], Bytes: r.EachBytes[i], Packets: r.EachPackets[i]})
	}
	return s, nil
}
