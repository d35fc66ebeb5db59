package storage

import (
	"context"
	"time"

	"tapwatch/flow"
)

// InsertBatch is insertBatch for tests outside of the package.
func InsertBatch(ctx context.Context, s *Store, b *flow.Batch, token string) error {
	return s.insertBatch(ctx, 0, b, token)
}

// LatestHealthOf is LatestHealth with another limit.
func LatestHealthOf(ctx context.Context, s *Store, oldest, since time.Time, limit uint32) ([]ExporterHealth, error) {
	return s.latestHealth(ctx, oldest, since, limit)
}
