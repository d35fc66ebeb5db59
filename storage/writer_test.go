package storage_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// startWriter runs a writer until the test ends, and fails the test if Run does.
func startWriter(t *testing.T, s *storage.Store, cfg storage.Batch) (*storage.Writer, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	w, err := storage.NewWriter(storage.Config{Batch: cfg, Name: "test"}, testkit.Logger(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	w.Attach(s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the writer's Run: %v", err)
		}
	})
	return w, reg
}

// someFlows are n records with a value in every column.
func someFlows(n int, at time.Time) *flow.Batch {
	random := rand.New(rand.NewPCG(1, 2))
	var b flow.Batch
	b.Grow(n)
	for i := range n {
		b.ReceivedAt[i] = at.UnixMilli() + int64(i)
		b.StartAt[i], b.EndAt[i] = at.UnixMilli()-5000, at.UnixMilli()-1000
		b.Exporter[i] = flow.From4([4]byte{127, 1, 0, byte(i % 7)})
		b.ObservationDomain[i], b.ExportProtocol[i], b.SamplingInterval[i] = 7, flow.ExportIPFIX, 1000
		b.SrcAddr[i] = flow.From4([4]byte{10, 66, 0, byte(i)})
		b.DstAddr[i] = flow.FromAddr(netip.MustParseAddr("2001:db8::1"))
		b.SrcPort[i], b.DstPort[i], b.Protocol[i], b.IPVersion[i] = uint16(random.Uint32()), 443, 6, 4
		b.TCPFlags[i], b.TOS[i], b.ICMPType[i], b.ICMPCode[i] = 0x1ff, 0xb8, 8, 3
		b.Bytes[i], b.Packets[i], b.Direction[i] = 1<<40+uint64(i), 1<<33, flow.DirectionEgress
		b.EndReason[i], b.Forwarding[i], b.InIf[i], b.OutIf[i] = 3, 64, 1<<31, 17
		b.SrcVLAN[i], b.DstVLAN[i], b.SrcMAC[i], b.DstMAC[i] = 100, 4094, 0x0200_5e00_0001, 1
		b.NextHop[i], b.SrcAS[i], b.DstAS[i] = flow.From4([4]byte{192, 0, 2, 1}), 64496, 1<<32-1
		b.SrcMask[i], b.DstMask[i] = 24, 128
		b.SrcCountry[i], b.DstCountry[i], b.SrcASN[i], b.DstASN[i] = "DE", "BR", 1, 2
		b.SrcASOrg[i], b.DstASOrg[i] = "Käse O'Brien \\ AG", "日本"
		b.SrcZone[i], b.DstZone[i], b.SrcZoneKind[i], b.DstZoneKind[i] = "li-east", "core", flow.ZoneLawfulIntercept, flow.ZoneCore
		b.SrcAsset[i], b.DstAsset[i], b.SrcRole[i], b.DstRole[i] = "admf-1", "hss-1", "admf", "hss"
		b.SrcIntel[i], b.DstIntel[i] = "a:10.0.0.0/8", "b:2001:db8::/32"
		b.Initiator[i], b.Watched[i] = flow.InitiatorDst, i%2 == 0
	}
	return &b
}

var testTime = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// Every column comes back as it was written.
func TestWriterStoresEveryColumn(t *testing.T) {
	s := testkit.Store(t)
	w, _ := startWriter(t, s, storage.DefaultBatch())
	b := someFlows(3, testTime)
	if err := w.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range flow.Fields {
		f := &flow.Fields[i]
		rows, err := s.Query(t.Context(), "SELECT "+f.Name+" FROM flows ORDER BY bytes")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; rows.Next(); n++ {
			got, want := readValue(t, rows.Scan, f.Value(b, n)), f.Value(b, n)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of record %d (-written +stored):\n%s", f.Name, n, diff)
			}
		}
		if err := rows.Close(); err != nil || n != b.Len() {
			t.Fatalf("%d records are stored, want %d (error %v)", n, b.Len(), err)
		}
	}
}

// readValue scans into a variable of the type of like; times as milliseconds.
func readValue(t *testing.T, scan func(...any) error, like any) any {
	t.Helper()
	if _, isTime := like.(int64); isTime {
		like = time.Time{}
	}
	v := reflect.New(reflect.TypeOf(like))
	if err := scan(v.Interface()); err != nil {
		t.Fatal(err)
	}
	if at, isTime := v.Elem().Interface().(time.Time); isTime {
		return at.UnixMilli()
	}
	return v.Elem().Interface()
}

