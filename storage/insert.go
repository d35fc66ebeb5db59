package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/flow"
)

// insertTimeout bounds one attempt, so that a hung server does not hold the writer
// for ever.
const insertTimeout = 2 * time.Minute

// insertFlows is the statement for the columns of flow.Fields.
var insertFlows = func() string {
	names := make([]string, len(flow.Fields))
	for i := range flow.Fields {
		names[i] = flow.Fields[i].Name
	}
	return "INSERT INTO flows (" + strings.Join(names, ", ") + ")"
}()

// insertBatch stores the records of b in one insert. An insert with the token of one
// that was stored, wholly or into some of the tables that depend on flows, stores
// only what is missing.
func (s *Store) insertBatch(ctx context.Context, b *flow.Batch, token string) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":               0,
		"insert_deduplicate":         1,
		"insert_deduplication_token": token,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		// A replay may span more days than ClickHouse expects of one insert.
		"max_partitions_per_insert_block": 0,
	}))
	batch, err := s.conn.PrepareBatch(ctx, insertFlows)
	if err != nil {
		return fmt.Errorf("prepare the insert of %d flows: %w", b.Len(), err)
	}
	for i := range flow.Fields {
		if err := batch.Column(i).Append(flow.Fields[i].Values(b)); err != nil {
			_ = batch.Abort() // the connection is given up; the first error tells more
			return &columnError{flow.Fields[i].Name, err}
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %d flows: %w", b.Len(), err)
	}
	return nil
}

// columnError says that the values of a column do not fit its type in ClickHouse.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string { return "encode column " + e.column + ": " + e.err.Error() }
func (e *columnError) Unwrap() error { return e.err }
