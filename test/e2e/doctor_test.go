package e2e

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/console"
	"tapwatch/internal/app"
	"tapwatch/internal/testkit"
)

// v9 makes a NetFlow v9 datagram of flow sets.
func v9(sequence uint32, sets ...[]byte) []byte {
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	p := u16(u16(nil, 9), uint16(len(sets)))
	p = u32(u32(u32(u32(p, 3_600_000), uint32(time.Now().Unix())), sequence), 0)
	for _, s := range sets {
		p = append(p, s...)
	}
	return p
}

// flowSet makes a flow set of 16-bit words.
func flowSet(id uint16, words ...uint16) []byte {
	s := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, id), uint16(4+2*len(words)))
	for _, w := range words {
		s = binary.BigEndian.AppendUint16(s, w)
	}
	return s
}

// The flow sets that the routers below send: a template of both addresses, bytes and
// packets, data of it, and an options template and data that say "one of so many".
var (
	template    = flowSet(0, 256, 4, 8, 4, 12, 4, 1, 4, 2, 4)
	data        = flowSet(256, 0xc633, 0x6407, 0xcb00, 0x7109, 0, 1500, 0, 1)
	announces   = flowSet(1, 300, 4, 4, 1, 4, 34, 4, 0)
	oneOfAThird = flowSet(300, 0, 0, 0, 100)
)

// TestDoctorNamesTheFault lets routers do what routers do wrong, on real sockets, and
// reads what doctor says of each.
func TestDoctorNamesTheFault(t *testing.T) {
	cfg := configuration(t)
	cfg.Collector.Exporters = collector.ExportersListed
	cfg.Inventory = filepath.Join(t.TempDir(), "inventory.yaml")
	err := os.WriteFile(cfg.Inventory, []byte(`
exporters:
  - {address: 127.7.0.1, name: no-template, platform: junos}
  - {address: 127.7.0.2, name: wrong-sampling, platform: ios-xr, sampling: 1000}
  - {address: 127.7.0.3, name: gaps}
  - {address: 127.7.0.4, name: well, sampling: 100}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	tapwatch := start(t, cfg)
	store := testkit.Open(t, cfg.Storage.ClickHouse.WriterEndpoint())
	routers := map[string]*net.UDPConn{} // each sends from one port, as routers do
	send := func(from string, datagram []byte) {
		if routers[from] == nil {
			conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)}, net.UDPAddrFromAddrPort(tapwatch.Collector[0]))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			routers[from] = conn
		}
		if _, err := routers[from].Write(datagram); err != nil {
			t.Fatal(err)
		}
	}
	for n := range uint32(40) {
		send("127.7.0.1", v9(n, data))
		send("127.7.0.2", v9(n, announces, oneOfAThird, template, data))
		send("127.7.0.3", v9(n+3*(n/10), announces, oneOfAThird, template, data)) // three are lost after every ten
		send("127.7.0.4", v9(n, announces, oneOfAThird, template, data))
		send("127.7.0.5", v9(n, template, data))
	}
	faults := func() map[netip.Addr][]console.Fault {
		all, err := app.Exporters(t.Context(), cfg, store)
		if err != nil {
			t.Fatal(err)
		}
		found := map[netip.Addr][]console.Fault{}
		for _, e := range all {
			found[e.Address] = e.Faults
		}
		return found
	}
	for _, c := range []struct {
		exporter, fault string
		says            []string
	}{
		{"127.7.0.1", console.FaultNoTemplate, []string{"template", "template-refresh-rate"}},
		{"127.7.0.2", console.FaultSamplingDiffers, []string{"1 of 100 ", "1 of 1000", "sampler-map"}},
		{"127.7.0.3", console.FaultLost, []string{"9 of", "datagrams", "%"}},
		{"127.7.0.5", console.FaultRefused, []string{"inventory", "127.7.0.5"}},
	} {
		addr := netip.MustParseAddr(c.exporter)
		var last []console.Fault
		testkit.Eventually(t, c.exporter+" "+c.fault, func() bool {
			last = faults()[addr]
			return len(last) > 0 && last[0].Kind == c.fault
		})
		text := last[0].Problem
		for _, r := range last[0].Remedies {
			text += "\n" + r.Where + "\n" + strings.Join(r.Lines, "\n")
		}
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: nothing of %q in:\n%s", c.exporter, want, text)
			}
		}
		t.Logf("%s:\n%s", c.exporter, text)
	}
	if got := faults()[netip.MustParseAddr("127.7.0.4")]; len(got) != 0 {
		t.Errorf("of the router that is well it says %v", got)
	}
}
