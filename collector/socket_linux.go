package collector

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// controlBytes is the room for the control message that counts the kernel's drops.
const controlBytes = 64

// prepare makes the kernel tell how many datagrams it dropped (SO_RXQ_OVFL), and
// gives the receive buffer it granted. Linux counts its own bookkeeping in: it
// doubles what is asked.
func prepare(raw syscall.RawConn) (granted int, err error) {
	failed := raw.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1); err != nil {
			return
		}
		granted, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	if failed != nil {
		return 0, failed
	}
	return granted / 2, err
}

// kernelDrops reads the count of drops since the socket was made; ok is false if
// there were none yet.
func kernelDrops(control []byte) (n uint32, ok bool) {
	for len(control) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return 0, false
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SO_RXQ_OVFL && len(data) >= 4 {
			return binary.NativeEndian.Uint32(data), true
		}
		control = rest
	}
	return 0, false
}
