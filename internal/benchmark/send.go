package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// sent is what the sending process prints when it ends.
type sent struct {
	Records uint64
	Seconds float64
}

// startSender sends from a process of its own, and waits for it.
func startSender(ctx context.Context, to netip.AddrPort, rate int, seconds float64) (sent, error) {
	self, err := os.Executable()
	if err != nil {
		return sent{}, err
	}
	cmd := exec.CommandContext(ctx, self, commandSend, "-to", to.String(),
		"-rate", strconv.Itoa(rate), "-seconds", strconv.FormatFloat(seconds, 'f', -1, 64))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return sent{}, fmt.Errorf("send: %w", err)
	}
	var s sent
	return s, json.Unmarshal(out, &s)
}

// send is the process: it sends the ring of NetFlow v9 again and again.
func send(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet(commandSend, flag.ContinueOnError)
	to := flags.String("to", "", "address to send to, of 127.0.0.0/8")
	rate := flags.Int("rate", 100_000, "records a second")
	seconds := flags.Float64("seconds", 1, "how long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	addr, err := netip.ParseAddrPort(*to)
	if err != nil {
		return err
	}
	if !addr.Addr().IsLoopback() {
		return fmt.Errorf("%s is not of this machine alone", addr)
	}
	s, err := newSender(addr)
	if err != nil {
		return err
	}
	result, err := s.run(ctx, *rate, time.Duration(*seconds*float64(time.Second)))
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

// sender has a socket for each exporter, with an address of its own.
type sender struct {
	conns     []*net.UDPConn
	ring      *ring
	sequences sequences
	next      int
}

func newSender(to netip.AddrPort) (*sender, error) {
	s := &sender{ring: ringV9(false), sequences: make(sequences, ringExporters)}
	for e := range ringExporters {
		from := net.UDPAddrFromAddrPort(netip.AddrPortFrom(exporterAddr(e), 0))
		c, err := net.DialUDP("udp4", from, net.UDPAddrFromAddrPort(to))
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

// tick is how often the sender wakes: what is due by then goes out at once. maxBurst is
// after how many datagrams it looks at the clock again.
const (
	tick     = time.Millisecond
	maxBurst = 64
)

// run sends at a rate for a while. A machine that cannot do it gets as long again to
// send what is due.
func (s *sender) run(ctx context.Context, rate int, during time.Duration) (sent, error) {
	began, records := time.Now(), 0
	for ctx.Err() == nil {
		took := time.Since(began)
		due := int(float64(rate) * min(took, during).Seconds())
		if took >= during && (records >= due || took >= 2*during) {
			break
		}
		for burst := 0; records < due && burst < maxBurst; burst++ {
			n, err := s.one()
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
func (s *sender) one() (records int, err error) {
	d := &s.ring.datagrams[s.next]
	s.next = (s.next + 1) % len(s.ring.datagrams)
	s.sequences.stamp(d)
	_, err = s.conns[d.exporter].Write(d.payload)
	return d.records, err
}
