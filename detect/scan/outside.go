package scan

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

//go:embed outside.sql
var outsideSQL string

// zoneDay is what the internet's scanners did to a zone in a day.
type zoneDay struct {
	Zone        string     `ch:"zone"`
	Kind        string     `ch:"zone_kind"`
	Sources     uint64     `ch:"sources"`
	MostTargets uint64     `ch:"most_targets"`
	Busiest     netip.Addr `ch:"busiest"`
	Country     string     `ch:"busiest_country"`
	ASN         uint32     `ch:"busiest_asn"`
	Example     netip.Addr `ch:"example_addr"`
	Flows       uint64     `ch:"zone_flows"`
	Bytes       uint64     `ch:"zone_bytes"`
	Packets     uint64     `ch:"zone_packets"`
	First       time.Time  `ch:"zone_first"`
	Last        time.Time  `ch:"zone_last"`
	Ports       []uint16   `ch:"ports"`
}

// outside folds, once a day, what scanners outside all zones did the day before: one
// low finding for each zone, always of the same alert.
func (s *scene) outside(ctx context.Context) ([]alert.Finding, error) {
	walk := s.cfg.newWalk()
	targets := uint64(walk.upper/walk.up) + 1
	var rows []zoneDay
	err := s.h.Select(ctx, &rows, query(outsideSQL), detect.Param("since", s.w.Start.Add(-24*time.Hour)),
		detect.Param("end", s.w.Start), detect.Param("targets", targets))
	if err != nil {
		return nil, fmt.Errorf("read what outside scanners did: %w", err)
	}
	var findings []alert.Finding
	for i := range rows {
		findings = append(findings, s.outsideDay(&rows[i]))
	}
	return findings, nil
}
