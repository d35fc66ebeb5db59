package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/flow"
	"tapwatch/storage/spool"
)

// fakeShards takes inserts in place of a cluster, and knows tokens again as ClickHouse
// does: on each shard for itself.
type fakeShards struct {
	mu     sync.Mutex
	down   []bool
	torn   []bool // stores, but the answer is lost
	tokens []map[string]bool
	ids    []map[uint64]int // Bytes of the records stored, how often
}

func newFakeShards(n int) *fakeShards {
	f := &fakeShards{down: make([]bool, n), torn: make([]bool, n)}
	for range n {
		f.tokens = append(f.tokens, map[string]bool{})
		f.ids = append(f.ids, map[uint64]int{})
	}
	return f
}

func (f *fakeShards) insertSegment(context.Context, int, *spool.Segment) (int, error) {
	return 0, errors.New("a segment of this version is decoded")
}

func (f *fakeShards) insertBatch(_ context.Context, shard int, b *flow.Batch, token string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down[shard] {
		return errors.New("connection refused")
	}
	if !f.tokens[shard][token] {
		f.tokens[shard][token] = true
		for _, id := range b.Bytes {
			f.ids[shard][id]++
		}
	}
	if f.torn[shard] {
		return errors.New("connection reset")
	}
	return nil
}

func (f *fakeShards) set(what []bool, shard int, to bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what[shard] = to
}

// count tells how many records the shard has.
func (f *fakeShards) count(shard int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.ids[shard])
}

// stored gives how many records each shard has, and fails the test unless those with
// the ids 0 to n-1 are stored once, or those but the ones in missing.
func (f *fakeShards) stored(t *testing.T, n int) []int {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var counts []int
	times := make([]int, n)
	for _, ids := range f.ids {
		counts = append(counts, len(ids))
		for id, k := range ids {
			times[id] += k
		}
	}
	for id, k := range times {
		if k != 1 {
			t.Errorf("record %d is stored %d times", id, k)
		}
	}
	return counts
}

// watchedBy are n records from the id on that touch the asset; none: that touch nothing
// protected.
func watchedBy(asset string, id, n int) *flow.Batch {
	var b flow.Batch
	b.Grow(n)
	for i := range n {
		b.Bytes[i] = uint64(id + i)
		if asset != "" {
			b.AssetEnd[i], b.DstAsset[i], b.Watched[i] = flow.AssetDst, asset, true
		}
	}
	return &b
}

func clusterWriter(t *testing.T, dir string) *Writer {
	t.Helper()
	w, err := NewWriter(Config{
		Cluster: "carrier", Name: "c1@rack", Batch: Batch{Records: 10, Interval: time.Second, QueueRecords: 40, Inserts: 1},
		Durability: DurabilityMemory, Spool: spool.Config{Dir: dir, MaxBytes: 1 << 20},
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// running runs a writer; stop ends it.
func running(t *testing.T, w *Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
}

// TestShards: an asset's records lie on one shard, all others on every shard in turn.
func TestShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeShards(3)
		w := clusterWriter(t, t.TempDir())
		stop := running(t, w)
		w.attach(server, 3)
		id := 0
		for range 30 {
			write(t, w, watchedBy("", id, 10))
			id += 10
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "unwatched records on each shard", server.stored(t, id), []int{100, 100, 100})
		home := map[string]int{}
		for i := range 60 {
			asset := fmt.Sprintf("mdf-%d", i%6)
			b := watchedBy(asset, id, 3)
			home[asset] = shardOf(b, 0, 3, -1)
			b.AppendRange(watchedBy("", id+3, 1), 0, 1)
			id += 4
			write(t, w, b)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.stored(t, id)
		for i := range 60 {
			first := uint64(300 + 4*i)
			for _, id := range []uint64{first, first + 1, first + 2} {
				if shard := home[fmt.Sprintf("mdf-%d", i%6)]; server.ids[shard][id] != 1 {
					t.Fatalf("record %d is not on shard %d, where the asset's history is", id, shard)
				}
			}
		}
		stop()
	})
}

// TestShardDown: while a shard is away, what must go there waits, in the spool too and
// over a restart, and all else goes to the others; nothing is lost or stored twice, even
// where the shard had stored what it did not acknowledge.
func TestShardDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		server := newFakeShards(2)
		w := clusterWriter(t, dir)
		stop := running(t, w)
		w.attach(server, 2)
		asset := ""
		for i := 0; asset == ""; i++ {
			if name := fmt.Sprintf("hss-%d", i); shardOf(watchedBy(name, 0, 1), 0, 2, -1) == 1 {
				asset = name
			}
		}
		id := 0
		put := func(name string, n int) {
			t.Helper()
			write(t, w, watchedBy(name, id, n))
			id += n
		}
		put("", 20)
		put(asset, 5)
		time.Sleep(2 * time.Second)
		server.set(server.torn, 1, true) // it stores what comes now, and nobody hears of it
		put(asset, 10)
		synctest.Wait()
		server.set(server.down, 1, true)
		for range 20 {
			put(asset, 10)
			put("", 10)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if waits := w.queue.size(); waits < 200 || waits > 220 {
			t.Errorf("%d records wait, want those of the asset", waits)
		}
		if w.disk.stats().Records == 0 {
			t.Error("nothing is in the spool though memory holds 40 records")
		}
		stop()

		// The next process finds them in the spool.
		w = clusterWriter(t, dir)
		stop = running(t, w)
		w.attach(server, 2)
		put(asset, 3)
		put("", 10)
		server.set(server.torn, 1, false)
		server.set(server.down, 1, false)
		time.Sleep(30 * time.Second)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		counts := server.stored(t, id)
		if counts[1] < 218 {
			t.Errorf("the shards have %v records, want 218 of the asset on the second", counts)
		}
		stop()
		for shard, tokens := range server.tokens {
			for token := range tokens {
				if laneOf(token) != shard {
					t.Errorf("shard %d got the insert %s", shard, token)
				}
			}
		}
	})
}

