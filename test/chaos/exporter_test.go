//go:build linux

package chaos

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"tapwatch/internal/testkit"
)

// watchedEvery is which share of the records touches the protected zone.
const watchedEvery = 3

// templateID is that of the one template that the exporters here use.
const templateID = 256

// template is what each message begins with, so that none depends on another: the
// elements of a record with their lengths.
var template = func() []byte {
	elements := [][2]uint16{
		{8, 4}, {12, 4}, // source and destination address
		{7, 2}, {11, 2}, // ports
		{4, 1},         // protocol
		{1, 8}, {2, 8}, // octets, the record's number, and packets
		{152, 8}, {153, 8}, // start and end
	}
	u16 := binary.BigEndian.AppendUint16
	set := u16(u16(nil, templateID), uint16(len(elements)))
	for _, e := range elements {
		set = u16(u16(set, e[0]), e[1])
	}
	return append(u16(u16(nil, 2), uint16(4+len(set))), set...)
}()

// appendRecord appends the record with number id. It can be told again from its octets
// alone, and one of watchedEvery goes to the protected zone.
func appendRecord(p []byte, id uint64, now time.Time) []byte {
	u16, u64 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint64
	p = append(p, 198, 51, byte(id>>8), byte(id))
	if id%watchedEvery == 0 {
		p = append(p, 10, 66, 0, byte(id/watchedEvery%8))
	} else {
		p = append(p, 203, 0, 113, byte(id))
	}
	p = u16(u16(p, uint16(32768+id%20000)), 443)
	p = append(p, 6)
	p = u64(u64(p, id), 1)
	return u64(u64(p, uint64(now.UnixMilli()-250)), uint64(now.UnixMilli()-10))
}

// message makes an IPFIX message of n records, the first of which has the number given;
// sequence is how many records the same session has sent before.
func message(first uint64, n int, sequence uint32) []byte {
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	now := time.Now()
	p := u32(u32(u16(u16(nil, 10), 0), uint32(now.Unix())), sequence)
	p = append(u32(p, 1), template...)
	set := len(p)
	p = u16(u16(p, templateID), 0)
	for i := range uint64(n) {
		p = appendRecord(p, first+i, now)
	}
	binary.BigEndian.PutUint16(p[set+2:], uint16(len(p)-set))
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	return p
}

const (
	// perSecond is how many records an exporter sends.
	perSecond = 6_000
	// perMessage is how many of them go together.
	perMessage = 30
)

// exporter sends numbered records at a steady rate until it is stopped, or until its
// connection breaks.
type exporter struct {
	first uint64        // number of its first record
	sent  atomic.Uint64 // records that the kernel took
	since atomic.Int64  // when it took the latest, Unix ms
	stop  func()        // ends the sending, and returns when it has ended
	done  chan struct{}
}

// export starts an exporter from the loopback address given over "tcp" or "udp". The
// numbers of its records begin with first.
func export(t *testing.T, network string, from string, to netip.AddrPort, first uint64) *exporter {
	t.Helper()
	local := net.Addr(&net.TCPAddr{IP: net.ParseIP(from)})
	if network == "udp" {
		local = &net.UDPAddr{IP: net.ParseIP(from)}
	}
	dialer := net.Dialer{LocalAddr: local, Timeout: 10 * time.Second}
	var conn net.Conn
	testkit.Eventually(t, "tapwatch listens on "+network, func() (ok bool) {
		var err error
		conn, err = dialer.DialContext(t.Context(), network, to.String())
		return err == nil
	})
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetWriteBuffer(64 << 10); err != nil { // so that it soon feels a peer that waits
			t.Fatal(err)
		}
	}
	e := &exporter{first: first, done: make(chan struct{})}
	quit := make(chan struct{})
	go e.send(conn, quit)
	stopped := false
	e.stop = func() {
		if !stopped {
			stopped = true
			close(quit)
			<-e.done
		}
	}
	t.Cleanup(func() { _ = conn.Close(); e.stop() }) // closed: it may be held up in a write
	return e
}

// held tells whether the kernel has taken nothing for so long that tapwatch must be
// waiting.
func (e *exporter) held() bool {
	since := e.since.Load()
	return since != 0 && time.Now().UnixMilli()-since > 1500
}

// send sends until quit is closed or the connection breaks.
func (e *exporter) send(conn net.Conn, quit <-chan struct{}) {
	defer close(e.done)
	defer conn.Close()
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	began := time.Now()
	for {
		select {
		case <-quit:
			return
		case <-pace.C:
		}
		due := uint64(time.Since(began).Seconds() * perSecond)
		if held := e.sent.Load() + perSecond/4; due > held {
			began = began.Add(time.Duration(float64(due-held) / perSecond * float64(time.Second))) // what was held up is not made up for
			due = held
		}
		for e.sent.Load()+perMessage <= due {
			n := e.sent.Load()
			if _, err := conn.Write(message(e.first+n, perMessage, uint32(n))); err != nil {
				return
			}
			e.sent.Add(perMessage)
			e.since.Store(time.Now().UnixMilli())
		}
	}
}
