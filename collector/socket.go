package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is one UDP socket and its reader.
type socket struct {
	conn   *net.UDPConn
	logger *slog.Logger
	// granted is the receive buffer that the kernel gave, in bytes.
	granted int
	// dropped is how many datagrams the kernel dropped because the buffer was full;
	// it wraps.
	dropped atomic.Uint32
	// failed is how many receives failed.
	failed atomic.Uint64
}

// listen binds a socket.
func listen(ctx context.Context, address string, bufferBytes int, logger *slog.Logger) (*socket, error) {
	packets, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, listenError(address, err)
	}
	s := &socket{conn: packets.(*net.UDPConn), logger: logger.With("listen", packets.LocalAddr().String())}
	if err := s.enlarge(bufferBytes); err != nil {
		return nil, errors.Join(fmt.Errorf("collector: receive buffer of %s: %w", address, err), s.conn.Close())
	}
	return s, nil
}

// listenError says which address cannot be had, and by what setting to have another.
func listenError(address string, err error) error {
	hint := "give another address in the setting collector.listen"
	if errors.Is(err, syscall.EADDRINUSE) {
		hint = "another program receives there already; stop it, or " + hint
	}
	return fmt.Errorf("cannot receive on UDP %s: %w: %s", address, err, hint)
}

// enlarge asks for a receive buffer and says so when the kernel grants less.
func (s *socket) enlarge(bytes int) error {
	if err := s.conn.SetReadBuffer(bytes); err != nil {
		return err
	}
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	if s.granted, err = prepare(raw); err != nil {
		return err
	}
	if s.granted > 0 && s.granted < bytes {
		s.logger.Warn("receive buffer smaller than asked: bursts may be lost; raise it with sysctl -w net.core.rmem_max",
			"asked_bytes", bytes, "granted_bytes", s.granted, "sysctl", fmt.Sprintf("net.core.rmem_max=%d", bytes))
	}
	return nil
}

// drainTime is how long a reader goes on at the end, and drainPause how long it
// waits for one more datagram: what is in the socket's buffer is read in no time.
const (
	drainTime  = 2 * time.Second
	drainPause = 20 * time.Millisecond
)

// minPause and maxPause are how long a reader waits after a receive that failed, more
// each time in a row. What fails is mostly memory (ENOBUFS, ENOMEM), which comes back.
const (
	minPause = time.Millisecond
	maxPause = time.Second
)

// read hands datagrams to take until ctx ends, and then those that the kernel has
// already received. payload is valid during the call only.
func (s *socket) read(ctx context.Context, take func(from netip.AddrPort, payload []byte)) error {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.conn.SetReadDeadline(time.Now())
		close(woken)
	})
	defer stop()
	r := reader{socket: s, payload: make([]byte, 1<<16), control: make([]byte, controlBytes), take: take}
	if err := s.persist(ctx, r.receive); err != nil {
		return fmt.Errorf("collector: receive on %s: %w", s.conn.LocalAddr(), err)
	}
	// The deadline that woke the reader must not cut short those that follow.
	<-woken
	for until := time.Now().Add(drainTime); time.Now().Before(until); {
		if err := s.conn.SetReadDeadline(time.Now().Add(drainPause)); err != nil {
			return err
		}
		if err := r.receive(); err != nil {
			return nil // nothing is left
		}
	}
	return nil
}

// persist receives until ctx ends. Failures are counted, and waited out; the only one
// that is final, and returned, is that of a socket somebody closed.
func (s *socket) persist(ctx context.Context, receive func() error) error {
	pause := minPause
	for ctx.Err() == nil {
		err := receive()
		switch {
		case err == nil:
			pause = minPause
			continue
		case ctx.Err() != nil:
			return nil // ctx woke it
		case errors.Is(err, net.ErrClosed):
			return err
		}
		s.failed.Add(1)
		s.logger.Warn("cannot receive", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
	return nil
}

// reader has the space for one datagram.
type reader struct {
	*socket
	payload, control []byte
	take             func(from netip.AddrPort, payload []byte)
}

func (r *reader) receive() error {
	n, controlled, _, from, err := r.conn.ReadMsgUDPAddrPort(r.payload, r.control)
	if err != nil {
		return err
	}
	if dropped, ok := kernelDrops(r.control[:controlled]); ok {
		r.dropped.Store(dropped)
	}
	r.take(from, r.payload[:n])
	return nil
}
