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
	// pending are the rows of intervals that could not be written yet, oldest first.
	// They stay apart and as they are: a write that failed may have arrived all the
	// same, and the sink can tell only the very same rows from new ones.
	pending [][]flow.Health
	// seen is how many drops of each socket have been counted.
	seen []uint64
}

// maxPending bounds the rows that wait for a sink that fails, whole
// intervals; the latest always stays.
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
// not take are offered again with the next ones, before them.
func (r *healthReporter) report(ctx context.Context, at time.Time) {
	r.countKernelDrops()
	var rows, suspects []flow.Health
	for _, w := range r.collector.workers {
		some, doubtful := w.health(at)
		rows, suspects = append(rows, some...), append(suspects, doubtful...)
	}
	if rows = fold(rows, suspects); len(rows) > 0 {
		r.pending = append(r.pending, rows)
	}
	for len(r.pending) > 0 {
		if err := r.sink.WriteHealth(ctx, r.pending[0]); err != nil {
			lost := r.forget()
			r.collector.logger.Error("exporter health not stored yet", "intervals", len(r.pending), "rows_lost", lost, "error", err)
			return
		}
		r.pending = r.pending[1:]
	}
	r.pending = nil
}

// forget drops the oldest intervals while more rows wait than may; it gives how many
// rows are lost.
func (r *healthReporter) forget() (lost int) {
	waiting := 0
	for _, rows := range r.pending {
		waiting += len(rows)
	}
	for waiting-lost > maxPending && len(r.pending) > 1 {
		lost += len(r.pending[0])
		r.pending = r.pending[1:]
	}
	return lost
}

// countKernelDrops takes over what the kernel counted since the last call. Whose
// datagrams they were nobody knows.
func (r *healthReporter) countKernelDrops() {
	sockets := append(r.collector.bound(), r.collector.streams.sockets()...)
	if len(r.seen) != len(sockets) {
		r.seen = make([]uint64, len(sockets))
	}
	lost := uint64(0)
	for i, s := range sockets {
		s.lookForDrops()
		total := s.dropped.Load()
		if n := total - r.seen[i]; n > 0 {
			r.seen[i] = total
			lost += n
			s.logger.Warn("datagrams dropped by the kernel: the receive buffer was full", "datagrams", n)
		}
	}
	if lost > 0 {
		r.collector.workers[0].dropped(netip.Addr{}, SocketBufferFull, int(lost))
	}
}
