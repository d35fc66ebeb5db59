package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// order is what the sending process reads: a line for each run.
type order struct {
	Rate    int // records a second
	Seconds float64
}

// sent is what it answers. The first answer, to no order, says that it is ready.
type sent struct {
	Records uint64
	Seconds float64
}

// send is the process: it obeys until its input ends.
func send(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet(commandSend, flag.ContinueOnError)
	to := flags.String("to", "", "address to send to, of 127.0.0.0/8")
	records := flags.Int("ring", 1_000_000, "records of the ring")
	rate := flags.Float64("simulated-rate", 1800, "records a second of the simulated network")
	if err := flags.Parse(args); err != nil {
		return err
	}
	addr, err := netip.ParseAddrPort(*to)
	if err != nil {
		return err
	}
	s, err := newSender(addr, *records, *rate)
	if err != nil {
		return err
	}
	return errors.Join(s.obey(ctx, in, out), s.close())
}

// sender has a socket for each router, with the router's own address.
type sender struct {
	ring      *ring
	conns     []*net.UDPConn
	sequences []uint32
	next      int
}

func newSender(to netip.AddrPort, records int, rate float64) (*sender, error) {
	if !to.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is not of this machine alone", to)
	}
	r, err := newRing(records, rate)
	if err != nil {
		return nil, err
	}
	s := &sender{ring: r, sequences: make([]uint32, len(r.routers))}
	for i := range r.routers {
		c, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(r.from(i)), net.UDPAddrFromAddrPort(to))
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.conns = append(s.conns, c)
	}
	return s, nil
}

func (s *sender) close() error {
	var all []error
	for _, c := range s.conns {
		all = append(all, c.Close())
	}
	return errors.Join(all...)
}

func (s *sender) obey(ctx context.Context, in io.Reader, out io.Writer) error {
	answers := json.NewEncoder(out)
	if err := answers.Encode(sent{}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		done, err := s.run(ctx, o.Rate, time.Duration(o.Seconds*float64(time.Second)))
		if err != nil {
			return err
		}
		if err := answers.Encode(done); err != nil {
			return err
		}
	}
	return nil
}

// tick is how often the sender wakes: what is due by then goes out at once. maxBurst is
// after how many datagrams it looks at the clock again.
const (
	tick     = time.Millisecond
	maxBurst = 32
)

// run sends at a rate for a while. A machine that cannot do it gets as long again to
// send what is due.
func (s *sender) run(ctx context.Context, rate int, during time.Duration) (sent, error) {
	began, records := time.Now(), 0
	for ctx.Err() == nil {
		now := time.Now()
		took := now.Sub(began)
		due := int(float64(rate) * min(took, during).Seconds())
		if took >= during && (records >= due || took >= 2*during) {
			break
		}
		for burst := 0; records < due && burst < maxBurst; burst++ {
			n, err := s.one(now)
			if err != nil {
				return sent{}, err
			}
			records += n
		}
		if records >= due {
			time.Sleep(tick)
		}
	}
	return sent{uint64(records), time.Since(began).Seconds()}, ctx.Err()
}

// one sends the next datagram.
func (s *sender) one(now time.Time) (records int, err error) {
	d := &s.ring.datagrams[s.next]
	s.next = (s.next + 1) % len(s.ring.datagrams)
	d.stamp(s.sequences, now)
	_, err = s.conns[d.router].Write(d.payload)
	return d.records, err
}
