package packets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// NetFlow7 is a version that Fprobe exports.
const NetFlow7 = "7"

// Fprobe has the real fprobe, one of the few that still export NetFlow v7, watch
// the loopback interface while the frames of a pcap pass there, and export their
// flows. until is asked whether all has come; then fprobe is stopped. It needs root.
// Debian has it in the package fprobe.
func Fprobe(ctx context.Context, pcap, version string, target netip.AddrPort, until func(context.Context) error) (err error) {
	all, err := frames(pcap)
	if err != nil {
		return err
	}
	id := "tapwatch-" + strconv.Itoa(os.Getpid())
	err = runDaemon(ctx, os.Environ(), "fprobe", "-p", "-i", "lo", "-f", "net 10.77.0.0/16", "-n", version,
		"-s", "1", "-d", "1", "-q", "10000", "-l", "0:"+id, target.String())
	if err != nil {
		return err
	}
	// fprobe names its pid file after the log identifier.
	pid := "/var/run/fprobe[" + id + "].pid"
	defer func() { err = errors.Join(err, terminate(pid)) }()
	if err := captures(ctx, pid); err != nil {
		return err
	}
	if err := inject("lo", all); err != nil {
		return err
	}
	return until(ctx)
}

// captures waits until fprobe captures: it opens the interface and only then starts
// its threads.
func captures(ctx context.Context, pidFile string) error {
	const threads = 5 // the first, and those that capture, scan, wait and send
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if pid, err := os.ReadFile(pidFile); err == nil {
			tasks, err := os.ReadDir(filepath.Join("/proc", strings.TrimSpace(string(pid)), "task"))
			if err == nil && len(tasks) >= threads {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("fprobe does not capture: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// inject puts frames on an interface.
func inject(name string, all [][]byte) error {
	on, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	for _, frame := range all {
		if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: on.Index}); err != nil {
			return fmt.Errorf("send on %s: %w", name, err)
		}
	}
	return nil
}