// TestCollectsBeforeClickHouse: what comes before it is known where ClickHouse is waits in
// memory and in the spool, and is stored then.
func TestCollectsBeforeClickHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeShards(1)
		w, err := NewWriter(Config{
			Name: "c1", Batch: Batch{Records: 10, Interval: time.Second, QueueRecords: 40},
			Durability: DurabilityMemory, Spool: spool.Config{Dir: t.TempDir(), MaxBytes: 1 << 20},
		}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, w)
		for i := range 50 {
			write(t, w, watchedBy("", 5*i, 5))
		}
		if w.disk.stats().Records < 200 {
			t.Errorf("%d records are in the spool", w.disk.stats().Records)
		}
		w.attach(server, 1)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "stored", server.stored(t, 250), []int{250})
		stop()
	})
}

// TestShardOfIsStable: collectors of any version must agree, so these must never change.
func TestShardOfIsStable(t *testing.T) {
	var got []string
	for _, asset := range []string{"mdf3-1", "admf-1", "hss-1", "pe1.east"} {
		got = append(got, fmt.Sprintf("%s %d", asset, shardOf(watchedBy(asset, 0, 1), 0, 7, -1)))
	}
	b := watchedBy("x", 0, 1)
	b.DstAsset[0], b.DstAddr[0] = "", flow.From4([4]byte{10, 66, 0, 10})
	got = append(got, fmt.Sprintf("10.66.0.10 %d", shardOf(b, 0, 7, -1)))
	equal(t, "shards", got, []string{"mdf3-1 6", "admf-1 1", "hss-1 3", "pe1.east 6", "10.66.0.10 5"})
}

// TestRefusedWaits: with a spool, what ClickHouse refuses is kept until somebody has
// mended the tables.
func TestRefusedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{failure: &clickhouse.Exception{Code: 16, Message: "no such column"}}
		w := newTestWriter(Config{
			Name: "c1", Batch: Batch{Records: 10, Interval: time.Second, QueueRecords: 40},
			Durability: DurabilityMemory, Spool: spool.Config{Dir: t.TempDir(), MaxBytes: 1 << 20},
		}, server)
		stop := running(t, w)
		for range 20 {
			write(t, w, records(10, 1))
		}
		time.Sleep(time.Hour)
		equal(t, "records that wait", w.queue.size(), 200)
		server.fail(nil)
		if err := w.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		stored := 0
		for _, n := range server.batches() {
			stored += n
		}
		equal(t, "stored", stored, 200)
		if n := testutil.ToFloat64(w.metrics.errors.WithLabelValues(errorPermanent)); n < 100 {
			t.Errorf("%v refusals are counted", n)
		}
		stop()
	})
}
