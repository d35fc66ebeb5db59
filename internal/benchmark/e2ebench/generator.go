package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// generator is the sending process, seen from outside.
type generator struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Scanner
	total   uint64 // records sent since it began
}

// startGenerator starts it and waits until it has made its datagrams.
func startGenerator(ctx context.Context, to netip.AddrPort, o options) (*generator, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	g := &generator{}
	g.cmd = exec.CommandContext(ctx, self, commandSend, "-to", to.String(), "-ring", strconv.Itoa(o.records),
		"-simulated-rate", strconv.FormatFloat(o.flowRate, 'f', -1, 64))
	g.cmd.Stderr = os.Stderr
	if g.orders, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	g.answers = bufio.NewScanner(out)
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the generator: %w", err)
	}
	if _, err := g.answer(); err != nil {
		return nil, errors.Join(err, g.end())
	}
	return g, nil
}

func (g *generator) pid() int { return g.cmd.Process.Pid }

// send sends at a rate for a while, and waits for it.
func (g *generator) send(rate int, during time.Duration) (sent, error) {
	if err := json.NewEncoder(g.orders).Encode(order{rate, during.Seconds()}); err != nil {
		return sent{}, fmt.Errorf("tell the generator: %w", err)
	}
	s, err := g.answer()
	g.total += s.Records
	return s, err
}

func (g *generator) answer() (sent, error) {
	if !g.answers.Scan() {
		return sent{}, errors.Join(errors.New("the generator has ended"), g.answers.Err())
	}
	var s sent
	if err := json.Unmarshal(g.answers.Bytes(), &s); err != nil {
		return sent{}, fmt.Errorf("the generator says %q: %w", g.answers.Text(), err)
	}
	return s, nil
}

// end lets it end.
func (g *generator) end() error {
	return errors.Join(g.orders.Close(), g.cmd.Wait())
}
