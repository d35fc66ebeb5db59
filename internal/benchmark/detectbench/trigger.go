package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tapwatch/enrich/intel"
	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/carrier"
	"tapwatch/simulate"
)

// maxTriggers is how many alerts can be told apart: intel folds what one system has with
// many entries of a list, so that each list has a few.
const (
	maxTriggers    = 1000
	entriesPerList = 4
)

// The ends of triggers: peers are of the range for benchmarks (RFC 2544), a listed one and
// another for each trigger; assets are the carrier's.
var (
	wiretap = netip.MustParseAddr("10.66.0.30") // lets in only what rules allow
	core    = netip.MustParseAddr("10.40.1.10")
)

func triggerPeer(i int, listed bool) netip.Addr {
	third := byte(18)
	if listed {
		third = 19
	}
	return netip.AddrFrom4([4]byte{198, third, byte(i / 250), byte(1 + i%250)})
}

// addLists adds lists of the addresses of triggers that are to be on one.
func addLists(cfg *app.Config, dir string, triggers int) error {
	for first := 0; first < triggers; first += entriesPerList {
		var text strings.Builder
		for i := first; i < first+entriesPerList; i++ {
			fmt.Fprintf(&text, "%s/32 # benchmark\n", triggerPeer(i, true))
		}
		name := fmt.Sprintf("bench-%d", first/entriesPerList)
		file := filepath.Join(dir, name+".txt")
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			return err
		}
		cfg.Enrich.Intel.Lists = append(cfg.Enrich.Intel.Lists, intel.List{Name: name, File: file})
	}
	return nil
}

// quietNetwork is the carrier from now on, without intruders, with about so many flow
// records a second at this hour.
func quietNetwork(flows float64) (*simulate.Network, error) {
	const span = 10 * time.Minute
	now := time.Now()
	rate, err := carrier.RateFor(int(flows*span.Seconds()), now.Add(span), span)
	if err != nil {
		return nil, err
	}
	return carrier.Network(now, rate)
}

// triggers sends what is to be found, as a router of its own.
type triggers struct {
	conn     *net.UDPConn
	sequence uint32
}

// triggerRouter exports the triggers.
var triggerRouter = netip.MustParseAddr("127.1.250.1")

func newTriggers(to netip.AddrPort) (*triggers, error) {
	if !to.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is not of this machine alone", to)
	}
	c, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(triggerRouter, 0)), net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	return &triggers{conn: c}, nil
}

func (t *triggers) close() { _ = t.conn.Close() } // nothing waits in it

// send sends the trigger's two records, one each way, and gives its peer: an SSH session
// into the wiretap, or a protected system's session with a listed address.
func (t *triggers) send(i int, listed bool) (netip.Addr, error) {
	peer := triggerPeer(i, listed)
	client, server, port := peer, wiretap, uint16(22)
	if listed {
		client, server, port = core, peer, 443
	}
	datagram := t.datagram(time.Now(), client, server, uint16(20_000+i), port)
	_, err := t.conn.Write(datagram)
	return peer, err
}

// datagram is a NetFlow v5 export (Cisco, NetFlow Export Datagram Format) of a session
// that began a second ago.
func (t *triggers) datagram(now time.Time, client, server netip.Addr, clientPort, serverPort uint16) []byte {
	const uptime, records = 3_600_000, 2
	b := make([]byte, 0, 24+48*records)
	b = binary.BigEndian.AppendUint16(b, 5)
	b = binary.BigEndian.AppendUint16(b, records)
	b = binary.BigEndian.AppendUint32(b, uptime)
	b = binary.BigEndian.AppendUint32(b, uint32(now.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(now.Nanosecond()))
	b = binary.BigEndian.AppendUint32(b, t.sequence)
	b = append(b, 0, 0)                               // engine
	b = binary.BigEndian.AppendUint16(b, 1<<14|0x001) // one of one packet
	t.sequence += records
	for range records {
		src, dst := client.As4(), server.As4()
		b = append(b, src[:]...)
		b = append(b, dst[:]...)
		b = append(b, 0, 0, 0, 0, 0, 1, 0, 2)                  // next hop, interfaces
		b = binary.BigEndian.AppendUint32(b, 12)               // packets
		b = binary.BigEndian.AppendUint32(b, 9_000)            // bytes
		b = binary.BigEndian.AppendUint32(b, uptime-1_000)     // first packet
		b = binary.BigEndian.AppendUint32(b, uptime-100)       // last packet
		b = binary.BigEndian.AppendUint16(b, clientPort)       // source port
		b = binary.BigEndian.AppendUint16(b, serverPort)       // destination port
		b = append(b, 0, 0x1b, 6, 0, 0, 0, 0, 0, 24, 24, 0, 0) // SYN, FIN, PSH, ACK; TCP; no AS; masks
		client, server, clientPort, serverPort = server, client, serverPort, clientPort
	}
	return b
}
