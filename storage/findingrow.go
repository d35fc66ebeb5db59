package storage

import (
	"time"

	"tapwatch/alert"
	"tapwatch/flow"
)

// findingColumns are what table findings and view alerts have in common.
type findingColumns struct {
	ID           string    `ch:"id"`
	Detector     string    `ch:"detector"`
	Rule         string    `ch:"rule"`
	WindowStart  time.Time `ch:"window_start"`
	WindowEnd    time.Time `ch:"window_end"`
	FirstSeen    time.Time `ch:"first_seen"`
	LastSeen     time.Time `ch:"last_seen"`
	Severity     int8      `ch:"severity"`
	Title        string    `ch:"title"`
	Summary      string    `ch:"summary"`
	Reasons      []string  `ch:"reasons"`
	NextSteps    []string  `ch:"next_steps"`
	SQL          string    `ch:"sql"`
	AssetAddr    [16]byte  `ch:"asset_addr"`
	AssetZone    string    `ch:"asset_zone"`
	AssetKind    string    `ch:"asset_zone_kind"`
	Asset        string    `ch:"asset"`
	AssetRole    string    `ch:"asset_role"`
	AssetCountry string    `ch:"asset_country"`
	AssetASN     uint32    `ch:"asset_asn"`
	AssetASOrg   string    `ch:"asset_as_org"`
	PeerAddr     [16]byte  `ch:"peer_addr"`
	PeerZone     string    `ch:"peer_zone"`
	PeerKind     string    `ch:"peer_zone_kind"`
	Peer         string    `ch:"peer_asset"`
	PeerRole     string    `ch:"peer_role"`
	PeerCountry  string    `ch:"peer_country"`
	PeerASN      uint32    `ch:"peer_asn"`
	PeerASOrg    string    `ch:"peer_as_org"`
	Initiator    string    `ch:"initiator"`
	Protocol     uint8     `ch:"protocol"`
	Port         uint16    `ch:"port"`
	Flows        uint64    `ch:"flows"`
	BytesToAsset uint64    `ch:"bytes_to_asset"`
	BytesToPeer  uint64    `ch:"bytes_to_peer"`
	Packets      uint64    `ch:"packets"`
	Exporters    []string  `ch:"exporters"`
	Quality      []string  `ch:"quality"`
	TechIDs      []string  `ch:"technique_ids"`
	TechNames    []string  `ch:"technique_names"`
	TechTactics  []string  `ch:"technique_tactics"`
	TechMatrices []string  `ch:"technique_matrices"`

	Confidence      float64   `ch:"confidence"`
	MeasureNames    []string  `ch:"measure_names"`
	MeasureObserved []float64 `ch:"measure_observed"`
	MeasureExpected []float64 `ch:"measure_expected"`
	MeasureUnits    []string  `ch:"measure_units"`
	MeasureRarities []float64 `ch:"measure_rarities"`
}

// findingRow is a row of table findings.
type findingRow struct {
	findingColumns
	sightingColumns
	StoredAt time.Time `ch:"stored_at"`
	Version  uint64    `ch:"version"`
}

// sightingColumns are a finding's sightings, column by column.
type sightingColumns struct {
	Exporters    []string `ch:"sighting_exporters"`
	Sampling     []uint32 `ch:"sighting_sampling"`
	Flows        []uint64 `ch:"sighting_flows"`
	BytesToAsset []uint64 `ch:"sighting_bytes_to_asset"`
	BytesToPeer  []uint64 `ch:"sighting_bytes_to_peer"`
	Packets      []uint64 `ch:"sighting_packets"`
}

func sightingsOf(f *alert.Finding) sightingColumns {
	c := sightingColumns{[]string{}, []uint32{}, []uint64{}, []uint64{}, []uint64{}, []uint64{}}
	for _, s := range f.Sightings {
		c.Exporters = append(c.Exporters, s.Exporter)
		c.Sampling = append(c.Sampling, s.Sampling)
		c.Flows = append(c.Flows, s.Flows)
		c.BytesToAsset = append(c.BytesToAsset, s.BytesToAsset)
		c.BytesToPeer = append(c.BytesToPeer, s.BytesToPeer)
		c.Packets = append(c.Packets, s.Packets)
	}
	return c
}

// alertRow is a row of view alerts.
type alertRow struct {
	findingColumns
	Findings  uint64    `ch:"findings"`
	RaisedAt  time.Time `ch:"raised_at"`
	UpdatedAt time.Time `ch:"updated_at"`
	Version   uint64    `ch:"version"`
}

