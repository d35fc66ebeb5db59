package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
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
	"tapwatch/hunts"
	"tapwatch/internal/testkit"
	"tapwatch/inventory"
	"tapwatch/simulate"
	"tapwatch/simulate/scenario"
	"tapwatch/storage"
)

// The campaign is half an hour of the simulated carrier.
var (
	campaignStart = time.Date(2026, 3, 11, 20, 0, 0, 0, time.UTC)
	campaignEnd   = campaignStart.Add(30 * time.Minute)
)

// campaign is what of the carrier is the same wherever its flows are stored.
type campaign struct {
	network *simulate.Network
	live    *inventory.Live
	chain   enrich.Chain
}

func newCampaign(t *testing.T) *campaign {
	t.Helper()
	cfg := simulate.DefaultConfig()
	cfg.Start, cfg.Rate, cfg.Plan = campaignStart.AddDate(0, 0, -9).Truncate(24*time.Hour), 30, scenario.Hunts()
	n, err := simulate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	live := inventory.NewLive(inv)
	registry := prometheus.NewRegistry()
	g, err := geo.New(geo.Config{CountryDatabase: "../../build/geo/country.mmdb", ASNDatabase: "../../build/geo/asn.mmdb"}, testkit.Logger(t), registry)
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
	return &campaign{n, live, enrich.Chain{g, zone.New(live.Load), i, orient.ForInventory(live.Load)}}
}

