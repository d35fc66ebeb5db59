package spool

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

// Many write, read and remove at a time within a bound: every record is read or
// evicted, and none both.
func TestConcurrent(t *testing.T) {
	const writers, appenders, rounds = 4, 2, 30
	s := mustOpen(t, Config{Dir: t.TempDir(), MaxBytes: 80_000, Fsync: FsyncNever, Compression: None})
	var appended, evicted, read atomic.Int64
	queue := make(chan *Segment, writers*rounds)
	count := func(e Evicted, err error) error {
		evicted.Add(int64(e.Records))
		return err
	}
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for round := range rounds {
				g, e, err := s.Create(fmt.Sprint(w, round))
				if count(e, err) != nil {
					t.Error(err)
					return
				}
				var appending sync.WaitGroup
				for range appenders {
					appending.Go(func() {
						for i := range 5 {
							switch err := count(g.Append(make([]byte, 1000), i+1, 0)); {
							case err == nil:
								appended.Add(int64(i + 1))
							case !errors.Is(err, ErrFull):
								t.Error(err)
							}
						}
					})
				}
				appending.Wait()
				if err := g.Seal(); err != nil {
					t.Error(err)
				}
				queue <- g
				s.Stats()
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			for g := range queue {
				records, err := insert(g)
				read.Add(int64(records))
				if err != nil && !errors.Is(err, ErrEvicted) {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(queue)
	reading.Wait()
	if appended.Load() != read.Load()+evicted.Load() {
		t.Errorf("%d records appended, %d read, %d evicted", appended.Load(), read.Load(), evicted.Load())
	}
	if stats := s.Stats(); stats.Segments != 0 || stats.Bytes != 0 || stats.EvictedRecords != uint64(evicted.Load()) {
		t.Errorf("%+v", stats)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// insert reads and removes a segment, as the writer does.
func insert(g *Segment) (records int, err error) {
	r, err := g.Read()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, g.Remove()
		}
		if err != nil {
			return records, err
		}
		records += f.Records
	}
}

// Close waits for the appends under way; nothing that was acknowledged is lost, and
// nothing is left of what was not.
func TestCloseWhileAppending(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Fsync: FsyncNever}
	s := mustOpen(t, cfg)
	started := make(chan struct{})
	var appended atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for first := true; ; first = false {
				g, _, err := s.Create("a")
				for range 3 {
					if err == nil {
						_, err = g.Append([]byte("x"), 1, 1)
					}
					if err == nil {
						appended.Add(1)
					}
				}
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
				if first {
					started <- struct{}{}
				}
			}
		})
	}
	for range 3 {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	s = mustOpen(t, cfg)
	defer s.Close()
	if stats := s.Stats(); int64(stats.Records) != appended.Load() || stats.Counters != (Counters{}) {
		t.Errorf("%d appended; %+v", appended.Load(), stats)
	}
}
