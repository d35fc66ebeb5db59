package app

import (
	"context"
	"fmt"
	"time"

	"tapwatch/detect"
)

// Ready tells how far the learning detectors are from ready at a time, in the order of
// the registry.
func Ready(ctx context.Context, db *Database, rules Rules, at time.Time) ([]detect.Readiness, error) {
	inv, err := rules.live()
	if err != nil {
		return nil, err
	}
	history := detect.NewStored(db.Store)
	var all []detect.Readiness
	for _, d := range rules.detectors(inv) {
		learner, ok := d.(detect.Learner)
		if !ok {
			continue
		}
		some, err := learner.Ready(ctx, at, history)
		if err != nil {
			return nil, fmt.Errorf("detector %s: %w", d.Name(), err)
		}
		all = append(all, some...)
	}
	return all, nil
}
