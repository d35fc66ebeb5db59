package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tapwatch/internal/config"
)

// Partition is what span of time one partition of flows holds. Old flows are dropped by
// whole partitions at best, so where few days fit on the disk an hour keeps it fuller.
type Partition string

// The partitions of flows.
const (
	PartitionDay  Partition = "day"
	PartitionHour Partition = "hour"
)

// key is the partition key of flows.
func (p Partition) key() string {
	if p == PartitionHour {
		return "toStartOfHour(received_at)"
	}
	return "toDate(received_at)"
}

func (p Partition) validate() error {
	if p != PartitionDay && p != PartitionHour {
		return config.Invalid("partition", "%q is neither %s nor %s", p, PartitionDay, PartitionHour)
	}
	return nil
}

// Partition is the partition key of flows, for its migration.
func (l layout) Partition() string { return l.partition.key() }

// keepPartition takes over how flows was made: a table keeps its partition key.
func (m *migrator) keepPartition(ctx context.Context) error {
	var key string
	err := m.conn.QueryRow(ctx, "SELECT partition_key FROM system.tables WHERE database = currentDatabase() AND name = ?", m.layout.Table("flows")).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read how flows is partitioned: %w", err)
	}
	made := PartitionDay
	if key == PartitionHour.key() {
		made = PartitionHour
	}
	if key == m.layout.Partition() {
		return nil
	}
	m.log.Warn("storage.partition applies to a new database only: set it to what this one was made with, or storage.clickhouse.database to a new name",
		"database", m.database, "made_with", made, "configured", cmp.Or(m.layout.partition, PartitionDay))
	m.layout.partition = made
	return nil
}
