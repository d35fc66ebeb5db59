package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v7"
	"golang.org/x/time/rate"
)

const (
	// maxStrangers bounds the clients of one door that have not shown a password
	// yet: they must not use up the process's file descriptors.
	maxStrangers = 128
	// A shortage is waited out in pauses that grow between these two.
	minPause, maxPause = 5 * time.Millisecond, time.Second
	// complainEvery bounds how often a door logs each kind of trouble.
	complainEvery = 10 * time.Second
)

// door is a listener that goes on over a shortage of file descriptors, and that
// refuses clients while too many are there that have not shown a password. Accept
// is for one goroutine.
type door struct {
	net.Listener
	ctx       context.Context // ends a pause; Accept takes none
	strangers chan struct{}   // one element for each
	pauses    *backoff.ExponentialBackOff
	metrics   *Metrics
	log       *slog.Logger

	noisyFailures, noisyRefusals *rate.Limiter
}

func (g *Gateway) door(ctx context.Context, l net.Listener) *door {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = minPause, maxPause
	return &door{
		Listener: l, ctx: ctx,
		strangers: make(chan struct{}, maxStrangers),
		pauses:    pauses, metrics: g.metrics,
		log:           g.log.With("address", l.Addr().String()),
		noisyFailures: rate.NewLimiter(rate.Every(complainEvery), 1),
		noisyRefusals: rate.NewLimiter(rate.Every(complainEvery), 1),
	}
}

// Accept gives the next client, a *guest. It fails when the listener is closed or
// broken, or ctx has ended.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.accept()
		if err != nil {
			return nil, err
		}
		select {
		case d.strangers <- struct{}{}:
			return &guest{TCPConn: c, known: sync.OnceFunc(func() { <-d.strangers })}, nil
		default:
		}
		d.refuse(c)
	}
}

func (d *door) refuse(c *net.TCPConn) {
	d.metrics.Refused.Inc()
	if d.noisyRefusals.Allow() {
		d.log.Warn("connection refused, too many have shown no password yet", "limit", maxStrangers)
	}
	_ = c.Close() // it has no use, whatever its end is
}

// accept waits shortages out.
func (d *door) accept() (*net.TCPConn, error) {
	for {
		c, err := d.Listener.Accept()
		if err == nil {
			d.pauses.Reset()
			return c.(*net.TCPConn), nil
		}
		if !temporary(err) {
			return nil, fmt.Errorf("accept a connection to the embedded ClickHouse: %w", err)
		}
		pause := d.pauses.NextBackOff()
		d.metrics.AcceptErrors.Inc()
		if d.noisyFailures.Allow() {
			d.log.Warn("connection not accepted, trying again", "error", err, "next_in", pause)
		}
		select {
		case <-d.ctx.Done():
			return nil, context.Cause(d.ctx)
		case <-time.After(pause):
		}
	}
}

// temporary tells whether accept(2) may work again with the same listener: after
// a shortage, or when the trouble was that of one connection.
func temporary(err error) bool {
	var code syscall.Errno
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.EPERM, syscall.EINTR:
		return true
	}
	return false
}

// guest is a connection of a client.
type guest struct {
	*net.TCPConn
	known func() // makes room for another stranger; may be called again
}

// Close ends the connection.
func (g *guest) Close() error {
	g.known()
	return g.TCPConn.Close()
}

// guestKey finds the guest in the context of its HTTP requests.
type guestKey struct{}

func withGuest(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, guestKey{}, c)
}

func guestOf(ctx context.Context) *guest { return ctx.Value(guestKey{}).(*guest) }
