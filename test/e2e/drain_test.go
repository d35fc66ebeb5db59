package e2e

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tapwatch/internal/app"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// numbered makes a NetFlow v5 datagram of so many records, the first of which has the
// sequence number given; each record is told apart by its bytes.
func numbered(first uint32, records int) []byte {
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	p := u16(u16(nil, 5), uint16(records))
	p = u32(u32(u32(u32(p, 3_600_000), uint32(time.Now().Unix())), 0), first)
	p = u16(u16(p, 0), 1)
	for i := range uint32(records) {
		p = append(p, 198, 51, 100, 7, 203, 0, 113, 9, 0, 0, 0, 0)
		p = u32(u32(u32(p, 0x00010002), 1), first+i+1)
		p = u32(u32(u32(p, 3_500_000), 3_600_000), 0x9c4001bb)
		p = append(append(p, 0, 0x18, 6, 0), make([]byte, 8)...)
	}
	return p
}

// flood sends numbered datagrams from one exporter until stop is closed, a few at a
// time so that they fit the receive buffer that every Linux grants, and gives how many
// records the kernel took.
func flood(t *testing.T, to *net.UDPAddr, from net.IP, stop <-chan struct{}) (sent uint32) {
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: from}, to)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	const records = 30
	for {
		select {
		case <-stop:
			return sent
		case <-pace.C:
		}
		for range 4 {
			if _, err := conn.Write(numbered(sent, records)); err != nil {
				t.Error(err)
				return sent
			}
			sent += records
		}
	}
}

// account compares what an exporter sent with what is stored and what is counted as
// lost.
func account(t *testing.T, store *storage.Store, exporter string, sent uint32) {
	t.Helper()
	got := sumFlows(t, store, "exporter = toIPv6('"+exporter+"')")
	var health []struct {
		Records uint64 `ch:"records"`
		Lost    uint64 `ch:"lost"`
		Dropped uint64 `ch:"dropped"`
	}
	err := store.Select(t.Context(), &health, `SELECT sum(records) AS records, sum(lost_records) AS lost,
		arraySum(mapValues(sumMap(dropped))) AS dropped FROM exporter_health WHERE exporter IN (toIPv6('`+exporter+`'), toIPv6('::'))`)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d records sent, %d stored, %d lost by their numbers, %d datagrams dropped", exporter, sent, got.Flows, health[0].Lost, health[0].Dropped)
	if got.Flows != health[0].Records {
		t.Errorf("%s: %d records stored, %d counted", exporter, got.Flows, health[0].Records)
	}
	if missing := uint64(sent) - got.Flows; missing != 0 && health[0].Dropped == 0 {
		t.Errorf("%s: %d of %d records are missing, and nothing says so", exporter, missing, sent)
	}
}

// TestStopUnderLoad: told to stop while exporters send, tapwatch stores what the kernel
// had received by then.
func TestStopUnderLoad(t *testing.T) {
	cfg := configuration(t)
	tapwatch := start(t, cfg)
	store := testkit.Open(t, cfg.Storage.ClickHouse.WriterEndpoint())
	to := net.UDPAddrFromAddrPort(tapwatch.Collector[0])
	exporters := []string{"127.8.0.1", "127.8.0.2", "127.8.0.3"}
	sent := make([]uint32, len(exporters))
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for i, exporter := range exporters {
		senders.Go(func() { sent[i] = flood(t, to, net.ParseIP(exporter), stop) })
	}
	testkit.Eventually(t, "records in ClickHouse", func() bool { return sumFlows(t, store, "1").Flows > 20_000 })
	close(stop)
	senders.Wait()
	// What was sent just now is in the sockets and queues.
	if err := tapwatch.stop(); err != nil {
		t.Fatal(err)
	}
	for i, exporter := range exporters {
		account(t, store, exporter, sent[i])
	}
}

// TestReloadUnderLoad: the inventory is read again and again while exporters send, and
// no datagram is lost for it.
func TestReloadUnderLoad(t *testing.T) {
	cfg := configuration(t)
	cfg.Inventory = filepath.Join(t.TempDir(), "inventory.yaml")
	text, err := os.ReadFile("../../inventory.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.Inventory, text, 0o600); err != nil {
		t.Fatal(err)
	}
	tapwatch := start(t, cfg)
	store := testkit.Open(t, cfg.Storage.ClickHouse.WriterEndpoint())
	stop := make(chan struct{})
	var sent uint32
	var senders sync.WaitGroup
	senders.Go(func() {
		sent = flood(t, net.UDPAddrFromAddrPort(tapwatch.Collector[0]), net.ParseIP("127.8.1.1"), stop)
	})
	for range 50 {
		reload(t, tapwatch.App)
	}
	testkit.Eventually(t, "records in ClickHouse", func() bool { return sumFlows(t, store, "1").Flows > 20_000 })
	close(stop)
	senders.Wait()
	if err := tapwatch.stop(); err != nil {
		t.Fatal(err)
	}
	account(t, store, "127.8.1.1", sent)
}

func reload(t *testing.T, a *app.App) {
	t.Helper()
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
}
