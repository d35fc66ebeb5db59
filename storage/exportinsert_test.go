package storage

import (
	"context"

	"tapwatch/storage/spool"
)

// InsertSegment is insertSegment for tests outside of the package.
func InsertSegment(ctx context.Context, s *Store, g *spool.Segment) (corrupt int, err error) {
	return s.insertSegment(ctx, 0, g)
}
