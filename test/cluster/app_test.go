package cluster

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tapwatch/detect/detecttest"
	"tapwatch/internal/app"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// netflow5 is a datagram of sessions from an address to several, and back.
func netflow5(from string, to []string) []byte {
	now := time.Now()
	d := binary.BigEndian.AppendUint16(nil, 5)
	d = binary.BigEndian.AppendUint16(d, uint16(2*len(to)))
	d = binary.BigEndian.AppendUint32(d, 3_600_000) // up for an hour
	d = binary.BigEndian.AppendUint32(d, uint32(now.Unix()))
	d = append(d, make([]byte, 12)...)
	for _, server := range to {
		for _, r := range []struct {
			src, dst         string
			srcPort, dstPort uint16
		}{{from, server, 40000, 22}, {server, from, 22, 40000}} {
			src, dst := netip.MustParseAddr(r.src).As4(), netip.MustParseAddr(r.dst).As4()
			d = append(append(append(d, src[:]...), dst[:]...), make([]byte, 8)...)
			d = binary.BigEndian.AppendUint32(d, 20)
			d = binary.BigEndian.AppendUint32(d, 8000)
			d = binary.BigEndian.AppendUint32(d, 3_590_000)
			d = binary.BigEndian.AppendUint32(d, 3_599_000)
			d = binary.BigEndian.AppendUint16(d, r.srcPort)
			d = binary.BigEndian.AppendUint16(d, r.dstPort)
			d = append(d, 0, detecttest.Session, 6, 0)
			d = append(d, make([]byte, 8)...)
		}
	}
	return d
}

// get reads what the console answers.
func get(t *testing.T, url string, into any) bool {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Logf("%s: %s %.300s", url, response.Status, body)
		return false
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v in %s", url, err, body)
	}
	return true
}

// The whole of tapwatch on a cluster: from a router's datagram to the alert, to the rows
// of a hunt, and to the answer of `tapwatch sql`.
func TestTapwatchOnACluster(t *testing.T) {
	nodes := testkit.Cluster(t)
	at := nodes.Database(t)
	inventory := filepath.Join(t.TempDir(), "inventory.yaml")
	if err := os.WriteFile(inventory, []byte(detecttest.Operator), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := app.DefaultConfig()
	cfg.Inventory = inventory
	cfg.Enrich.Geo.CountryDatabase, cfg.Enrich.Geo.ASNDatabase = "", ""
	cfg.Collector.Listen, cfg.Collector.StateFile = []string{"127.0.0.1:0"}, ""
	cfg.Collector.FlushInterval = 50 * time.Millisecond
	cfg.Console.Listen = "127.0.0.1:0"
	cfg.Detect.Window, cfg.Detect.Lookback = 2*time.Second, time.Minute
	cfg.Storage.Batch.Interval = 50 * time.Millisecond
	cfg.Storage.Spool.Dir = t.TempDir()
	cfg.Storage.Cluster = testkit.ClusterName
	readsAs := nodes.ReaderEndpoint(testkit.Open(t, at))
	cfg.Storage.ClickHouse = storage.ClickHouse{
		Addresses: at.Addresses, Database: at.Database, Username: at.Username, Password: at.Password,
		ReaderUsername: readsAs.Username, ReaderPassword: readsAs.Password,
	}
	a, err := app.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan app.Addresses, 1), make(chan error, 1)
	a.OnReady = func(at app.Addresses) { ready <- at }
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	var addresses app.Addresses
	select {
	case addresses = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("ended at once: %v", err)
	}

	systems := []string{"10.66.0.1", "10.66.0.2", "10.66.0.3", "10.66.0.10", "10.66.0.20", "10.66.0.30"}
	router, err := net.Dial("udp", addresses.Collector[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	if _, err := router.Write(netflow5("203.0.113.66", systems)); err != nil {
		t.Fatal(err)
	}
	console := fmt.Sprintf("http://%s/api/v1", a.ConsoleAddr())
	var alerts struct {
		Alerts []json.RawMessage `json:"alerts"`
	}
	testkit.Eventually(t, "an alert for each system", func() bool {
		return get(t, console+"/alerts", &alerts) && len(alerts.Alerts) >= len(systems)
	})
	var rows struct {
		Rows []json.RawMessage `json:"rows"`
	}
	if !get(t, console+"/hunts/unlisted-hosts/rows", &rows) || len(rows.Rows) == 0 {
		t.Errorf("a hunt over HTTP shows %d rows", len(rows.Rows))
	}
	err = app.WithReader(t.Context(), cfg.Storage, testkit.Logger(t), func(r *storage.Reader) error {
		var stored, used uint64
		if err := r.QueryRow(t.Context(), "SELECT count(), uniqExact(_shard_num) FROM watched_flows").Scan(&stored, &used); err != nil {
			return err
		}
		if stored != 12 || used != 2 {
			t.Errorf("%d flows are stored on %d shards, sent were 12 of several assets", stored, used)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
