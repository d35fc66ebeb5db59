package firstseen

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tapwatch/detect"
)

//go:embed sampled.sql
var sampledSQL string

// Ready says for each protected zone how much of its warm-up has passed, and of how
// many pairs nothing can be said because only routers that sample see them.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	hour := at.Truncate(time.Hour)
	begin := map[string]time.Time{}
	// Not from the memory: nobody waits here until the hour before is complete.
	err := readZones(ctx, h, hour.Add(-d.cfg.History), hour, func(zone string, at time.Time) { earliest(begin, zone, at) })
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Zone    string   `ch:"zone"`
		Pairs   uint64   `ch:"pairs"`
		Sampled uint64   `ch:"sampled"`
		Routers []string `ch:"routers"`
	}
	err = h.Select(ctx, &rows, sampledSQL, detect.Param("since", hour.AddDate(0, 0, -1)), detect.Param("end", hour))
	if err != nil {
		return nil, fmt.Errorf("read which pairs only sampling routers see: %w", err)
	}
	inv := d.inventory()
	need := d.cfg.WarmUp.Hours() / 24
	var all []detect.Readiness
	for _, zone := range detect.ProtectedZones(inv) {
		have := 0.0
		if since, known := begin[zone]; known {
			have = min(hour.Sub(since).Hours()/24, need)
		}
		text := "First contacts of " + zone + " are told."
		if have < need {
			text = fmt.Sprintf("In %s everybody is new until there are %.0f days of history: first contacts are not told yet.", zone, need)
		}
		all = append(all, detect.Readiness{Detector: Name, What: "history of " + zone, Have: have, Need: need, Unit: "days", Text: text})
	}
	for _, r := range rows {
		if r.Sampled == 0 {
			continue
		}
		var routers []string
		for _, text := range r.Routers {
			if addr, err := netip.ParseAddr(text); err == nil {
				text = detect.ExporterText(addr.Unmap(), inv.ExporterName)
			}
			routers = append(routers, text)
		}
		all = append(all, detect.Readiness{
			Detector: Name, What: "unsampled export of " + r.Zone, Have: float64(r.Pairs - r.Sampled), Need: float64(r.Pairs), Unit: "pairs",
			Text: fmt.Sprintf("%d of %d pairs of %s are seen by sampling routers alone (%s): whether they are new cannot be told until a router exports them unsampled.",
				r.Sampled, r.Pairs, r.Zone, strings.Join(routers, ", ")),
		})
	}
	return all, nil
}
