package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"tapwatch/internal/benchmark/measure"
)

// process is a collector that was started.
type process struct {
	cmd  *exec.Cmd
	addr netip.AddrPort
	dir  string
	out  bytes.Buffer
	log  bytes.Buffer
	// stdin is open while the process is to run; nil for one that a signal stops.
	stdin io.WriteCloser
	// warm is the CPU time it took until the end of the warm-up.
	warm time.Duration
	// dropped is how many datagrams the kernel dropped.
	dropped uint64
}

// once starts a subject, sends to it, ends it and gives what it cost.
func once(ctx context.Context, s subject, rate int, seconds float64) (result trial, err error) {
	dir, err := os.MkdirTemp("", "tapwatch-benchmark-")
	if err != nil {
		return trial{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel() // ends the process whatever happens
	p, err := s.start(ctx, dir)
	if err != nil {
		return trial{}, err
	}
	warmup, main, err := p.feed(ctx, rate, seconds)
	if err := errors.Join(err, p.end()); err != nil {
		return trial{}, err
	}
	received, err := s.received(ctx, p)
	state := p.cmd.ProcessState
	return trial{
		sent: warmup.Records + main.Records, received: received, dropped: p.dropped,
		charged: received - min(received, warmup.Records),
		cpu:     state.UserTime() + state.SystemTime() - p.warm,
		rate:    float64(main.Records) / main.Seconds,
	}, err
}

// warmSeconds is how long the warm-up is, whose records are not charged.
const warmSeconds = 1.0

// feed sends to the process, a warm-up and then what counts, and waits until it has
// taken everything.
func (p *process) feed(ctx context.Context, rate int, seconds float64) (warmup, main sent, err error) {
	if warmup, err = startSender(ctx, p.addr, rate, warmSeconds); err != nil {
		return warmup, main, err
	}
	if err = p.drain(ctx); err != nil {
		return warmup, main, err
	}
	time.Sleep(settle)
	if p.warm, err = measure.CPU(p.cmd.Process.Pid); err != nil {
		return warmup, main, err
	}
	if main, err = startSender(ctx, p.addr, rate, seconds); err != nil {
		return warmup, main, err
	}
	return warmup, main, p.drain(ctx)
}

// settle is how long a process may put itself in order after the warm-up: the
// collector hands on what is less than a batch after a second.
const settle = 1200 * time.Millisecond

// begin starts the process and waits until it receives on its address.
func (p *process) begin(ctx context.Context) error {
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 10 * time.Second
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	err := measure.Poll(ctx, func() (bool, error) {
		if measure.Ended(p.cmd.Process.Pid) {
			return false, errors.New("it ended at once")
		}
		sockets, err := measure.SocketsOf(p.addr.Port())
		return len(sockets) > 0, err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("start: %w", err), p.end())
	}
	return nil
}

// end stops the process and waits for it.
func (p *process) end() error {
	var err error
	if p.stdin != nil {
		err = p.stdin.Close()
	} else {
		err = p.cmd.Process.Signal(os.Interrupt)
	}
	if waited := p.cmd.Wait(); waited != nil {
		return fmt.Errorf("%w\n%s", errors.Join(err, waited), p.log.String())
	}
	return nil
}

// drain waits until the kernel holds nothing for the process any more.
func (p *process) drain(ctx context.Context) error {
	empty := 0
	return measure.Poll(ctx, func() (bool, error) {
		all, err := measure.SocketsOf(p.addr.Port())
		if err != nil {
			return false, err
		}
		p.dropped = 0
		empty++
		for _, s := range all {
			p.dropped += s.Dropped
			if s.Waiting > 0 {
				empty = 0
			}
		}
		return empty > 3, nil
	})
}
