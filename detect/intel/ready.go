package intel

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"tapwatch/detect"
)

//go:embed ready.sql
var readySQL string

// Ready says whether there is anything to match with: it needs no history, but lists.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	var rows []struct {
		Indicators uint64 `ch:"indicators"`
	}
	if err := h.Select(ctx, &rows, readySQL, detect.Param("at", at)); err != nil {
		return nil, fmt.Errorf("count the indicators of intelligence lists: %w", err)
	}
	r := detect.Readiness{Detector: Name, What: "intelligence lists", Need: 1, Unit: "indicators"}
	for _, row := range rows {
		r.Have = float64(row.Indicators)
	}
	r.Text = fmt.Sprintf("Flows are matched with %s as they come in, and with what lists bring new for %s back.",
		detect.Count(uint64(r.Have), "indicator"), detect.Duration(d.cfg.Lookback))
	if r.Have == 0 {
		r.Text = "No intelligence list holds an indicator that is valid: listed addresses are not noticed. Name lists in enrich.intel.lists."
	}
	return []detect.Readiness{r}, nil
}
