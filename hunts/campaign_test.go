package hunts_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/detect"
	"tapwatch/detect/policy"
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

func TestMain(m *testing.M) { testkit.Main(m) }

// The campaign is ten days of the simulated carrier: of the first nine, ten minutes
// each, and two hours of the last evening, which is when the hunters look.
var (
	campaignStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday
	eveningStart  = campaignStart.AddDate(0, 0, 9).Add(20 * time.Hour)
	eveningEnd    = eveningStart.Add(2 * time.Hour)
	// From unsampledFrom on, nobody knows how router unsampledRouter samples.
	unsampledFrom = eveningEnd.Add(-20 * time.Minute)
)

const (
	unsampledRouter = "pe2.east"
	lossyRouter     = "dc1.west"
)

// campaign is the simulated carrier in a ClickHouse, with the ground truth.
type campaign struct {
	store  *storage.Store
	labels []simulate.Label
	// names are what an address may be called: itself, or its asset.
	names map[netip.Addr]string
	// bytes are those of planted flows at the routers that see every packet, by
	// source and destination.
	bytes   map[[2]netip.Addr]uint64
	routers map[string]simulate.Router
}

// newCampaign stores the campaign, and what the policy detector makes of it.
func newCampaign(t *testing.T) *campaign {
	t.Helper()
	cfg := simulate.DefaultConfig()
	cfg.Start, cfg.Rate, cfg.Plan = campaignStart, 30, scenario.Hunts()
	n, err := simulate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	live := inventory.NewLive(inv)
	c := &campaign{
		store: testkit.Store(t), labels: n.Labels(campaignStart, eveningEnd),
		names: map[netip.Addr]string{}, bytes: map[[2]netip.Addr]uint64{}, routers: map[string]simulate.Router{},
	}
	for _, z := range inv.Zones {
		for _, a := range z.Assets {
			for _, addr := range a.Addresses {
				c.names[addr] = a.Name
			}
		}
	}
	c.write(t, n, enrichment(t, live))
	c.writeHealth(t)
	c.detect(t, live)
	return c
}

// enrichment is the chain of the pipeline, with the geography of `make setup`.
func enrichment(t *testing.T, live *inventory.Live) enrich.Chain {
	t.Helper()
	registry := prometheus.NewRegistry()
	g, err := geo.New(geo.Config{CountryDatabase: "../build/geo/country.mmdb", ASNDatabase: "../build/geo/asn.mmdb"}, testkit.Logger(t), registry)
	if err != nil {
		t.Fatalf("the hunts by country need the geography of `make setup`: %v", err)
	}
	list := filepath.Join(t.TempDir(), "intel.txt")
	if err := os.WriteFile(list, simulate.Intelligence(), 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := intel.New(intel.Config{Lists: []intel.List{{Name: "demo", File: list}}}, testkit.Logger(t), registry)
	if err != nil {
		t.Fatal(err)
	}
	return enrich.Chain{g, zone.New(live.Load), i, orient.ForInventory(live.Load)}
}

func (c *campaign) write(t *testing.T, n *simulate.Network, chain enrich.Chain) {
	t.Helper()
	writer := testkit.Writer(t, c.store)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- writer.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	routers := n.Routers()
	for _, r := range routers {
		c.routers[r.Name] = r
	}
	var batch flow.Batch
	store := func() {
		chain.Enrich(&batch)
		if err := writer.Write(ctx, &batch); err != nil {
			t.Fatal(err)
		}
		batch.Reset()
	}
	for _, span := range spans() {
		for r := range n.Records(span[0], span[1]) {
			fill(&batch, &r, routers[r.Router])
			if r.Intrusion != "" && routers[r.Router].Sampling == 1 {
				c.bytes[[2]netip.Addr{r.Src, r.Dst}] += r.Bytes
			}
			if batch.Len() == 16384 {
				store()
			}
		}
	}
	store()
	if err := writer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func spans() (all [][2]time.Time) {
	for day := range 9 {
		at := campaignStart.AddDate(0, 0, day).Add(10 * time.Hour)
		all = append(all, [2]time.Time{at, at.Add(10 * time.Minute)})
	}
	return append(all, [2]time.Time{eveningStart, eveningEnd})
}

// fill appends a record, as the collector would have decoded it.
func fill(b *flow.Batch, r *simulate.Record, router simulate.Router) {
	i := b.Len()
	b.Grow(1)
	b.ReceivedAt[i], b.StartAt[i], b.EndAt[i] = r.ExportedAt, r.StartAt, r.EndAt
	b.Exporter[i], b.ExportProtocol[i] = flow.FromAddr(router.Address), router.Protocol
	b.SamplingInterval[i] = router.Sampling
	if router.Name == unsampledRouter && r.ExportedAt >= unsampledFrom.UnixMilli() {
		b.SamplingInterval[i] = 0
	}
	b.SrcAddr[i], b.DstAddr[i] = flow.FromAddr(r.Src), flow.FromAddr(r.Dst)
	b.SrcPort[i], b.DstPort[i], b.Protocol[i] = r.SrcPort, r.DstPort, r.Protocol
	b.IPVersion[i] = 4
	if r.Src.Is6() {
		b.IPVersion[i] = 6
	}
	b.TCPFlags[i], b.TOS[i], b.ICMPType[i] = uint16(r.TCPFlags), r.TOS, r.ICMPType
	b.Bytes[i], b.Packets[i] = r.Bytes, r.Packets
	b.Direction[i], b.EndReason[i] = int8(r.Direction), r.EndReason
	b.InIf[i], b.OutIf[i] = r.InIf, r.OutIf
}

// writeHealth stores what a collector counts: one router loses a tenth, all others
// nothing.
func (c *campaign) writeHealth(t *testing.T) {
	t.Helper()
	var all []flow.Health
	for at := eveningStart.Add(time.Minute); !at.After(eveningEnd); at = at.Add(10 * time.Minute) {
		for _, r := range c.routers {
			h := flow.Health{At: at, Collector: "test", Exporter: r.Address, Datagrams: 100, Records: 900, LastReceivedAt: at}
			if r.Name == lossyRouter {
				h.LostRecords, h.Dropped = 100, map[string]uint64{"no_template": 7}
			}
			all = append(all, h)
		}
	}
	if err := c.store.InsertHealth(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

// detect records what the policy detector finds in some minutes of the evening.
func (c *campaign) detect(t *testing.T, live *inventory.Live) {
	t.Helper()
	d := policy.New(policy.DefaultConfig(), live.Load)
	w := detect.Window{Start: eveningStart.Add(20 * time.Minute), End: eveningStart.Add(25 * time.Minute)}
	if err := detect.Rebuild(t.Context(), c.store, w.Start.Truncate(time.Hour), w.End.Truncate(time.Hour).Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	findings, err := d.Detect(t.Context(), w, detect.NewStored(c.store))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.store.InsertFindings(t.Context(), findings, eveningEnd); err != nil {
		t.Fatal(err)
	}
}
