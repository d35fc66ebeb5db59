package beacon

import (
	"context"
	"fmt"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/pairs"
)

// Ready says how much history each zone has of what it takes to call a pair new, and
// what only sampling routers see.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	all, err := pairs.History(ctx, h, at, Name, d.cfg.WarmUp,
		fmt.Sprintf("Until a zone has been watched for %s, beacons to outside peers are reported with less confidence, since they may be old, and those to inside peers not at all.", detect.Duration(d.cfg.WarmUp)))
	if err != nil {
		return nil, err
	}
	sampled, err := pairs.Sampled(ctx, h, at, Name, "beacons", d.inventory().ExporterName)
	if err != nil {
		return nil, err
	}
	return append(all, sampled...), nil
}
