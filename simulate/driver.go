package simulate

import (
	"context"
	"fmt"
	"time"

	"tapwatch/simulate/export"
)

// outlet is where datagrams go.
type outlet interface {
	// wait returns when the stream time at has come, or with an error when it never
	// will.
	wait(ctx context.Context, at time.Time) error
	// send takes a datagram of the router with that index.
	send(router int, at time.Time, datagram []byte) error
}

// Stats is what was exported.
type Stats struct {
	// Records, Bytes and Packets are those of flow records: Bytes and Packets as
	// measured, before multiplication by the sampling interval.
	Records, Bytes, Packets uint64
	// Planted is how many of the records belong to intrusions.
	Planted uint64
	// Datagrams were sent, with DatagramBytes of payload; SendErrors were not.
	Datagrams, DatagramBytes, SendErrors uint64
}

const (
	// tick is how finely time passes. Records wait for its end.
	tick = 100 * time.Millisecond
	// flushTicks is after how many ticks a router sends a datagram not yet full.
	flushTicks = 10
	// datagramBytes fits an Ethernet frame, with room for tunnels.
	datagramBytes = 1400
	// refreshInterval is how often templates, options and counters are repeated.
	refreshInterval = 20 * time.Second
)

// driver exports a span of stream time through an outlet.
type driver struct {
	network  *Network
	out      outlet
	onEvent  func(Event)
	onRecord func(router int)
	encoders []export.Encoder
	events   []Event
	quiet    []bool // routers that do not export
	now      time.Time
	ticks    int
	stats    Stats
}

func newDriver(n *Network, out outlet) (*driver, error) {
	d := &driver{
		network: n, out: out, now: n.cfg.Start, quiet: make([]bool, len(n.routers)),
		onEvent: func(Event) {}, onRecord: func(int) {},
	}
	for i := range n.routers {
		e, err := n.encoder(i)
		if err != nil {
			return nil, fmt.Errorf("router %s: %w", n.routers[i].Name, err)
		}
		d.encoders = append(d.encoders, e)
	}
	return d, nil
}

// encoder makes the encoder of a router, which has been up for some days.
func (n *Network) encoder(router int) (export.Encoder, error) {
	r := &n.routers[router]
	up := time.Duration(newDice(n.cfg.Seed, r.Name, 0).Int64N(int64(28*24*time.Hour))) + 24*time.Hour
	return export.New(export.Options{
		Protocol: r.Protocol, Agent: r.Address, Domain: r.domain(), AS: localAS, Sampling: r.Sampling,
		Boot:        n.cfg.Start.Add(-up).UnixMilli(),
		MaxDatagram: datagramBytes, RefreshInterval: refreshInterval,
	})
}

// run exports from the start of stream time for a duration; 0: until ctx or the
// outlet ends it.
func (d *driver) run(ctx context.Context, duration time.Duration) error {
	from, to := d.network.cfg.Start, time.Time{}
	if duration > 0 {
		to = from.Add(duration)
	}
	d.events = d.network.Events(from, to)
	for r := range d.network.Records(from, to) {
		if err := d.advance(ctx, r.ExportedAt); err != nil {
			return err
		}
		if err := d.add(&r); err != nil {
			return err
		}
	}
	if err := d.advance(ctx, to.UnixMilli()); err != nil {
		return err
	}
	for i := range d.encoders {
		if !d.quiet[i] {
			if err := d.flush(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// advance lets time pass, tick by tick, until the Unix millisecond at has come.
func (d *driver) advance(ctx context.Context, at int64) error {
	for d.now.UnixMilli() < at {
		d.now = d.now.Add(tick)
		d.ticks++
		if err := d.out.wait(ctx, d.now); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		d.tell()
		if err := d.flushDue(); err != nil {
			return err
		}
	}
	return nil
}

// tell reports the events that have come due.
func (d *driver) tell() {
	kept := d.events[:0]
	for _, e := range d.events {
		if e.At.After(d.now) {
			kept = append(kept, e)
			continue
		}
		d.onEvent(e)
	}
	d.events = kept
}

// flushDue flushes each router once in flushTicks, each at its own tick. A router
// that falls silent sends what it has, once the records of its last tick are added,
// and then nothing.
func (d *driver) flushDue() error {
	for i := range d.encoders {
		silent := d.network.silent(i, d.now.Add(-tick).UnixMilli())
		falls := silent && !d.quiet[i]
		d.quiet[i] = silent
		if falls || !silent && (d.ticks+i)%flushTicks == 0 {
			if err := d.flush(i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *driver) add(r *Record) error {
	d.stats.Records++
	d.stats.Bytes += r.Bytes
	d.stats.Packets += r.Packets
	if r.Intrusion != "" {
		d.stats.Planted++
	}
	d.onRecord(r.Router)
	return d.encoders[r.Router].Add(&r.Record, d.emit(r.Router))
}

func (d *driver) flush(router int) error {
	return d.encoders[router].Flush(d.now.UnixMilli(), d.emit(router))
}

func (d *driver) emit(router int) export.Emit {
	return func(datagram []byte) error { return d.out.send(router, d.now, datagram) }
}
