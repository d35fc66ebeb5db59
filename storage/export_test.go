package storage

import (
	"context"

	"tapwatch/flow"
)

// InsertBatch is insertBatch for tests outside of the package.
func InsertBatch(ctx context.Context, s *Store, b *flow.Batch, token string) error {
	return s.insertBatch(ctx, b, token)
}
