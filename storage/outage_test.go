package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/storage/spool"
)

// outage is a writer with a spool before shards that can be away.
type outage struct {
	*Writer
	t      *testing.T
	server *fakeShards
	id     int
	stop   func() error
}

// newOutage makes one of batches of 100 records and memory for 400.
func newOutage(t *testing.T, dir string, shards, inserts int, d Durability, spoolBytes int64) *outage {
	t.Helper()
	cfg := Config{
		Name: "c1", Batch: Batch{Records: 100, Interval: time.Second, QueueRecords: 400, Inserts: inserts},
		Durability: d, Spool: spool.Config{Dir: dir, MaxBytes: spoolBytes},
	}
	if shards > 1 {
		cfg.Cluster = "carrier"
	}
	w, err := NewWriter(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	o := &outage{Writer: w, t: t, server: newFakeShards(shards)}
	w.attach(o.server, shards)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	o.stop = func() error { cancel(); return <-done }
	return o
}

// away sets whether the first n shards are away.
func (o *outage) away(n int, away bool) {
	for i := range n {
		o.server.set(o.server.down, i, away)
	}
}

// put writes n records of the asset, which must not take an hour.
func (o *outage) put(asset string, n int) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Hour)
	defer cancel()
	if err := o.Write(ctx, watchedBy(asset, o.id, n)); err != nil {
		o.t.Fatalf("Write after %d records, with %d in the spool: %v", o.id, o.disk.stats().Records, err)
	}
	o.id += n
}

func (o *outage) dropped(reason string) int {
	return int(testutil.ToFloat64(o.metrics.dropped.WithLabelValues(reason)))
}

// TestOutageGoesToTheSpool: as long as the spool has room nobody waits, however many
// inserts and shards there are and however many of them are away; and all is stored once.
func TestOutageGoesToTheSpool(t *testing.T) {
	for _, c := range []struct{ shards, away, inserts int }{
		{1, 1, 1}, {1, 1, 4}, {1, 1, 8}, {2, 1, 1}, {2, 2, 1}, {2, 1, 4}, {3, 1, 4}, {6, 1, 2}, {6, 6, 1},
	} {
		for _, d := range []Durability{DurabilityMemory, DurabilityJournal} {
			t.Run(fmt.Sprintf("%d of %d shards away, %d inserts, %s", c.away, c.shards, c.inserts, d), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := newOutage(t, t.TempDir(), c.shards, c.inserts, d, 1<<30)
					o.away(c.away, true)
					for i := range 400 {
						o.put(fmt.Sprintf("asset-%d", i%50), 7)
						time.Sleep(time.Millisecond)
					}
					o.queue.mu.Lock()
					if most := 400 + c.shards*c.inserts*100; o.queue.memory > most {
						t.Errorf("%d records are in memory, want at most %d", o.queue.memory, most)
					}
					o.queue.mu.Unlock()
					o.away(c.away, false)
					if err := o.Flush(t.Context()); err != nil {
						t.Error(err)
					}
					o.server.stored(t, o.id)
					if err := o.stop(); err != nil {
						t.Error(err)
					}
					if n := o.disk.stats().Records; n != 0 {
						t.Errorf("%d records stay in the spool", n)
					}
				})
			})
		}
	}
}

// TestOutageBeyondTheSpool: what the spool has no room for is counted when it goes, and
// what goes at the stop too.
func TestOutageBeyondTheSpool(t *testing.T) {
	for _, d := range []Durability{DurabilityMemory, DurabilityJournal} {
		t.Run(string(d), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				o := newOutage(t, dir, 1, 2, d, 20_000)
				o.away(1, true)
				for range 150 {
					o.put("", 100)
					time.Sleep(10 * time.Millisecond)
				}
				synctest.Wait()
				if n := o.dropped(droppedSpoolFull); n < 5000 {
					t.Errorf("%d records are counted as lost while it goes on", n)
				}
				err := o.stop()
				lost := o.dropped(droppedSpoolFull) + o.dropped(droppedShutdown)
				if err == nil && o.dropped(droppedShutdown) > 0 {
					t.Error("Run tells nothing of what was lost at the end")
				}
				next := newOutage(t, dir, 1, 1, d, 20_000)
				if err := next.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if stored := next.server.count(0); stored+lost != o.id {
					t.Errorf("%d records were taken: %d are stored, %d are counted as lost", o.id, stored, lost)
				}
				if err := next.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestRemovedSpoolFile: who removes a file of the spool loses its records, counted, and
// no more than these.
func TestRemovedSpoolFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := newOutage(t, dir, 1, 1, DurabilityMemory, 1<<20)
		o.away(1, true)
		for range 20 {
			o.put("", 100)
		}
		time.Sleep(time.Minute)
		removed := 0
		if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".seg") && removed == 0 {
				removed++
				return os.Remove(path)
			}
			return err
		}); err != nil || removed == 0 {
			t.Fatal("no file was removed", err)
		}
		o.away(1, false)
		time.Sleep(time.Minute)
		if stored, lost := o.server.count(0), o.dropped(droppedCorrupt); stored != 1900 || lost != 100 || o.queue.size() != 0 {
			t.Errorf("%d records are stored, %d counted as lost, %d wait", stored, lost, o.queue.size())
		}
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestFailover: while a shard is away, what may be stored anywhere is stored on the other,
// also while the first one's open insertion has records of its assets.
func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(t, t.TempDir(), 2, 1, DurabilityMemory, 1<<30)
		o.away(1, true)
		asset := ""
		for i := 0; asset == ""; i++ {
			if name := fmt.Sprintf("hss-%d", i); shardOf(watchedBy(name, 0, 1), 0, 2, -1) == 0 {
				asset = name
			}
		}
		o.put(asset, 100)
		time.Sleep(2 * time.Second) // the attempt has failed
		free := 0
		for range 100 {
			o.put(asset, 3)
			o.put("", 50)
			free += 50
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		if stored := o.server.count(1); stored != free {
			t.Errorf("%d of %d records for any shard are stored", stored, free)
		}
		o.away(1, false)
		if err := o.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		o.server.stored(t, o.id)
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestRefusedWriteStoresNothing: a batch that Write does not take, because its journal
// cannot be written, is not stored in part.
func TestRefusedWriteStoresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(t, t.TempDir(), 2, 1, DurabilityJournal, 1500)
		taken := 0
		for i := range 20 {
			b := watchedBy("a-0", 40*i, 2)
			for k := 2; k < 40; k++ {
				b.AppendRange(watchedBy(fmt.Sprintf("a-%d", k), 40*i+k, 1), 0, 1)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			switch err := o.Write(ctx, b); {
			case err == nil:
				taken += b.Len()
			case !errors.Is(err, context.DeadlineExceeded):
				t.Fatal(err)
			}
			cancel()
		}
		if err := o.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if stored := o.server.count(0) + o.server.count(1); stored != taken {
			t.Errorf("%d records are stored, %d were taken", stored, taken)
		}
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	})
}
