package collector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// receiver reads the datagrams of one socket, stamps and queues them.
type receiver interface {
	// receive waits until there is something to read, for a while at least, and reads
	// that.
	receive() error
	// spare says that the last receive took all there was.
	spare() bool
	// rest reads what the kernel has received; false: nothing more came for that long.
	rest(wait time.Duration) (more bool, err error)
	close() error
}

// drainTime is how long a reader goes on at the end, and drainPause how long it
// waits for one more datagram: what is in the socket's buffer is read in no time, and
// what the kernel has still on its way to there comes at once.
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

// read hands datagrams over until ctx ends, and then those that the kernel has
// already received. An error means that the socket broke.
func (s *socket) read(ctx context.Context, d *dispatcher) (err error) {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.conn.SetReadDeadline(time.Now())
		close(woken)
	})
	defer stop()
	r, err := newReceiver(s, d.dispatch)
	if err != nil {
		return fmt.Errorf("collector: receive on %s: %w", s.listens(), err)
	}
	defer func() { err = errors.Join(err, r.close()) }()
	gather := newGathering(s.granted)
	receive := func() error {
		err := r.receive()
		if err == nil && r.spare() {
			gather.wait(ctx)
		}
		return err
	}
	if err := s.persist(ctx, receive); err != nil {
		return fmt.Errorf("collector: receive on %s: %w", s.listens(), err)
	}
	<-woken
	s.drain(r.rest)
	return nil
}

// gathering lets datagrams gather in the socket after all there were have been read:
// to wake up for a few at a time costs more than to read, decode and enrich them. The
// kernel has stamped them, so nothing but a little time is lost. The readers of all
// sockets go on at the same moments, so that the process sleeps in between.
type gathering struct {
	timer *time.Timer
	every time.Duration
}

// A reader waits for so long at most; and for no longer than the receive buffer would
// last if so many bytes came in a second, 4 Gbit/s of exports with what the kernel
// adds to each.
const (
	longestGathering = 30 * time.Millisecond
	gatheringBytes   = 512 << 20
)

// newGathering makes the gathering of a socket with that receive buffer.
func newGathering(bufferBytes int) *gathering {
	last := time.Duration(bufferBytes) * time.Second / gatheringBytes
	g := &gathering{timer: time.NewTimer(longestGathering), every: max(min(longestGathering, last), time.Microsecond)}
	g.timer.Stop()
	return g
}

func (g *gathering) wait(ctx context.Context) {
	g.timer.Reset(g.every - time.Duration(time.Now().UnixNano())%g.every)
	select {
	case <-ctx.Done():
	case <-g.timer.C:
	}
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
		s.fail(err, pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
	return nil
}

// drain receives until nothing more comes. A failure says nothing about what there is
// still to read: it is counted, and waited out as far as the time allows.
func (s *socket) drain(rest func(wait time.Duration) (more bool, err error)) {
	pause := minPause
	for until := time.Now().Add(drainTime); time.Now().Before(until); {
		more, err := rest(drainPause)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.fail(err, pause)
			time.Sleep(pause)
			pause = min(2*pause, maxPause)
		case !more:
			return
		default:
			pause = minPause
		}
	}
	s.logger.Warn("stopped while datagrams keep coming: what the kernel holds of them is lost", "after", drainTime)
}

// fail counts a receive that failed.
func (s *socket) fail(err error, pause time.Duration) {
	s.failed.Add(1)
	s.logger.Warn("cannot receive", "error", err, "pause", pause)
}
