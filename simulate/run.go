package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options say how Run sends.
type Options struct {
	// Target is where the datagrams go: an IPv4 loopback address and a port.
	Target netip.AddrPort
	// Speed is how much faster than the clock stream time passes; 0 is 1. Beyond 1
	// the exported times run ahead of the clock.
	Speed float64
	// Duration is how much stream time to send; 0: until ctx ends.
	Duration time.Duration
	// OnEvent is told what the intruders do, as it happens; nil: nobody is.
	OnEvent func(Event)
	// Logger reports what cannot be sent; nil: nothing is.
	Logger *slog.Logger
	// Registerer gets the tapwatch_simulate_… counters, once; nil: nobody does.
	Registerer prometheus.Registerer
	// Clock paces; nil: the system's.
	Clock Clock
	// Dial opens the way from a router to Target; nil: UDP from the router's own
	// address, on a free port.
	Dial func(router Router, target netip.AddrPort) (Conn, error)
}

// Clock tells time and lets it pass.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or earlier with ctx's error.
	Wait(ctx context.Context, d time.Duration) error
}

// Conn carries datagrams of one router. A *net.UDPConn is one.
type Conn interface {
	Write(datagram []byte) (int, error)
	Close() error
}

// Run exports the network's flows to opts.Target, each router from its own address,
// until opts.Duration of stream time has passed or ctx ends; both are success. What
// the target refuses (nobody listens, no buffer) is counted in Stats.SendErrors and
// logged; other errors end the run.
func (n *Network) Run(ctx context.Context, opts Options) (Stats, error) {
	if err := opts.complete(); err != nil {
		return Stats{}, err
	}
	metrics, err := newMetrics(opts.Registerer)
	if err != nil {
		return Stats{}, err
	}
	s := &sender{network: n, opts: opts, metrics: metrics, started: opts.Clock.Now()}
	defer s.close()
	if err := s.open(); err != nil {
		return Stats{}, err
	}
	d, err := newDriver(n, s)
	if err != nil {
		return Stats{}, err
	}
	if opts.OnEvent != nil {
		d.onEvent = opts.OnEvent
	}
	d.onRecord = func(router int) { s.metrics.records.WithLabelValues(n.routers[router].Name).Inc() }
	s.stats = &d.stats
	err = d.run(ctx, opts.Duration)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return d.stats, err
}

// complete checks the options and fills in what was left out.
func (o *Options) complete() error {
	switch {
	case !o.Target.Addr().IsLoopback() || !o.Target.Addr().Is4() || o.Target.Port() == 0:
		return fmt.Errorf("simulate: target %s: simulated flows go to a loopback address and port only, such as 127.0.0.1:2055", o.Target)
	case o.Speed < 0:
		return fmt.Errorf("simulate: speed %g: must be positive", o.Speed)
	case o.Duration < 0:
		return fmt.Errorf("simulate: duration %s: must be positive", o.Duration)
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Dial == nil {
		o.Dial = dialUDP
	}
	return nil
}

// dialUDP binds the router's own address, so that the collector tells the routers
// apart by where their datagrams come from.
func dialUDP(r Router, target netip.AddrPort) (Conn, error) {
	local := net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.Address, 0))
	conn, err := net.DialUDP("udp4", local, net.UDPAddrFromAddrPort(target))
	if err != nil {
		return nil, fmt.Errorf("send as router %s from %s (all of 127.0.0.0/8 must be this machine's, as on Linux): %w", r.Name, r.Address, err)
	}
	return conn, nil
}

// sender is the outlet of Run.
type sender struct {
	network *Network
	opts    Options
	metrics *metrics
	started time.Time
	conns   []Conn
	failed  []bool // routers of which a datagram was refused: said once
	stats   *Stats
}

func (s *sender) open() error {
	s.failed = make([]bool, len(s.network.routers))
	for _, r := range s.network.routers {
		conn, err := s.opts.Dial(r, s.opts.Target)
		if err != nil {
			return err
		}
		s.conns = append(s.conns, conn)
	}
	return nil
}

func (s *sender) close() {
	for i, c := range s.conns {
		if err := c.Close(); err != nil {
			s.opts.Logger.Warn("socket not closed", "component", "simulate", "router", s.network.routers[i].Name, "error", err)
		}
	}
}

func (s *sender) wait(ctx context.Context, at time.Time) error {
	stream := at.Sub(s.network.cfg.Start)
	due := s.started.Add(time.Duration(float64(stream) / s.opts.Speed))
	if ahead := due.Sub(s.opts.Clock.Now()); ahead > 0 {
		return s.opts.Clock.Wait(ctx, ahead)
	}
	return nil
}

func (s *sender) send(router int, _ time.Time, datagram []byte) error {
	name := s.network.routers[router].Name
	_, err := s.conns[router].Write(datagram)
	switch {
	case err == nil:
		s.stats.Datagrams++
		s.stats.DatagramBytes += uint64(len(datagram))
		s.metrics.datagrams.WithLabelValues(name).Inc()
		return nil
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.EAGAIN):
		s.stats.SendErrors++
		s.metrics.sendErrors.WithLabelValues(name).Inc()
		if !s.failed[router] {
			s.opts.Logger.Warn("datagram not sent", "component", "simulate", "router", name, "target", s.opts.Target, "error", err)
		}
		s.failed[router] = true
		return nil
	default:
		return fmt.Errorf("send as router %s to %s: %w", name, s.opts.Target, err)
	}
}

// systemClock is the clock of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