// columnsOf gives the finding as it comes back from ClickHouse: times in whole
// milliseconds, no list nil.
func columnsOf(f *alert.Finding) findingColumns {
	c := findingColumns{
		ID: f.ID, Detector: f.Detector, Rule: f.Rule,
		WindowStart: storedTime(f.WindowStart), WindowEnd: storedTime(f.WindowEnd),
		FirstSeen: storedTime(f.FirstSeen), LastSeen: storedTime(f.LastSeen),
		Severity: int8(f.Severity), Title: f.Title, Summary: f.Summary,
		Reasons: present(f.Reasons), NextSteps: present(f.NextSteps), SQL: f.SQL,
		AssetAddr: flow.FromAddr(f.Asset.Addr), AssetZone: f.Asset.Zone, AssetKind: f.Asset.ZoneKind,
		Asset: f.Asset.Asset, AssetRole: f.Asset.Role,
		AssetCountry: f.Asset.Country, AssetASN: f.Asset.ASN, AssetASOrg: f.Asset.ASOrg,
		PeerAddr: flow.FromAddr(f.Peer.Addr), PeerZone: f.Peer.Zone, PeerKind: f.Peer.ZoneKind,
		Peer: f.Peer.Asset, PeerRole: f.Peer.Role,
		PeerCountry: f.Peer.Country, PeerASN: f.Peer.ASN, PeerASOrg: f.Peer.ASOrg,
		Initiator: f.Initiator, Protocol: f.Protocol, Port: f.Port,
		Flows: f.Flows, BytesToAsset: f.BytesToAsset, BytesToPeer: f.BytesToPeer, Packets: f.Packets,
		Exporters: present(f.Exporters), Quality: present(f.Quality),
		TechIDs: []string{}, TechNames: []string{}, TechTactics: []string{}, TechMatrices: []string{},
		Confidence:   f.Confidence,
		MeasureNames: []string{}, MeasureObserved: []float64{}, MeasureExpected: []float64{}, MeasureUnits: []string{}, MeasureRarities: []float64{},
	}
	for _, t := range f.Techniques {
		c.TechIDs = append(c.TechIDs, t.ID)
		c.TechNames = append(c.TechNames, t.Name)
		c.TechTactics = append(c.TechTactics, t.Tactic)
		c.TechMatrices = append(c.TechMatrices, t.Matrix)
	}
	for _, m := range f.Measures {
		c.MeasureNames = append(c.MeasureNames, m.Name)
		c.MeasureObserved = append(c.MeasureObserved, m.Observed)
		c.MeasureExpected = append(c.MeasureExpected, m.Expected)
		c.MeasureUnits = append(c.MeasureUnits, m.Unit)
		c.MeasureRarities = append(c.MeasureRarities, m.Rarity)
	}
	return c
}

// finding is the reverse of columnsOf.
func (c *findingColumns) finding() alert.Finding {
	f := alert.Finding{
		ID: c.ID, Detector: c.Detector, Rule: c.Rule,
		WindowStart: readTime(c.WindowStart), WindowEnd: readTime(c.WindowEnd),
		FirstSeen: readTime(c.FirstSeen), LastSeen: readTime(c.LastSeen),
		Severity: alert.Severity(c.Severity), Title: c.Title, Summary: c.Summary,
		Reasons: c.Reasons, NextSteps: c.NextSteps, SQL: c.SQL,
		Asset: alert.Party{
			Addr: flow.Addr(c.AssetAddr), Zone: c.AssetZone, ZoneKind: c.AssetKind, Asset: c.Asset, Role: c.AssetRole,
			Country: c.AssetCountry, ASN: c.AssetASN, ASOrg: c.AssetASOrg,
		},
		Peer: alert.Party{
			Addr: flow.Addr(c.PeerAddr), Zone: c.PeerZone, ZoneKind: c.PeerKind, Asset: c.Peer, Role: c.PeerRole,
			Country: c.PeerCountry, ASN: c.PeerASN, ASOrg: c.PeerASOrg,
		},
		Initiator: c.Initiator, Protocol: c.Protocol, Port: c.Port,
		Flows: c.Flows, BytesToAsset: c.BytesToAsset, BytesToPeer: c.BytesToPeer, Packets: c.Packets,
		Exporters: c.Exporters, Quality: c.Quality,
		Techniques: make([]alert.Technique, len(c.TechIDs)),
		Confidence: c.Confidence,
		Measures:   make([]alert.Measure, len(c.MeasureNames)),
	}
	for i := range f.Measures {
		f.Measures[i] = alert.Measure{
			Name: c.MeasureNames[i], Observed: c.MeasureObserved[i], Expected: c.MeasureExpected[i],
			Unit: c.MeasureUnits[i], Rarity: c.MeasureRarities[i],
		}
	}
	for i := range f.Techniques {
		f.Techniques[i] = alert.Technique{ID: c.TechIDs[i], Name: c.TechNames[i], Tactic: c.TechTactics[i], Matrix: c.TechMatrices[i]}
	}
	return f
}

func (r *alertRow) alert() alert.Alert {
	return alert.Alert{
		Finding: r.finding(), Findings: r.Findings,
		RaisedAt: readTime(r.RaisedAt), UpdatedAt: readTime(r.UpdatedAt), Version: r.Version,
	}
}

// storedTime is t as a DateTime64(3): the zero time is 1970.
func storedTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.UnixMilli(0).UTC()
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// readTime is the reverse of storedTime.
func readTime(t time.Time) time.Time {
	if t.UnixMilli() == 0 {
		return time.Time{}
	}
	return t.UTC()
}

func present(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
