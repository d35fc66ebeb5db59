package dashboards_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/collector/sflow"
	"tapwatch/detect"
	detectintel "tapwatch/detect/intel"
	"tapwatch/detect/policy"
	"tapwatch/detect/telemetry"
	"tapwatch/enrich"
	"tapwatch/enrich/geo"
	"tapwatch/enrich/intel"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/inventory"
	"tapwatch/simulate"
	"tapwatch/simulate/scenario"
	"tapwatch/storage"
)

// TestPanelsShowTheSimulatedNetwork runs every query on what the real pipeline made
// of the simulated carrier's last six minutes, with the intrusions of the demo.
func TestPanelsShowTheSimulatedNetwork(t *testing.T) {
	const length = 6 * time.Minute
	now := time.Now()
	store := testkit.Store(t)
	p := newPipeline(t, store, now.Add(-length))
	p.simulate(length)
	p.detect(now.Add(-length), now)

	reader := testkit.Reader(t, store)
	for _, q := range allQueries(t) {
		t.Run(q.Name, func(t *testing.T) {
			r := run(t, reader, q, everything(), now, 30*time.Minute)
			if len(r.rows) == 0 {
				t.Fatal("no rows")
			}
			checkShape(t, q, r)
			checkSeries(t, q, r)
		})
	}
}

// pipeline takes datagrams as the program does, without sockets, in simulated time.
type pipeline struct {
	t       *testing.T
	store   *storage.Store
	decoder *collector.Decoder
	chain   enrich.Chain
	writer  *storage.Writer
	batch   flow.Batch
	inv     *inventory.Inventory
	now     time.Time
	health  time.Time // when health is due
}

func newPipeline(t *testing.T, store *storage.Store, start time.Time) *pipeline {
	t.Helper()
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "intel.txt")
	if err := os.WriteFile(list, simulate.Intelligence(), 0o600); err != nil {
		t.Fatal(err)
	}
	logger := testkit.Logger(t)
	listed, err := intel.New(intel.Config{Lists: []intel.List{{Name: "demo", File: list}}}, logger, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	located, err := geo.New(geo.Config{CountryDatabase: "../build/geo/country.mmdb", ASNDatabase: "../build/geo/asn.mmdb"}, logger, prometheus.NewRegistry())
	if err != nil {
		t.Fatalf("`make setup` fetches the geography databases: %v", err)
	}
	p := &pipeline{
		t: t, store: store, inv: inv, now: start, health: start.Add(time.Minute),
		decoder: collector.NewDecoder(collector.DefaultConfig(), []collector.Protocol{netflow.Protocol{}, sflow.Protocol{}}, nil),
		chain:   enrich.Chain{located, zone.New(func() *inventory.Inventory { return inv }), listed, orient.ForInventory(func() *inventory.Inventory { return inv })},
		writer:  testkit.Writer(t, store),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.writer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("writer: %v", err)
		}
	})
	return p
}

// Now and Wait are simulate.Clock: time passes when the network waits.
func (p *pipeline) Now() time.Time { return p.now }

func (p *pipeline) Wait(_ context.Context, d time.Duration) error {
	p.now = p.now.Add(d)
	if p.now.Before(p.health) {
		return nil
	}
	p.health = p.health.Add(time.Minute)
	// What every collector receives: something that is no flow export.
	p.receive(netip.MustParseAddrPort("127.1.9.9:2055"), []byte("GET / HTTP/1.0\r\n\r\n"))
	return p.store.InsertHealth(p.t.Context(), p.decoder.Health(p.now))
}

func (p *pipeline) receive(from netip.AddrPort, payload []byte) {
	p.decoder.Datagram(&p.batch, from, p.now, payload)
}

// router is the way of one router's datagrams into the pipeline.
type router struct {
	pipeline *pipeline
	address  netip.AddrPort
}

func (r router) Write(datagram []byte) (int, error) {
	r.pipeline.receive(r.address, datagram)
	return len(datagram), r.pipeline.store1000()
}

func (r router) Close() error { return nil }

// store1000 hands records on when there are enough of them.
func (p *pipeline) store1000() error {
	if p.batch.Len() < 1000 {
		return nil
	}
	return p.write()
}

func (p *pipeline) write() error {
	p.chain.Enrich(&p.batch)
	defer p.batch.Reset()
	return p.writer.Write(p.t.Context(), &p.batch)
}

func (p *pipeline) simulate(length time.Duration) {
	p.t.Helper()
	cfg := simulate.DefaultConfig()
	cfg.Start, cfg.Rate, cfg.Plan = p.now, 100, scenario.Demo()
	network, err := simulate.New(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	stats, err := network.Run(p.t.Context(), simulate.Options{
		Target: netip.MustParseAddrPort("127.0.0.1:2055"), Duration: length, Clock: p,
		Dial: func(r simulate.Router, _ netip.AddrPort) (simulate.Conn, error) {
			return router{p, netip.AddrPortFrom(r.Address, 2055)}, nil
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.write(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.writer.Flush(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("simulated %+v", stats)
}

// detect runs the detectors over the period, a minute at a time.
func (p *pipeline) detect(from, to time.Time) {
	p.t.Helper()
	inv := func() *inventory.Inventory { return p.inv }
	if err := detect.Rebuild(p.t.Context(), p.store, from.Truncate(time.Hour), to.Truncate(time.Hour).Add(time.Hour), nil); err != nil {
		p.t.Fatal(err)
	}
	history := detect.NewStored(p.store)
	for _, d := range []detect.Detector{
		policy.New(policy.DefaultConfig(), inv), detectintel.New(detectintel.DefaultConfig(), inv), telemetry.New(telemetry.DefaultConfig(), inv),
	} {
		for w := range detect.Windows(from, to, time.Minute) {
			findings, err := d.Detect(p.t.Context(), w, history)
			if err != nil {
				p.t.Fatalf("%s: %v", d.Name(), err)
			}
			if err := p.store.InsertFindings(p.t.Context(), findings, w.End); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}
