package volume

import (
	"context"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/ledger"
)

// Ready says how much history there is of what it takes. Sampling keeps volumes, so that
// no router is left out; it widens what counts as usual.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	return ledger.Ready(ctx, at, h, Name, d.cfg.WarmUp,
		"What leaves a system cannot be called unusual before it is known for that long; the balance of directions needs 7 days with traffic.")
}
