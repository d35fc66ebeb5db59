package service

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"tapwatch/detect"
)

//go:embed oldest.sql
var oldestSQL string

// Ready says for each zone how much of the history there is that new services are held
// against. Odd ports need none.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	var rows []struct {
		Zone  string    `ch:"zone"`
		First time.Time `ch:"first"`
	}
	hour := at.UTC().Truncate(time.Hour)
	err := h.Select(ctx, &rows, oldestSQL, detect.Param("start", hour.AddDate(0, 0, -d.cfg.HistoryDays)), detect.Param("end", hour))
	if err != nil {
		return nil, fmt.Errorf("read how old the history is: %w", err)
	}
	need := float64(d.cfg.WarmUpDays)
	all := []detect.Readiness{}
	for _, r := range rows {
		have := min(need, hour.Sub(r.First).Hours()/24)
		text := fmt.Sprintf("New services of systems in %s are found.", r.Zone)
		if have < need {
			text = fmt.Sprintf("New services of systems in %s are found once the history of the system is %d days old.", r.Zone, d.cfg.WarmUpDays)
		}
		all = append(all, detect.Readiness{Detector: Name, What: "new services in " + r.Zone, Have: have, Need: need, Unit: "days", Text: text})
	}
	if len(all) == 0 {
		all = append(all, detect.Readiness{Detector: Name, What: "new services", Need: need, Unit: "days",
			Text: fmt.Sprintf("New services are found once there is a history of %d days; odd ports of devices are found at once.", d.cfg.WarmUpDays)})
	}
	return all, nil
}
