package scan

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
)

//go:embed amounts.sql
var amountsSQL string

// amount is what a router saw of a source in the last hour.
type amount struct {
	Source    netip.Addr `ch:"source"`
	Router    string     `ch:"router"`
	Sampling  uint32     `ch:"sampling"`
	Flows     uint64     `ch:"flows"`
	BytesSent uint64     `ch:"bytes_sent"`
	BytesBack uint64     `ch:"bytes_back"`
	Packets   uint64     `ch:"packets"`
	Last      time.Time  `ch:"last"`
}

// amounts are what the routers saw of the sources in the last hour, by source.
func (s *scene) amounts(ctx context.Context, all []*suspect) (map[netip.Addr][]amount, error) {
	sources := make([]string, len(all))
	for i, x := range all {
		sources[i] = x.addr.String()
	}
	var rows []amount
	err := s.h.Select(ctx, &rows, amountsSQL, detect.Param("sources", sources),
		detect.Param("since", s.w.Start.Add(-time.Hour)), detect.Param("end", s.w.Start))
	if err != nil {
		return nil, fmt.Errorf("read what %d sources sent: %w", len(all), err)
	}
	by := map[netip.Addr][]amount{}
	for _, r := range rows {
		r.Last = r.Last.UTC()
		by[r.Source.Unmap()] = append(by[r.Source.Unmap()], r)
	}
	return by, nil
}
