package packets

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Report is what nfdump, or tshark for sFlow, counts: the flow records, and the
// sums of their bytes and packets.
type Report struct {
	Flows   uint64 `json:"flows"`
	Bytes   uint64 `json:"bytes"`
	Packets uint64 `json:"packets"`
	// Starts are the starts of the flows in Unix milliseconds, as tshark reads them,
	// where they are no others' to tell: of an exporter that reads live traffic.
	Starts []int64 `json:"starts,omitempty"`
}

// Nfcapd is a running nfcapd, the collector of nfdump, on a free port of 127.0.0.1.
type Nfcapd struct {
	Addr netip.AddrPort
	dir  string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// StartNfcapd starts nfcapd, which writes below dir, and waits until it receives.
func StartNfcapd(ctx context.Context, dir string) (*Nfcapd, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	n := &Nfcapd{Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), dir: dir}
	n.cmd = exec.CommandContext(ctx, program("nfcapd"), "-b", "127.0.0.1", "-p", strconv.Itoa(int(port)), "-l", dir, "-t", "3600")
	n.cmd.Stdout, n.cmd.Stderr = &n.log, &n.log
	n.cmd.Cancel = func() error { return n.cmd.Process.Signal(syscall.SIGTERM) }
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start nfcapd: %w", err)
	}
	return n, n.ready(ctx)
}

// freePort gives a UDP port that was free a moment ago.
func freePort() (uint16, error) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	port := uint16(c.LocalAddr().(*net.UDPAddr).Port)
	return port, c.Close()
}

// ready waits until the port is taken.
func (n *Nfcapd) ready(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(n.Addr))
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil
		}
		if err == nil {
			_ = c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return fmt.Errorf("nfcapd does not receive on %s: %s", n.Addr, n.log.String())
}

// Stop ends nfcapd, which then writes its file, and gives what nfdump reads in it.
// Datagrams sent before are taken in first.
func (n *Nfcapd) Stop(ctx context.Context) (Report, error) {
	if err := n.drained(ctx); err != nil {
		return Report{}, err
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return Report{}, err
	}
	if err := n.cmd.Wait(); err != nil {
		return Report{}, fmt.Errorf("nfcapd: %w\n%s", err, n.log.String())
	}
	out, err := exec.CommandContext(ctx, program("nfdump"), "-R", n.dir, "-N", "-q", "-o", "fmt:%byt %pkt").Output()
	if err != nil {
		return Report{}, fmt.Errorf("nfdump: %w", err)
	}
	return sum(out)
}

// drained waits until the kernel holds no datagram for nfcapd any more.
func (n *Nfcapd) drained(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting, err := receiveQueue(n.Addr.Port())
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// receiveQueue reads from /proc/net/udp how many bytes wait for the socket on the
// port.
func receiveQueue(port uint16) (int64, error) {
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 5 || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		_, queue, _ := strings.Cut(f[4], ":")
		return strconv.ParseInt(queue, 16, 64)
	}
	return 0, fmt.Errorf("no socket receives on port %d", port)
}

// sum adds the lines "bytes packets" of nfdump.
func sum(out []byte) (Report, error) {
	var r Report
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 2 {
			continue
		}
		b, err := strconv.ParseUint(f[0], 10, 64)
		if err != nil {
			return r, fmt.Errorf("nfdump printed %q", lines.Text())
		}
		p, err := strconv.ParseUint(f[1], 10, 64)
		if err != nil {
			return r, fmt.Errorf("nfdump printed %q", lines.Text())
		}
		r.Flows, r.Bytes, r.Packets = r.Flows+1, r.Bytes+b, r.Packets+p
	}
	return r, lines.Err()
}
