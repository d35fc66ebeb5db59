package collector

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A reading takes up to readings datagrams at once. Each has room for headBytes, more
// than Ethernet carries in one frame, close to the others; and elsewhere room for the
// rest of a datagram that was cut into fragments, which is hardly ever touched.
const (
	readings  = 64
	headBytes = 2 << 10
	tailBytes = math.MaxUint16 + 1 - headBytes
	// controlBytes is the room for the control messages of prepare.
	controlBytes = 64
)

// mmsgReceiver reads many datagrams by one system call, recvmmsg(2).
type mmsgReceiver struct {
	*socket
	dispatch func([]arrival)
	try      func(fd uintptr) // made once: a method value costs memory
	err      error            // of the last try
	took     int              // how many datagrams the last reading took

	headers  [readings]unix.Mmsghdr
	vectors  [readings][2]unix.Iovec
	names    [readings]unix.RawSockaddrInet6    // room for either family
	controls [readings][controlBytes / 8]uint64 // aligned as control messages must be
	heads    [readings][headBytes]byte
	tails    []byte // mapped: pages that are never touched take no memory
	arrivals [readings]arrival
}

func newReceiver(s *socket, dispatch func([]arrival)) (receiver, error) {
	tails, err := unix.Mmap(-1, 0, readings*tailBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	r := &mmsgReceiver{socket: s, dispatch: dispatch, tails: tails}
	r.try = r.tryRead
	for i := range r.headers {
		r.vectors[i][0].Base = &r.heads[i][0]
		r.vectors[i][0].SetLen(headBytes)
		r.vectors[i][1].Base = &r.tail(i)[0]
		r.vectors[i][1].SetLen(tailBytes)
		h := &r.headers[i].Hdr
		h.Iov = &r.vectors[i][0]
		h.SetIovlen(len(r.vectors[i]))
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Control = (*byte)(unsafe.Pointer(&r.controls[i]))
		r.prime(i)
	}
	return r, nil
}

func (r *mmsgReceiver) close() error { return unix.Munmap(r.tails) }

func (r *mmsgReceiver) tail(i int) []byte { return r.tails[i*tailBytes : (i+1)*tailBytes] }

// prime says how much room a header has; the kernel writes how much it took.
func (r *mmsgReceiver) prime(i int) {
	r.headers[i].Hdr.Namelen = unix.SizeofSockaddrInet6
	r.headers[i].Hdr.SetControllen(controlBytes)
}

// longestWait is how long receive waits for a datagram, before it is asked whether it
// should go on.
const longestWait = 100 * time.Millisecond

// receive implements receiver. It returns after a while though nothing came.
func (r *mmsgReceiver) receive() error {
	r.took = 0
	if err := r.raw.Control(r.try); err != nil {
		return err
	}
	return r.err
}

// spare implements receiver.
func (r *mmsgReceiver) spare() bool { return 0 < r.took && r.took < readings }

// tryRead reads once, and waits if there is nothing to read.
func (r *mmsgReceiver) tryRead(fd uintptr) {
	r.err = r.readBatch(fd)
	if errors.Is(r.err, unix.EAGAIN) {
		r.err = nil
		if await(int(fd), longestWait) {
			r.err = r.readBatch(fd)
		}
	}
}

// rest implements receiver. It asks the kernel itself: the poller answers with a
// deadline that is over before it looks.
func (r *mmsgReceiver) rest(wait time.Duration) (more bool, err error) {
	err = control(r.raw, func(fd int) error {
		switch err := r.readBatch(uintptr(fd)); {
		case err == nil:
			more = true
		case errors.Is(err, unix.EAGAIN):
			more = await(fd, wait)
		default:
			return err
		}
		return nil
	})
	return more, err
}

// readBatch reads what waits, as far as there is room, stamps and queues it. EAGAIN:
// nothing waits.
func (r *mmsgReceiver) readBatch(fd uintptr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.headers[0])), readings, unix.MSG_DONTWAIT, 0, 0)
	switch e {
	case 0:
	case unix.EAGAIN:
		return unix.EAGAIN // as an error it exists already
	case unix.EINTR:
		return nil
	default:
		return os.NewSyscallError("recvmmsg", e)
	}
	r.took = int(n)
	now := r.clock.millis()
	for i := range r.took {
		r.arrive(i, now)
	}
	r.dispatch(r.arrivals[:r.took])
	return nil
}

// arrive takes over the datagram that the kernel wrote to place i.
func (r *mmsgReceiver) arrive(i int, now int64) {
	h, a := &r.headers[i], &r.arrivals[i]
	size := int(h.Len)
	a.payload, a.more = r.heads[i][:min(size, headBytes)], nil
	if size > headBytes {
		a.more = r.tail(i)[:size-headBytes]
	}
	a.from = sender(&r.names[i])
	a.at = r.stamp(r.controlled(unsafe.Slice((*byte)(unsafe.Pointer(&r.controls[i])), h.Hdr.Controllen)), now)
	r.prime(i)
}

// controlled reads the control messages of a datagram: when it came, in milliseconds
// since 1970 (0: not said), and how many the kernel has dropped so far, which it says
// once there are any.
func (r *mmsgReceiver) controlled(all []byte) (at int64) {
	for len(all) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(all)
		if err != nil {
			break
		}
		switch {
		case header.Level != unix.SOL_SOCKET:
		case header.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			r.drops(binary.NativeEndian.Uint32(data))
		case header.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			at = (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano() / int64(time.Millisecond)
		}
		all = rest
	}
	return at
}

// sender is the address that the kernel wrote; IPv4 comes mapped on a socket for both.
func sender(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // in network order
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), binary.BigEndian.Uint16(port[:]))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), binary.BigEndian.Uint16(port[:]))
}
