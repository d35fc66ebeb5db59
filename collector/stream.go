package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// The transports of streams, as metrics and logs name them; each is a setting too.
const (
	transportTCP  = "tcp"
	transportTLS  = "tls"
	transportDTLS = "dtls"
)

// streams receives IPFIX over connections: TCP (RFC 7011 §10.4), TLS and DTLS
// (RFC 7011 §11). Every connection is a Stream of its exporter's worker.
type streams struct {
	cfg       *Config
	inventory Exporters
	workerOf  func(netip.Addr) *worker
	logger    *slog.Logger
	// saying bounds what peers, of which there may be any number, make us log. All of it
	// is counted.
	saying *rate.Limiter

	ids     atomic.Uint64 // that were given
	open    places
	serving sync.WaitGroup

	mu        sync.Mutex
	listeners []*streamListener
}

// streamListener is one address to which exporters connect.
type streamListener struct {
	net.Listener
	transport string
	// secure does the handshake, which ctx may cut short; nil: there is none.
	secure func(ctx context.Context, conn net.Conn) (net.Conn, error)
	// records says that each read gives whole messages, and idle after how long without
	// one the peer is taken for gone (0: its end is told).
	records bool
	idle    time.Duration
	// release frees what the connections used, when all of them have ended.
	release func() error
	// socket is the UDP socket that all its connections share, nil if each has its own.
	socket *socket

	connections atomic.Int64  // that are open
	accepted    atomic.Uint64 // connections so far
	failed      atomic.Uint64 // to accept
	handshakes  places
}

// listens names the address with its transport: UDP may have the same one.
func (l *streamListener) listens() string { return l.transport + " " + l.Addr().String() }

// places are those of the exporters that the inventory lists and those of all others:
// whoever is not listed takes no place of one that is.
type places struct{ listed, others slots }

func (p *places) of(isListed bool) *slots {
	if isListed {
		return &p.listed
	}
	return &p.others
}

// slots counts what there may be a number of at a time.
type slots struct{ taken atomic.Int64 }

func (s *slots) take(most int) bool {
	if s.taken.Add(1) > int64(most) {
		s.free()
		return false
	}
	return true
}

func (s *slots) free() { s.taken.Add(-1) }

func newStreams(cfg *Config, inventory Exporters, workerOf func(netip.Addr) *worker, logger *slog.Logger) *streams {
	if inventory == nil {
		inventory = noExporters{}
	}
	return &streams{
		cfg: cfg, inventory: inventory, workerOf: workerOf, logger: logger,
		saying: rate.NewLimiter(1, 20),
	}
}

// keepAlive finds peers that are gone without a word, within two minutes.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}

// listen binds the addresses of all transports.
func (s *streams) listen(ctx context.Context) error {
	for _, address := range s.cfg.TCP {
		if err := s.listenTCP(ctx, transportTCP, address, nil); err != nil {
			return err
		}
	}
	if len(s.cfg.TLS)+len(s.cfg.DTLS) == 0 {
		return nil
	}
	id, err := loadIdentity(&s.cfg.Security, s.logger)
	if err != nil {
		return err
	}
	for _, address := range s.cfg.TLS {
		if err := s.listenTCP(ctx, transportTLS, address, id.secureTLS()); err != nil {
			return err
		}
	}
	for _, address := range s.cfg.DTLS {
		if err := s.listenDTLS(ctx, address, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *streams) listenTCP(ctx context.Context, transport, address string, secure func(context.Context, net.Conn) (net.Conn, error)) error {
	config := net.ListenConfig{KeepAliveConfig: keepAlive}
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return listenError("TCP", transport, address, err)
	}
	s.add(&streamListener{Listener: l, transport: transport, secure: secure, release: func() error { return nil }})
	return nil
}

func (s *streams) add(l *streamListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
	s.logger.Info("receiving ipfix", "listen", l.Addr().String(), "transport", l.transport)
}

func (s *streams) bound() []*streamListener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.listeners)
}

// sockets gives those that connections share.
func (s *streams) sockets() []*socket {
	var all []*socket
	for _, l := range s.bound() {
		if l.socket != nil {
			all = append(all, l.socket)
		}
	}
	return all
}

func (s *streams) addrs(transport string) []netip.AddrPort {
	var all []netip.AddrPort
	for _, l := range s.bound() {
		if l.transport == transport {
			all = append(all, addrPort(l.Addr()))
		}
	}
	return all
}

// close closes the listeners.
func (s *streams) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, l := range s.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
		all = append(all, l.release())
	}
	s.listeners = nil
	return errors.Join(all...)
}

// start serves connections in the group, until ctx ends. What has arrived on them by
// then is read: wait for it when the group has ended. An error means that a listener
// broke.
func (s *streams) start(ctx context.Context, group *errgroup.Group) {
	for _, l := range s.bound() {
		stop := context.AfterFunc(ctx, func() { _ = l.Close() })
		group.Go(func() error {
			defer stop()
			return s.accept(ctx, l)
		})
	}
}

// wait returns when all connections have ended.
func (s *streams) wait() { s.serving.Wait() }

// accept takes connections until the listener is closed. Failures, as of a process that
// has too many files open, pass.
func (s *streams) accept(ctx context.Context, l *streamListener) error {
	pause := minPause
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = minPause
			from := addrPort(conn.RemoteAddr())
			if isListed, leave := s.admit(l, from); leave != nil {
				s.serving.Go(func() { s.serve(ctx, l, conn, from, isListed, leave) })
			} else {
				_ = conn.Close()
			}
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("collector: accept on %s: %w", l.listens(), err)
		}
		l.failed.Add(1)
		s.logger.Warn("cannot accept connections", "listen", l.listens(), "error", err, "pause", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// admit gives the peer a place, or nil if it may not connect; leave frees the place.
// Handshakes have places of their own: whoever does not get through one takes no
// exporter's.
func (s *streams) admit(l *streamListener, from netip.AddrPort) (isListed bool, leave func()) {
	_, isListed = s.inventory.Exporter(from.Addr().WithZone(""))
	if !isListed && s.cfg.Exporters == ExportersListed {
		s.drop(l, from, Refused, errors.New("the inventory does not list this exporter"))
		return false, nil
	}
	in := &s.open
	if l.secure != nil {
		in = &l.handshakes
	}
	one := in.of(isListed)
	if !one.take(s.cfg.Limits.MaxConnections) {
		s.drop(l, from, ConnectionLimit, tooMany(isListed))
		return isListed, nil
	}
	return isListed, one.free
}

// tooMany says that an exporter finds no place.
func tooMany(isListed bool) error {
	if isListed {
		return errTooMany
	}
	return errTooManyOthers
}

var (
	errTooMany       = errors.New("there are as many connections of listed exporters as collector.limits.max_connections allows")
	errTooManyOthers = errors.New("there are as many connections of exporters that the inventory does not list as collector.limits.max_connections allows: list the exporter")
)

// drop counts a connection that came to nothing, or that broke, and says so.
func (s *streams) drop(l *streamListener, from netip.AddrPort, r Reason, err error) {
	s.workerOf(from.Addr()).dropped(from.Addr(), r, 1)
	if s.saying.Allow() {
		s.logger.Warn("connection dropped", "exporter", from.String(), "listen", l.listens(), "reason", r.String(), "error", err)
	}
}

// addrPort gives the address of a TCP or UDP end, IPv4 never mapped.
func addrPort(a net.Addr) netip.AddrPort {
	if end, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		p := end.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}
