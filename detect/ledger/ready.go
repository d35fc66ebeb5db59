package ledger

import (
	"context"
	"fmt"
	"time"

	"tapwatch/detect"
)

// Ready says how many days of history there are at that time, of need. text says what
// the detector cannot tell until then.
func Ready(ctx context.Context, at time.Time, h detect.History, detector string, need time.Duration, text string) ([]detect.Readiness, error) {
	var rows []struct {
		Hours uint64    `ch:"hours"`
		First time.Time `ch:"first"`
	}
	err := h.Select(ctx, &rows, "SELECT count() AS hours, min(hour) AS first FROM pair_hours WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}",
		detect.Param("since", at.Add(-need)), detect.Param("end", at))
	if err != nil {
		return nil, fmt.Errorf("read since when there is a history: %w", err)
	}
	r := detect.Readiness{Detector: detector, What: "history of what systems sent", Need: need.Hours() / 24, Unit: "days", Text: text}
	if len(rows) > 0 && rows[0].Hours > 0 {
		// The first hour of the span counts as all of it: the history may go further back.
		r.Have = min(r.Need, float64((at.Sub(rows[0].First)+time.Hour)/time.Hour)/24)
	}
	return []detect.Readiness{r}, nil
}
