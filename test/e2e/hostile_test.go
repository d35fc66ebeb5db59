package e2e

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"tapwatch/collector/pcap"
	"tapwatch/internal/testkit"
)

// hangsGoflow2 is an IPFIX template of no fields and a data set for it, on which
// goflow2 v2.2.6 never returns and eats memory.
const hangsGoflow2 = "000a001c 66000000 00000001 00000001" + "0002 0008 0100 0000" + "0100 0004"

// TestHostileDatagrams sends what no router sends. Each datagram is counted by
// reason, and a real export afterwards is stored as if nothing had been.
func TestHostileDatagrams(t *testing.T) {
	cfg := configuration(t)
	tapwatch := start(t, cfg)
	store := testkit.Open(t, cfg.Storage.ClickHouse.WriterEndpoint())
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 9, 9, 9)}, net.UDPAddrFromAddrPort(tapwatch.Collector[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	export := readFixture(t, "../fixtures/softflowd-netflow9.pcap")
	hostile := [][]byte{{}, {0}, []byte("GET / HTTP/1.1\r\n\r\n"), unhex(t, hangsGoflow2), export[0][:21]}
	random := rand.New(rand.NewPCG(1, 2))
	for _, version := range []byte{5, 9, 10} {
		garbage := make([]byte, 400)
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		garbage[0], garbage[1] = 0, version
		hostile = append(hostile, garbage)
	}
	for _, datagram := range hostile {
		if _, err := conn.Write(datagram); err != nil {
			t.Fatal(err)
		}
	}
	for _, datagram := range export {
		if _, err := conn.Write(datagram); err != nil {
			t.Fatal(err)
		}
	}
	var before totals
	testkit.Eventually(t, "the real export in ClickHouse", func() bool {
		before = sumFlows(t, store, "exporter = toIPv6('127.9.9.9') AND export_protocol = 'netflow9'")
		return before.Flows > 0
	})
	if err := tapwatch.stop(); err != nil {
		t.Fatal(err)
	}

	var rows []struct {
		Datagrams uint64            `ch:"datagrams"`
		Dropped   map[string]uint64 `ch:"dropped"`
	}
	if err := store.Select(t.Context(), &rows, "SELECT sum(datagrams) AS datagrams, sumMap(dropped) AS dropped FROM exporter_health WHERE exporter = toIPv6('127.9.9.9')"); err != nil {
		t.Fatal(err)
	}
	if want := uint64(len(hostile) + len(export)); rows[0].Datagrams != want {
		t.Errorf("%d datagrams counted, %d sent", rows[0].Datagrams, want)
	}
	var dropped uint64
	for _, n := range rows[0].Dropped {
		dropped += n
	}
	if dropped < uint64(len(hostile)) {
		t.Errorf("%d drops counted of %d hostile datagrams: %v", dropped, len(hostile), rows[0].Dropped)
	}
	t.Logf("dropped: %v", rows[0].Dropped)
}

// readFixture gives the datagrams of a capture.
func readFixture(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	f, err := pcap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		d, err := f.Next()
		if err != nil {
			break
		}
		all = append(all, bytes.Clone(d.Payload))
	}
	if len(all) == 0 {
		t.Fatalf("%s: no datagrams", path)
	}
	return all
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