func TestWriterFeedsTheDependentTables(t *testing.T) {
	s := testkit.Store(t)
	w, reg := startWriter(t, s, storage.DefaultBatch())
	b := someFlows(100, testTime)
	for range 5 {
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Watermark(); !got.Equal(testTime) {
		t.Errorf("Watermark with records waiting = %s, want %s", got, testTime)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.Watermark(); got.Year() < 2200 {
		t.Errorf("Watermark with none waiting = %s, want the far future", got)
	}
	for query, want := range map[string]uint64{
		"SELECT count() FROM flows":                                                                                          500,
		"SELECT count() FROM watched_flows":                                                                                  250,
		"SELECT sum(flows) FROM exporter_activity":                                                                           500,
		"SELECT uniq(exporter) FROM exporter_activity":                                                                       7,
		"SELECT countIf(NOT watched) FROM watched_flows":                                                                     0,
		"SELECT count() FROM flows WHERE inserted_on < today() - 1":                                                          0,
		"SELECT count() FROM flows_text WHERE src_addr = '10.66.0.7' AND next_hop != ''":                                     5,
		"SELECT count() FROM flows_text WHERE dst_addr = '2001:db8::1'":                                                      500,
		"SELECT count() FROM flows WHERE src_addr = toIPv6('10.66.0.7')":                                                     5,
		"SELECT toUInt64(max(last_received_at) - INTERVAL 99 MILLISECOND = toDateTime64(max(at), 3)) FROM exporter_activity": 1,
	} {
		if got := scan[uint64](t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
	for name, want := range map[string]float64{
		"tapwatch_storage_rows_total": 500, "tapwatch_storage_batches_total": 1, "tapwatch_storage_queue_records": 0,
		"tapwatch_storage_retries_total": 0,
	} {
		if got := metric(t, reg, name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if got := metric(t, reg, "tapwatch_storage_bytes_total"); got < 500*100 {
		t.Errorf("tapwatch_storage_bytes_total = %v, want at least 100 a row", got)
	}
	if n, err := testutil.GatherAndCount(reg, "tapwatch_storage_insert_seconds"); err != nil || n != 1 {
		t.Errorf("tapwatch_storage_insert_seconds: %d series, error %v", n, err)
	}
}

// metric reads a counter or gauge; of one with labels, the sum.
func metric(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		var sum float64
		for _, m := range family.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
		return sum
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// An insert tried again stores nothing twice, in flows or in what depends on it.
func TestInsertIsDeduplicatedByToken(t *testing.T) {
	s := testkit.Store(t)
	b := someFlows(10, testTime)
	for _, token := range []string{"a", "a", "b", "a"} {
		if err := storage.InsertBatch(t.Context(), s, b, token); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]uint64{
		"SELECT count() FROM flows":                20,
		"SELECT count() FROM watched_flows":        10,
		"SELECT sum(flows) FROM exporter_activity": 20,
	} {
		if got := scan[uint64](t, s, query); got != want {
			t.Errorf("after tokens a, a, b, a: %s = %d, want %d", query, got, want)
		}
	}
}

// An insert that failed halfway, in a table that depends on flows, is completed by
// the next attempt.
func TestInsertIsCompletedByARetry(t *testing.T) {
	s := testkit.Store(t)
	rename := func(from, to string) {
		t.Helper()
		if err := s.Exec(t.Context(), "RENAME TABLE "+from+" TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"watched_flows", "exporter_activity"} {
		rename(table, "away")
		b := someFlows(10, testTime)
		if err := storage.InsertBatch(t.Context(), s, b, table); err == nil {
			t.Errorf("an insert without table %s succeeds", table)
		}
		rename("away", table)
		if err := storage.InsertBatch(t.Context(), s, b, table); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]uint64{
		"SELECT count() FROM flows":                20,
		"SELECT count() FROM watched_flows":        10,
		"SELECT sum(flows) FROM exporter_activity": 20,
	} {
		if got := scan[uint64](t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

// A replay may bring more days than ClickHouse lets one insert make partitions.
func TestWriterStoresManyDaysAtOnce(t *testing.T) {
	s := testkit.Store(t)
	w, _ := startWriter(t, s, storage.DefaultBatch())
	var b flow.Batch
	b.Grow(400)
	for i := range b.Len() {
		b.ReceivedAt[i] = testTime.AddDate(0, 0, -i).UnixMilli()
		b.Watched[i] = true
	}
	if err := w.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := scan[uint64](t, s, "SELECT uniq(toDate(received_at)) FROM watched_flows"); got != 400 {
		t.Errorf("%d days are stored, want 400", got)
	}
}

// What ClickHouse will never take is given up, counted and told, and does not hold
// up what follows.
func TestWriterGivesUpWhatIsRefused(t *testing.T) {
	s := testkit.Store(t)
	w, reg := startWriter(t, s, storage.DefaultBatch())
	change := func(statement string) {
		t.Helper()
		if err := s.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	change("ALTER TABLE flows RENAME COLUMN tos TO service")
	if err := w.Write(t.Context(), someFlows(4, testTime)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err == nil || err.Error() != "flush the flows: 4 flows could not be stored: see the log" {
		t.Errorf("Flush with a column missing = %v", err)
	}
	change("ALTER TABLE flows RENAME COLUMN service TO tos")
	if err := w.Write(t.Context(), someFlows(3, testTime)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	want := map[string]float64{
		"tapwatch_storage_rows_dropped_total": 4, "tapwatch_storage_errors_total": 1,
		"tapwatch_storage_rows_total": 3, "tapwatch_storage_queue_records": 0,
	}
	for name, want := range want {
		if got := metric(t, reg, name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

// A table that is missing may come back: the writer keeps the records and tries on.
func TestWriterRetriesUntilTheTableIsBack(t *testing.T) {
	s := testkit.Store(t)
	w, reg := startWriter(t, s, storage.Batch{Records: 10, Interval: time.Millisecond, QueueRecords: 20})
	if err := s.Exec(t.Context(), "RENAME TABLE flows TO away"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write(t.Context(), someFlows(10, testTime)); err != nil {
			t.Fatal(err)
		}
	}
	full, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Write(full, someFlows(1, testTime)); err == nil {
		t.Error("Write into a full queue did not wait")
	}
	testkit.Eventually(t, "retries are counted", func() bool { return metric(t, reg, "tapwatch_storage_retries_total") >= 2 })
	if err := s.Exec(t.Context(), "RENAME TABLE away TO flows"); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := scan[uint64](t, s, "SELECT count() FROM flows"); got != 20 {
		t.Errorf("%d flows are stored, want 20", got)
	}
	if got := metric(t, reg, "tapwatch_storage_rows_dropped_total"); got != 0 {
		t.Errorf("%v flows were dropped", got)
	}
}
