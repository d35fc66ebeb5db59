package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/policy"
	"tapwatch/enrich"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// count reads one number.
func count(t *testing.T, s *storage.Store, query string) (n uint64) {
	t.Helper()
	if err := s.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// run runs a writer until its test ends.
func run(t *testing.T, w *storage.Writer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the writer: %v", err)
		}
	})
}

// watched are flows that touch so many assets.
func watched(from, to int) *flow.Batch {
	b := &flow.Batch{}
	b.Grow(to - from)
	for i := range to - from {
		b.ReceivedAt[i] = time.Now().UnixMilli()
		b.SrcAddr[i], b.DstAddr[i] = [16]byte{15: 1}, [16]byte{14: byte((from + i) >> 8), 15: byte(from + i)}
		b.AssetEnd[i], b.Watched[i] = flow.AssetDst, true
		b.Bytes[i], b.Packets[i] = 1, 1
	}
	return b
}

// A shard that is away keeps neither flows from the others nor its own for good, and
// nobody is told a part for the whole meanwhile.
func TestShardAwayAndBack(t *testing.T) {
	nodes := testkit.Cluster(t)
	s := nodes.Store(t)
	cfg := storage.DefaultConfig()
	cfg.Name, cfg.Cluster = "test", testkit.ClusterName
	cfg.Spool.Dir = t.TempDir()
	cfg.Batch.Records, cfg.Batch.QueueRecords, cfg.Batch.Interval = 100, 400, 50*time.Millisecond
	w, err := storage.NewWriter(cfg, testkit.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	w.Attach(s)
	run(t, w)
	write := func(from, to int) {
		t.Helper()
		for at := from; at < to; at += 100 {
			if err := w.Write(t.Context(), watched(at, at+100)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(0, 1000)
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := shares(t, nodes, s, "flows_local")
	if before[0]+before[1] != 1000 || before[0] == 0 || before[1] == 0 {
		t.Fatalf("the shards hold %v of 1000 flows", before)
	}

	nodes.Stop(t, 1)
	write(1000, 4000) // ten times what fits into memory
	first := nodes.Node(t, 0, s)
	testkit.Eventually(t, "the shard that is there gets its flows", func() bool {
		return count(t, first, "SELECT count() FROM flows_local") > 1500
	})
	var n uint64
	err = s.QueryRow(t.Context(), "SELECT count() FROM flows").Scan(&n)
	if err == nil || !strings.Contains(err.Error(), "shard 2 of 2: the shard at "+nodes.Addresses()[1]+" cannot be reached, and what it holds would be missing: start ClickHouse there again") {
		t.Errorf("a question to half of the cluster gives %d, %v", n, err)
	}
	asked := reader(t, nodes.ReaderEndpoint(s))
	answer, err := asked.Ask(t.Context(), storage.Question{SQL: "SELECT count() FROM flows"})
	if err == nil {
		err = answer.Each(func([]any) error { return nil })
	}
	if err == nil || !strings.Contains(err.Error(), "SETTINGS skip_unavailable_shards = 1") {
		t.Errorf("a hunter is told %v", err)
	}
	if got := w.Watermark(); time.Since(got) < 0 {
		t.Errorf("with flows that are not stored the watermark is %s", got)
	}

	nodes.Start(t, 1)
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, different := count(t, s, "SELECT count() FROM flows"), count(t, s, "SELECT uniqExact(dst_addr) FROM watched_flows"); all != 4000 || different != 4000 {
		t.Errorf("%d flows are stored, of %d assets; written were 4000 of as many", all, different)
	}
}

// The first node may be the one that is away.
func TestFirstNodeAway(t *testing.T) {
	nodes := testkit.Cluster(t)
	s := nodes.Store(t)
	nodes.Stop(t, 0)
	if n := count(t, s, "SELECT count() FROM flows_local"); n != 0 {
		t.Errorf("the other node has %d flows", n)
	}
}

// tapwatch starts while a node is away, and the node has its tables soon after it is
// there; so does one that was replaced by an empty machine.
func TestNodeComesLater(t *testing.T) {
	nodes := testkit.Cluster(t)
	at := nodes.Database(t)
	nodes.Stop(t, 1)
	s := testkit.Open(t, at)
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	missing := s.Missing()
	if len(missing) != 1 || !strings.Contains(missing[0].Error(), "clickhouse at "+nodes.Addresses()[1]+" (shard 2, replica 1): ") {
		t.Errorf("with a node away, Missing gives %v", missing)
	}
	w := testkit.Writer(t, s)
	run(t, w)
	if err := w.Write(t.Context(), watched(0, 1000)); err != nil {
		t.Fatal(err)
	}
	nodes.Start(t, 1)
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.Missing()) != 0 {
		t.Errorf("when the node is there, Missing gives %v", s.Missing())
	}
	if n := count(t, s, "SELECT count() FROM watched_flows"); n != 1000 {
		t.Errorf("%d flows are stored, written were 1000", n)
	}

	kept := shares(t, nodes, s, "flows_local")[0]
	nodes.Stop(t, 1)
	nodes.Wipe(t, 1)
	nodes.Start(t, 1)
	if err := w.Write(t.Context(), watched(0, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "SELECT count() FROM flows"); n != 1000+kept {
		t.Errorf("%d flows are stored; %d were on the node that stayed, and 1000 written since", n, kept)
	}
}

// Detection waits for a shard that is away, and misses nothing of what it holds.
func TestDetectionWaits(t *testing.T) {
	nodes := testkit.Cluster(t)
	s := nodes.Store(t)
	inv := detecttest.Inventory(t, detecttest.Operator)
	chain := enrich.Chain{zone.New(inv), orient.ForInventory(inv)}
	w := testkit.Writer(t, s)
	run(t, w)
	var flows []detecttest.Flow
	for _, asset := range []string{"10.66.0.1", "10.66.0.2", "10.66.0.3", "10.66.0.4", "10.66.0.5", "10.66.0.6"} {
		session := detecttest.Flow{At: detecttest.At(time.Second), Src: "198.51.100.7", Dst: asset, SrcPort: 40000, DstPort: 22, Protocol: 6, Flags: detecttest.Session, Packets: 20, Bytes: 4000}
		flows = append(flows, session, session.Back(20, 4000))
	}
	b := detecttest.Batch(t, flows...)
	chain.Enrich(b)
	if err := w.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if held := shares(t, nodes, s, "watched_flows_local"); held[0] == 0 || held[1] == 0 {
		t.Fatalf("the shards hold %v watched flows: the test shows nothing", held)
	}

	cfg := detect.DefaultConfig()
	cfg.Lookback = time.Minute
	recorded := &recorder{Store: s}
	engine, err := detect.New(cfg, []detect.Detector{policy.New(policy.DefaultConfig(), inv)}, s, recorded,
		func() time.Time { return detecttest.At(time.Minute) }, testkit.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	nodes.Stop(t, 1)
	if err := engine.Step(t.Context()); err == nil || !strings.Contains(err.Error(), "shard 2 of 2: ") {
		t.Errorf("detection with a shard away gives %v", err)
	}
	if len(recorded.found) != 0 {
		t.Errorf("with a shard away %d findings are recorded", len(recorded.found))
	}
	nodes.Start(t, 1)
	if err := engine.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(recorded.found) != 6 {
		t.Errorf("%d findings are recorded of sessions to six systems", len(recorded.found))
	}
}

// recorder keeps findings as the pipeline does.
type recorder struct {
	*storage.Store
	found []alert.Finding
}

func (r *recorder) Record(ctx context.Context, findings []alert.Finding) error {
	if err := r.InsertFindings(ctx, findings, time.Now()); err != nil {
		return err
	}
	r.found = append(r.found, findings...)
	return nil
}
