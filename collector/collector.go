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

// Collector is the server. Make one with New, then Listen and Run it once.
type Collector struct {
	cfg     Config
	logger  *slog.Logger
	clock   *stepClock
	seed    maphash.Seed
	workers []*worker
	streams *streams
	health  *healthReporter
	state   *stateKeeper

	mu      sync.Mutex
	sockets []*socket // that are bound

	marking sync.Mutex
	mark    int64 // the latest watermark, in milliseconds since 1970
}

// New makes a Collector that speaks the given protocols. inventory may change
// while it is used; nil: no exporter is listed.
func New(cfg Config, protocols []Protocol, inventory Exporters, sink Sink, health HealthSink, logger *slog.Logger, reg prometheus.Registerer) (*Collector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	logger = logger.With("component", "collector")
	c := &Collector{
		cfg:    cfg,
		logger: logger,
		clock:  &stepClock{read: time.Now, logger: logger},
		seed:   maphash.MakeSeed(),
	}
	n := cfg.workers()
	share := cfg.share(n)
	for range n {
		c.workers = append(c.workers, &worker{
			queue:   newQueue(cfg.QueueBytes, c.clock.millis),
			sink:    sink,
			logger:  c.logger,
			records: cfg.BatchRecords,
			wait:    cfg.FlushInterval,
			decoder: NewDecoder(share, protocols, inventory),
		})
	}
	c.streams = newStreams(&c.cfg, inventory, c.workerOf, c.logger)
	c.health = &healthReporter{collector: c, sink: health}
	c.state = newStateKeeper(cfg, c.workers, c.workerOf, c.clock.now, c.logger)
	for _, m := range append(c.state.metrics(), newMetrics(c)) {
		if err := reg.Register(m); err != nil {
			return nil, fmt.Errorf("collector: register metrics: %w", err)
		}
	}
	return c, nil
}

// shareOf is which worker decodes what an exporter sends, by whatever way it comes.
func (c *Collector) shareOf(addr netip.Addr) int {
	return int(maphash.Comparable(c.seed, addr) % uint64(len(c.workers)))
}

func (c *Collector) workerOf(addr netip.Addr) *worker {
	return c.workers[c.shareOf(addr.Unmap().WithZone(""))]
}

// Listen binds the addresses. An error names the address and the setting to
// change.
func (c *Collector) Listen() error {
	for _, address := range c.cfg.Listen {
		all, err := listen(context.Background(), address, &c.cfg, c.clock, c.logger)
		if err != nil {
			return errors.Join(err, c.Close())
		}
		c.mu.Lock()
		c.sockets = append(c.sockets, all...)
		c.mu.Unlock()
		c.logger.Info("receiving flows", "listen", all[0].listens(), "sockets", len(all), "receive_buffer_bytes", all[0].granted)
	}
	if err := c.streams.listen(context.Background()); err != nil {
		return errors.Join(err, c.Close())
	}
	return nil
}

// Addrs gives the UDP addresses that Listen bound, in the order of the setting.
func (c *Collector) Addrs() []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range c.bound() {
		if a, err := netip.ParseAddrPort(s.listens()); err == nil && s.number == 0 {
			all = append(all, a)
		}
	}
	return all
}

// StreamAddrs gives the addresses that Listen bound for a transport, "tcp", "tls" or
// "dtls", in the order of the setting.
func (c *Collector) StreamAddrs(transport string) []netip.AddrPort {
	return c.streams.addrs(transport)
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
	all := []error{c.streams.close()}
	for _, s := range c.sockets {
		all = append(all, s.close())
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
	if len(c.bound())+len(c.streams.bound()) == 0 {
		if err := c.Listen(); err != nil {
			return err
		}
	}
	c.state.restore()
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
		readers.Go(func() error { return s.read(reading, c.dispatcher()) })
	}
	c.streams.start(reading, readers)
	readers.Go(func() error { c.health.run(reading, c.cfg.HealthInterval); return nil })
	readers.Go(func() error { c.state.keep(reading); return nil })

	err := readers.Wait()
	c.streams.wait()
	for _, w := range c.workers {
		w.queue.close()
	}
	_ = workers.Wait()
	c.state.save()
	// The time of the records may be over.
	last, done := context.WithTimeout(context.WithoutCancel(ctx), healthTime)
	defer done()
	c.health.report(last, c.clock.now())
	return errors.Join(err, c.Close())
}

// Watermark gives a time before which the records of every datagram that was received
// by then, be it by the kernel alone, were handed to the sink. No record handed on
// later is stamped before it. It is to the millisecond, rounded down, never goes back,
// and is safe for concurrent use.
//
// A datagram is in one of four places: in the buffer of a socket, with the reader, in a
// queue, or with a worker. The time is taken first. Of each socket, settle tells how
// far its buffer is read, waits for the reader to queue what it has, and makes it stamp
// nothing earlier from then on. The queues are asked last, about themselves and their
// workers: so nothing moves past unseen. Messages of connections are stamped when they
// are queued, with a clock that does not go back.
func (c *Collector) Watermark() time.Time {
	c.marking.Lock()
	defer c.marking.Unlock()
	now := c.clock.millis()
	low := now
	for _, s := range c.bound() {
		low = min(low, s.settle(now))
	}
	for _, w := range c.workers {
		if at, ok := w.queue.oldest(); ok {
			low = min(low, at)
		}
	}
	c.mark = max(c.mark, low)
	return time.UnixMilli(c.mark)
}
