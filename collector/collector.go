package collector

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"tapwatch/flow"
)

// Sink takes records. Write may block while the sink is busy; it takes what it
// needs of b before it returns, for b is reused. Workers call it side by side.
type Sink interface {
	Write(ctx context.Context, b *flow.Batch) error
}

// HealthSink takes what was counted about exporters.
type HealthSink interface {
	// WriteHealth takes the rows of one interval, and does not change them. After an
	// error it is called with the very same rows, in the same order, before any
	// others: a sink that stored them all the same can know them by that.
	WriteHealth(ctx context.Context, rows []flow.Health) error
}

// Collector is the UDP server. Make one with New, then Listen and Run it once.
type Collector struct {
	cfg     Config
	logger  *slog.Logger
	clock   *stepClock
	seed    maphash.Seed
	buffers *buffers
	workers []*worker
	health  *healthReporter

	mu      sync.Mutex
	sockets []*socket // that are bound
}

// New makes a Collector that speaks the given protocols. inventory is asked anew
// for every datagram, so that it may change; nil: no exporter is listed.
func New(cfg Config, protocols []Protocol, inventory Exporters, sink Sink, health HealthSink, logger *slog.Logger, reg prometheus.Registerer) (*Collector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	c := &Collector{
		cfg:     cfg,
		logger:  logger.With("component", "collector"),
		clock:   &stepClock{read: time.Now},
		seed:    maphash.MakeSeed(),
		buffers: &buffers{},
	}
	n := cfg.workers()
	share := cfg.share(n)
	for range n {
		c.workers = append(c.workers, &worker{
			queue:   newQueue(cfg.QueueBytes, c.clock.now),
			sink:    sink,
			logger:  c.logger,
			records: cfg.BatchRecords,
			wait:    cfg.FlushInterval,
			buffers: c.buffers,
			decoder: NewDecoder(share, protocols, inventory),
		})
	}
	c.health = &healthReporter{collector: c, sink: health}
	if err := c.register(reg); err != nil {
		return nil, fmt.Errorf("collector: register metrics: %w", err)
	}
	return c, nil
}

// Listen binds the addresses. An error names the address and the setting to
// change.
func (c *Collector) Listen() error {
	for _, address := range c.cfg.Listen {
		s, err := listen(context.Background(), address, c.cfg.ReceiveBufferBytes, c.logger)
		if err != nil {
			return errors.Join(err, c.Close())
		}
		c.mu.Lock()
		c.sockets = append(c.sockets, s)
		c.mu.Unlock()
		c.logger.Info("receiving flows", "listen", s.conn.LocalAddr().String(), "receive_buffer_bytes", s.granted)
	}
	return nil
}

// Addrs gives the addresses that Listen bound, in the order of the setting.
func (c *Collector) Addrs() []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range c.bound() {
		if a, err := netip.ParseAddrPort(s.conn.LocalAddr().String()); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// bound gives the sockets.
func (c *Collector) bound() []*socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sockets)
}

// Close closes the sockets of a Collector that listens and will not be run; Run
// closes them itself.
func (c *Collector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []error
	for _, s := range c.sockets {
		all = append(all, s.conn.Close())
	}
	c.sockets = nil
	return errors.Join(all...)
}

// shutdownTime is how long the sinks may take for the last records after ctx ended,
// and healthTime how long they may then take for the last health.
const (
	shutdownTime = 10 * time.Second
	healthTime   = 5 * time.Second
)

// Run receives until ctx ends; then it takes what the kernel has already received,
// hands on all records, writes the last health and returns nil. It binds the
// addresses if Listen has not. An error means that a socket broke.
func (c *Collector) Run(ctx context.Context) error {
	if len(c.bound()) == 0 {
		if err := c.Listen(); err != nil {
			return err
		}
	}
	// The sinks outlive ctx for a while: there are records to hand on.
	sinks, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(shutdownTime, cancel) })
	defer stop()

	var workers errgroup.Group
	for _, w := range c.workers {
		workers.Go(func() error { w.run(sinks); return nil })
	}
	readers, reading := errgroup.WithContext(ctx)
	for _, s := range c.bound() {
		readers.Go(func() error { return s.read(reading, c.take) })
	}
	readers.Go(func() error { c.health.run(reading, c.cfg.HealthInterval); return nil })

	err := readers.Wait()
	for _, w := range c.workers {
		w.queue.close()
	}
	_ = workers.Wait()
	// The time of the records may be over.
	last, done := context.WithTimeout(context.WithoutCancel(ctx), healthTime)
	defer done()
	c.health.report(last, c.clock.now())
	return errors.Join(err, c.Close())
}

// take gives a datagram to the worker of its exporter.
func (c *Collector) take(from netip.AddrPort, payload []byte) {
	addr := from.Addr().Unmap()
	w := c.workers[maphash.Comparable(c.seed, addr)%uint64(len(c.workers))]
	b := c.buffers.copyOf(payload)
	if !w.queue.put(netip.AddrPortFrom(addr, from.Port()), b) {
		c.buffers.put(b)
	}
}

// Watermark gives a time before which the records of every received datagram were
// handed to the sink, to the millisecond and rounded down. It is safe for
// concurrent use.
func (c *Collector) Watermark() time.Time {
	low := c.clock.now()
	for _, w := range c.workers {
		if t := w.queue.watermark(); t.Before(low) {
			low = t
		}
	}
	return low
}
