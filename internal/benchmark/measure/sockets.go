package measure

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// UDPSocket is a socket in /proc/net/udp: the bytes that wait in it, and the datagrams
// that the kernel dropped for want of room.
type UDPSocket struct{ Waiting, Dropped uint64 }

// SocketsOf gives the UDP sockets bound to a port: several can share it.
func SocketsOf(port uint16) ([]UDPSocket, error) {
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return nil, err
	}
	var all []UDPSocket
	for line := range strings.Lines(string(table)) {
		// sl local rem st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops
		f := strings.Fields(line)
		if len(f) < 13 || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		_, queue, _ := strings.Cut(f[4], ":")
		waiting, err := strconv.ParseUint(queue, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("/proc/net/udp: %w", err)
		}
		dropped, err := strconv.ParseUint(f[12], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("/proc/net/udp: %w", err)
		}
		all = append(all, UDPSocket{waiting, dropped})
	}
	return all, nil
}

// Poll asks a hundred times a second until done.
func Poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// FreeAddr gives an address of 127.0.0.1 whose UDP port was free a moment ago.
func FreeAddr() (netip.AddrPort, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return netip.AddrPort{}, err
	}
	return c.LocalAddr().(*net.UDPAddr).AddrPort(), c.Close()
}
