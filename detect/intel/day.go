package intel

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"tapwatch/detect"
)

//go:embed day.sql
var daySQL string

// dayLength is how far back it is looked with how many entries a system talks.
const dayLength = 24 * time.Hour

// day is what protected systems had with listed addresses in the last day.
type day struct {
	amounts map[[2]string]dayRow // by asset and indicator
	// entries is how many entries of a list an asset talked with, by asset and list.
	entries map[[2]string]int
}

type dayRow struct {
	Asset     string `ch:"asset"`
	Indicator string `ch:"indicator"`
	BytesIn   uint64 `ch:"bytes_in"`
	BytesOut  uint64 `ch:"bytes_out"`
	Spoke     bool   `ch:"spoke"`
}

// lastDay reads the day of the assets up to that moment.
func lastDay(ctx context.Context, h detect.History, assets []string, end time.Time) (day, error) {
	d := day{amounts: map[[2]string]dayRow{}, entries: map[[2]string]int{}}
	if len(assets) == 0 {
		return d, nil
	}
	var rows []dayRow
	err := h.Select(ctx, &rows, daySQL, detect.Param("assets", assets), detect.Param("start", end.Add(-dayLength)), detect.Param("end", end))
	if err != nil {
		return d, fmt.Errorf("read what systems had with listed addresses in a day: %w", err)
	}
	for _, r := range rows {
		d.amounts[[2]string{r.Asset, r.Indicator}] = r
		if r.Spoke {
			d.entries[[2]string{r.Asset, listName(r.Indicator)}]++
		}
	}
	return d, nil
}

// bytes is how much went either way between the asset and the entry.
func (d *day) bytes(h *hit) uint64 {
	r := d.amounts[[2]string{h.Asset().Name(), h.indicator}]
	return max(r.BytesIn+r.BytesOut, h.BytesIn+h.BytesOut)
}
