package carrier

import (
	"context"
	"net/netip"
	"time"

	"tapwatch/simulate"
)

// Take gets a datagram, which is good until it returns, with the stream time at which it
// was sent.
type Take func(from netip.AddrPort, at time.Time, datagram []byte) error

// sourcePort is that of every router.
const sourcePort = 50000

// Stream hands the datagrams of all routers in span to take, as fast as it takes them:
// nothing is sent, and time is the network's own.
func Stream(ctx context.Context, n *simulate.Network, start time.Time, span time.Duration, take Take) (simulate.Stats, error) {
	c := &clock{now: start}
	var failed error
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stats, err := n.Run(ctx, simulate.Options{
		Target: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 2055),
		Clock:  c, Duration: span,
		Dial: func(r simulate.Router, _ netip.AddrPort) (simulate.Conn, error) {
			from := netip.AddrPortFrom(r.Address, sourcePort)
			return tap(func(datagram []byte) error {
				if failed == nil {
					if failed = take(from, c.now, datagram); failed != nil {
						stop()
					}
				}
				return failed
			}), nil
		},
	})
	if failed != nil {
		return stats, failed
	}
	if err == nil {
		err = ctx.Err()
	}
	return stats, err
}

// clock jumps to whatever time is waited for.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return ctx.Err()
}

// tap is a connection that leads to a function.
type tap func(datagram []byte) error

func (t tap) Write(datagram []byte) (int, error) { return len(datagram), t(datagram) }

func (tap) Close() error { return nil }
