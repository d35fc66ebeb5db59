package storage_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// A database keeps the partitions that it was made with, and who configured others is
// told.
func TestPartition(t *testing.T) {
	endpoint := testkit.Database(t)
	migrate := func(p storage.Partition) (*storage.Store, string) {
		t.Helper()
		var log lockedBuffer
		at := endpoint
		at.Partition = p
		s, err := storage.Open(t.Context(), at, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
			t.Fatalf("Migrate with partition %q: %v", p, err)
		}
		return s, log.String()
	}
	const remedy = "set it to what this one was made with"
	for i, p := range []storage.Partition{storage.PartitionHour, storage.PartitionHour, storage.PartitionDay, ""} {
		s, log := migrate(p)
		if told, want := strings.Contains(log, remedy), p != storage.PartitionHour; told != want {
			t.Errorf("start %d with partition %q of a database made with hour: told %t, want %t:\n%s", i+1, p, told, want, log)
		}
		if p == storage.PartitionDay && !strings.Contains(log, "made_with=hour configured=day") {
			t.Errorf("what differs is not told: %s", log)
		}
		if key := scan[string](t, s, "SELECT partition_key FROM system.tables WHERE database = currentDatabase() AND name = 'flows'"); key != "toStartOfHour(received_at)" {
			t.Errorf("flows is partitioned by %s", key)
		}
	}
}

// A replay of days may bring more hours than ClickHouse lets one insert make partitions.
func TestManyHoursAtOnce(t *testing.T) {
	at := testkit.Database(t)
	at.Partition = storage.PartitionHour
	s := testkit.Open(t, at)
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	var b flow.Batch
	b.Grow(250)
	for i := range b.Len() {
		b.ReceivedAt[i] = testTime.Add(-time.Duration(i) * time.Hour).UnixMilli()
	}
	if err := storage.InsertBatch(t.Context(), s, &b, "a"); err != nil {
		t.Fatal(err)
	}
	if n := scan[uint64](t, s, "SELECT uniqExact(_partition_id) FROM flows"); n != 250 {
		t.Errorf("%d partitions of 250 hours", n)
	}
}