// store stores the flows of the campaign and what a collector counts.
func (c *campaign) store(t *testing.T, s *storage.Store) (records uint64) {
	t.Helper()
	writer := testkit.Writer(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- writer.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	routers := c.network.Routers()
	var batch flow.Batch
	write := func() {
		c.chain.Enrich(&batch)
		if err := writer.Write(ctx, &batch); err != nil {
			t.Fatal(err)
		}
		batch.Reset()
	}
	for r := range c.network.Records(campaignStart, campaignEnd) {
		fill(&batch, &r, routers[r.Router])
		records++
		if batch.Len() == 16384 {
			write()
		}
	}
	write()
	if err := writer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	var health []flow.Health
	for at := campaignStart.Add(time.Minute); !at.After(campaignEnd); at = at.Add(10 * time.Minute) {
		for i, r := range routers {
			health = append(health, flow.Health{At: at, Collector: "test", Exporter: r.Address, Datagrams: 100, Records: 900, LostRecords: uint64(i), LastReceivedAt: at})
		}
	}
	if err := s.InsertHealth(t.Context(), health); err != nil {
		t.Fatal(err)
	}
	return records
}

// fill appends a record, as the collector would have decoded it.
func fill(b *flow.Batch, r *simulate.Record, router simulate.Router) {
	i := b.Len()
	b.Grow(1)
	b.ReceivedAt[i], b.StartAt[i], b.EndAt[i] = r.ExportedAt, r.StartAt, r.EndAt
	b.Exporter[i], b.ExportProtocol[i] = flow.FromAddr(router.Address), router.Protocol
	b.SamplingInterval[i] = router.Sampling
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

// detect lets every detector look at the campaign, stores what it finds, and gives it.
func (c *campaign) detect(t *testing.T, s *storage.Store) (all []alert.Finding) {
	t.Helper()
	if err := detect.Rebuild(t.Context(), s, campaignStart.Truncate(time.Hour), campaignEnd.Truncate(time.Hour).Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	history := detect.NewStored(s)
	for _, d := range []detect.Detector{
		policy.New(policy.DefaultConfig(), c.live.Load),
		detectintel.New(detectintel.DefaultConfig(), c.live.Load),
		telemetry.New(telemetry.DefaultConfig(), c.live.Load),
	} {
		for w := range detect.Windows(campaignStart, campaignEnd, 5*time.Minute) {
			findings, err := d.Detect(t.Context(), w, history)
			if err != nil {
				t.Fatalf("%s: %v", d.Name(), err)
			}
			if err := s.InsertFindings(t.Context(), findings, w.End); err != nil {
				t.Fatal(err)
			}
			all = append(all, findings...)
		}
	}
	return all
}

// required are values for the parameters that hunts have no default for.
var required = map[string]string{
	"asset": "mdf3-1", "address": "45.32.110.61", "prefix": "45.32.114.0/24", "zone": "li-east",
}

// hunt asks a hunt as the console does, and gives its rows as text, in an order of
// their own.
func hunt(t *testing.T, reader *storage.Reader, h hunts.Hunt) []string {
	t.Helper()
	values := map[string]string{}
	for _, p := range h.Params {
		switch {
		case p.Required:
			values[p.Name] = required[p.Name]
		case p.Name == "since":
			values[p.Name] = campaignStart.Format(time.RFC3339)
		}
	}
	bound, err := h.Bind(values, campaignEnd)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := reader.Ask(t.Context(), storage.Question{SQL: h.SQL, Parameters: bound, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{}
	err = answer.Each(func(row []any) error {
		rows = append(rows, fmt.Sprint(row...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

func reader(t *testing.T, at storage.Endpoint) *storage.Reader {
	t.Helper()
	r, err := storage.OpenReader(t.Context(), at, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// What detectors find and hunts show is the same, whether one server has all flows or
// two have a part of them each.
func TestSameAnswersOfOneAndOfMany(t *testing.T) {
	c := newCampaign(t)
	nodes := testkit.Cluster(t)
	one, many := testkit.Store(t), nodes.Store(t)
	stored := c.store(t, one)
	if again := c.store(t, many); again != stored || stored < 10_000 {
		t.Fatalf("%d records and then %d: the simulation should repeat itself", stored, again)
	}
	shares := shares(t, nodes, many, "flows_local")
	if shares[0]+shares[1] != stored || min(shares[0], shares[1]) == 0 {
		t.Errorf("the shards hold %v of %d flows", shares, stored)
	}
	assetsOnOneShard(t, many)

	found, foundByMany := c.detect(t, one), c.detect(t, many)
	if len(found) == 0 {
		t.Error("nothing was found: the comparison shows nothing")
	}
	if diff := cmp.Diff(found, foundByMany, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("findings (-one server +cluster):\n%s", diff)
	}
	alerts, alertsOfMany := alertsOf(t, one), alertsOf(t, many)
	if diff := cmp.Diff(alerts, alertsOfMany); diff != "" || len(alerts) == 0 {
		t.Errorf("%d alerts (-one server +cluster):\n%s", len(alerts), diff)
	}

	atOne := testkit.Engine(t).Reader()
	atOne.Database = one.Database()
	single, whole := reader(t, atOne), reader(t, nodes.ReaderEndpoint(many))
	answered := 0
	for _, h := range hunts.All() {
		t.Run(h.Name, func(t *testing.T) {
			want, got := hunt(t, single, h), hunt(t, whole, h)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-one server +cluster):\n%s", diff)
			}
			if len(want) > 0 {
				answered++
			}
		})
	}
	if answered < len(hunts.All())*2/3 {
		t.Errorf("only %d of %d hunts show anything", answered, len(hunts.All()))
	}
}

// shares counts the rows that each node has.
func shares(t *testing.T, nodes *testkit.Nodes, s *storage.Store, table string) (all []uint64) {
	t.Helper()
	for i := range nodes.Addresses() {
		var n uint64
		if err := nodes.Node(t, i, s).QueryRow(t.Context(), "SELECT count() FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// assetsOnOneShard: what an asset was watched to do lies on one shard, and the assets
// on all shards.
func assetsOnOneShard(t *testing.T, s *storage.Store) {
	t.Helper()
	var split, used uint64
	err := s.QueryRow(t.Context(), `
		SELECT countIf(length(shards) != 1), length(groupUniqArrayArray(shards))
		FROM (SELECT asset, groupUniqArray(_shard_num) AS shards FROM watched_flows GROUP BY asset)`).Scan(&split, &used)
	if err != nil {
		t.Fatal(err)
	}
	if split != 0 || used != 2 {
		t.Errorf("%d assets lie on several shards, and %d shards have any", split, used)
	}
}

// alertsOf gives all alerts without what depends on the moment.
func alertsOf(t *testing.T, s *storage.Store) []string {
	t.Helper()
	alerts, err := s.Alerts(t.Context(), alert.Query{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, a := range alerts {
		all = append(all, fmt.Sprint(a.ID, a.Title, a.Findings, a.Flows, a.BytesToAsset, a.BytesToPeer, a.FirstSeen, a.LastSeen, a.Exporters, a.Quality))
	}
	slices.Sort(all)
	return all
}
