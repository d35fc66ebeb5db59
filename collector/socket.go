package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// socket is one of the UDP sockets of an address.
type socket struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	// own is the socket once it is detached from conn; nil: it is conn's.
	own    io.Closer
	number int // among those of the address, from 0
	clock  *stepClock
	logger *slog.Logger
	// granted is the receive buffer that the kernel gave, in bytes.
	granted int
	// dropped is how many datagrams the kernel dropped because the buffer was full, and
	// failed how many receives failed.
	dropped, failed atomic.Uint64

	// mu is held from before a datagram is read until it is in a queue: who holds it
	// knows that none is on its way.
	mu sync.Mutex
	// last is the stamp of the datagram read last, and floor the latest time that settle
	// gave: both in milliseconds since 1970.
	last, floor int64
	told        uint32 // the kernel's count of drops, when it was last looked at
}

// sockets is how many share one address.
func (c *Config) sockets() int {
	switch {
	case !canShare:
		return 1
	case c.Sockets > 0:
		return c.Sockets
	}
	return runtime.NumCPU()
}

// listen binds the sockets of an address: all of them or none. The kernel spreads the
// exporters over them by address and port.
func listen(ctx context.Context, address string, cfg *Config, clock *stepClock, logger *slog.Logger) ([]*socket, error) {
	// The first is bound without SO_REUSEPORT: another program that receives there,
	// maybe a tapwatch as well, would share the datagrams without anyone noticing.
	first, err := bind(ctx, address, 0, nil, clock, logger)
	if err != nil {
		return nil, listenError("UDP", "listen", address, err)
	}
	all := []*socket{first}
	if n := cfg.sockets(); n > 1 {
		if err = share(first.raw); err == nil {
			all, err = first.siblings(ctx, n, logger)
		}
	}
	if err == nil {
		err = enlarge(all, cfg.ReceiveBufferBytes)
	}
	for _, s := range all {
		if err == nil {
			err = s.detach()
		}
	}
	if err != nil {
		for _, s := range all {
			err = errors.Join(err, s.close())
		}
		return nil, fmt.Errorf("collector: sockets of UDP %s: %w", address, err)
	}
	return all, nil
}

// siblings binds sockets to the address of s until there are n.
func (s *socket) siblings(ctx context.Context, n int, logger *slog.Logger) ([]*socket, error) {
	all := []*socket{s}
	for len(all) < n {
		one, err := bind(ctx, s.listens(), len(all), share, s.clock, logger)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

// bind binds one socket; before is called before that, if not nil.
func bind(ctx context.Context, address string, number int, before func(syscall.RawConn) error, clock *stepClock, logger *slog.Logger) (*socket, error) {
	var config net.ListenConfig
	if before != nil {
		config.Control = func(_, _ string, raw syscall.RawConn) error { return before(raw) }
	}
	s := &socket{number: number, clock: clock, floor: clock.millis()}
	packets, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	s.conn = packets.(*net.UDPConn)
	s.logger = logger.With("listen", s.listens(), "socket", number)
	if s.raw, err = s.conn.SyscallConn(); err == nil {
		err = prepare(s.raw)
	}
	if err != nil {
		return nil, errors.Join(err, s.conn.Close())
	}
	return s, nil
}

// close closes the socket.
func (s *socket) close() error {
	if s.own != nil {
		return s.own.Close()
	}
	return s.conn.Close()
}

// listens is the address that the socket is bound to.
func (s *socket) listens() string { return s.conn.LocalAddr().String() }

// listenError says which address cannot be had, and by what setting to have another.
func listenError(network, setting, address string, err error) error {
	hint := "give another address in the setting collector." + setting
	if errors.Is(err, syscall.EADDRINUSE) {
		hint = "another program receives there already; stop it, or " + hint
	}
	return fmt.Errorf("cannot receive on %s %s: %w: %s", network, address, err, hint)
}

// enlarge asks for a receive buffer for each socket of an address and says so when the
// kernel grants less.
func enlarge(all []*socket, bytes int) error {
	for _, s := range all {
		if err := s.conn.SetReadBuffer(bytes); err != nil {
			return err
		}
		var err error
		if s.granted, err = granted(s.raw); err != nil {
			return err
		}
	}
	first := all[0]
	if first.granted > 0 && first.granted < bytes {
		first.logger.Warn("receive buffer smaller than asked: bursts may be lost; raise it with sysctl -w net.core.rmem_max",
			"asked_bytes", bytes, "granted_bytes", first.granted,
			"sysctl", fmt.Sprintf("net.core.rmem_max=%d", bytes))
	}
	return nil
}

// settleMargin is how long a datagram may take from where the kernel stamps it to the
// socket: it may even overtake others on other processors. What takes longer is
// stamped later than it came, never too early.
const settleMargin = 100 // milliseconds

// settle gives a time before which every datagram that this socket received is in a
// queue; those it reads from then on are stamped no earlier. It never goes back. now
// is the time, taken before the call.
func (s *socket) settle(now int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := now
	if readable(s.raw) {
		to = s.last // those that wait came after it
	}
	s.floor = max(s.floor, to-settleMargin)
	return s.floor
}

// stamp gives the stamp of a datagram that the kernel received at at (0: it does not
// say) and that is read at now. s.mu is held.
func (s *socket) stamp(at, now int64) int64 {
	if at == 0 || at > now {
		at = now
	}
	s.last = max(at, s.floor)
	return s.last
}

// drops takes over the kernel's count of drops, which wraps. One that is older than
// what is known changes nothing. s.mu is held.
func (s *socket) drops(total uint32) {
	if more := total - s.told; more < 1<<31 {
		s.told = total
		s.dropped.Add(uint64(more))
	}
}

// dispatcher hands the datagrams of one reader to the workers of their exporters.
type dispatcher struct {
	workers  []*worker
	workerOf func(netip.Addr) int
	first    []int // by worker: its first datagram of this reading
}

func (c *Collector) dispatcher() *dispatcher {
	return &dispatcher{workers: c.workers, workerOf: c.shareOf, first: make([]int, len(c.workers))}
}

// dispatch queues the datagrams of one reading: each worker is told once.
func (d *dispatcher) dispatch(all []arrival) {
	for w := range d.first {
		d.first[w] = -1
	}
	for i := len(all) - 1; i >= 0; i-- { // from the last, for the lists to be in order
		w := d.workerOf(all[i].from.Addr())
		all[i].next, d.first[w] = d.first[w], i
	}
	for w, first := range d.first {
		if first >= 0 {
			d.workers[w].queue.put(all, first)
		}
	}
}
