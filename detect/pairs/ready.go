package pairs

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/detect"
)

//go:embed sampled.sql
var sampledSQL string

// Sampled says, a line a zone, of what a detector that needs the times of single
// sessions (what, as in "beacons") says nothing: what only sampling routers saw in the
// hour before at.
func Sampled(ctx context.Context, h detect.History, at time.Time, detector, what string, name func(netip.Addr) string) ([]detect.Readiness, error) {
	var rows []struct {
		Zone      string   `ch:"zone"`
		Exporters []string `ch:"exporters"`
	}
	err := h.Select(ctx, &rows, sampledSQL, detect.Param("start", at.Add(-time.Hour)), detect.Param("end", at))
	if err != nil {
		return nil, fmt.Errorf("look for what only sampling routers saw: %w", err)
	}
	all := []detect.Readiness{}
	for _, r := range rows {
		var routers []string
		for _, text := range r.Exporters {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("read an exporter's address: %w", err)
			}
			routers = append(routers, detect.ExporterText(addr.Unmap(), name))
		}
		slices.Sort(routers)
		all = append(all, detect.Readiness{Detector: detector, What: "unsampled export of " + r.Zone, Have: 0, Need: 1,
			Unit: "exporters",
			Text: fmt.Sprintf("Nothing is said of %s of %s in traffic that only %s saw: packets are sampled there, so sessions are missed and their times tell little.",
				what, r.Zone, strings.Join(routers, ", "))})
	}
	return all, nil
}

// History says, a line a zone, how much of the history there is that a detector needs to
// call a pair new.
func History(ctx context.Context, h detect.History, at time.Time, detector string, warmUp time.Duration, until string) ([]detect.Readiness, error) {
	zones, err := Zones(ctx, h, at)
	if err != nil {
		return nil, err
	}
	all := []detect.Readiness{}
	for _, z := range zones {
		if z.Zone == "" {
			continue
		}
		const day = 24 * time.Hour
		all = append(all, detect.Readiness{Detector: detector, What: "history of " + z.Zone,
			Have: min(at.Sub(z.Since), warmUp).Hours() / day.Hours(), Need: warmUp.Hours() / day.Hours(), Unit: "days", Text: until})
	}
	slices.SortFunc(all, func(a, b detect.Readiness) int { return strings.Compare(a.What, b.What) })
	return all, nil
}
