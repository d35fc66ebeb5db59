package relay

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"tapwatch/detect"
)

//go:embed hours.sql
var hoursSQL string

// busyHours are the hours in which both pairs were active.
func busyHours(ctx context.Context, h detect.History, since, end time.Time, c *candidate) ([]time.Time, error) {
	var rows []struct {
		Hour time.Time `ch:"hour"`
	}
	in, out := c.In, c.Out
	err := h.Select(ctx, &rows, hoursSQL, detect.Param("since", since), detect.Param("end", end),
		detect.Param("in_asset", in.Asset.String()), detect.Param("in_peer", in.Peer.String()), detect.Param("in_protocol", in.Protocol), detect.Param("in_port", in.Port),
		detect.Param("out_asset", out.Asset.String()), detect.Param("out_peer", out.Peer.String()), detect.Param("out_protocol", out.Protocol), detect.Param("out_port", out.Port))
	if err != nil {
		return nil, fmt.Errorf("look for the hours of a chain of sessions: %w", err)
	}
	hours := make([]time.Time, len(rows))
	for i, r := range rows {
		hours[i] = r.Hour.UTC()
	}
	return hours, nil
}
