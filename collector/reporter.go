package collector

import (
	"context"
	"net/netip"
	"time"

	"tapwatch/flow"
)

// healthReporter writes what was counted about the exporters, interval by
// interval.
type healthReporter struct {
	collector *Collector
	sink      HealthSink
	// pending rows could not be written yet.
	pending []flow.Health
	// seen is how many drops of each socket have been counted.
	seen []uint32
}

// maxPending bounds the rows that wait for a sink that fails.
const maxPending = 100_000

func (r *healthReporter) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.report(ctx, r.collector.clock.now())
		}
	}
}

// report writes the rows of the interval that ends at at. Rows that the sink does
// not take are written with the next ones.
func (r *healthReporter) report(ctx context.Context, at time.Time) {
	r.countKernelDrops()
	var rows []flow.Health
	for _, w := range r.collector.workers {
		rows = append(rows, w.health(at)...)
	}
	r.pending = append(r.pending, mergeRest(rows)...)
	if len(r.pending) == 0 {
		return
	}
	if err := r.sink.WriteHealth(ctx, r.pending); err != nil {
		over := max(0, len(r.pending)-maxPending)
		r.pending = r.pending[over:]
		r.collector.logger.Error("exporter health not stored yet", "rows", len(r.pending), "rows_lost", over, "error", err)
		return
	}
	r.pending = nil
}

// countKernelDrops takes over what the kernel counted since the last call. Whose
// datagrams they were nobody knows.
func (r *healthReporter) countKernelDrops() {
	sockets := r.collector.bound()
	if len(r.seen) != len(sockets) {
		r.seen = make([]uint32, len(sockets))
	}
	for i, s := range sockets {
		total := s.dropped.Load()
		n := total - r.seen[i]
		r.seen[i] = total
		if n == 0 {
			continue
		}
		s.logger.Warn("datagrams dropped by the kernel: the receive buffer was full", "datagrams", n)
		w := r.collector.workers[0]
		w.mu.Lock()
		w.decoder.Dropped(netip.Addr{}, SocketBufferFull, int(n))
		w.mu.Unlock()
	}
}
