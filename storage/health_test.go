package storage_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestLatestHealth(t *testing.T) {
	s := testkit.Store(t)
	four, six := netip.MustParseAddr("127.1.0.1"), netip.MustParseAddr("2001:db8::1")
	old := flow.Health{
		At: testTime.Add(-2 * time.Hour), Collector: "c1", Exporter: four, ExportProtocols: []string{"netflow5"},
		Datagrams: 10, Bytes: 1000, Records: 100, OptionsRecords: 1, UnsampledRecords: 100,
		Dropped: map[string]uint64{"unknown_template": 4, "truncated": 1}, Templates: 1, LastReceivedAt: testTime.Add(-2 * time.Hour),
	}
	latest := flow.Health{
		At: testTime, Collector: "c1", Exporter: four, ExportProtocols: []string{"netflow9", "ipfix"},
		Datagrams: 20, Bytes: 2000, Records: 200, OptionsRecords: 2, UnsampledRecords: 3,
		Dropped: map[string]uint64{"unknown_template": 5}, Templates: 3, SamplingIntervals: []uint32{100, 1000},
		LastReceivedAt: testTime.Add(-time.Second),
	}
	silent := flow.Health{At: testTime, Collector: "c1", Exporter: six}
	forgotten, older := silent, old
	forgotten.Exporter, forgotten.At = netip.MustParseAddr("2001:db8::2"), testTime.Add(-24*time.Hour)
	older.At = forgotten.At
	insertHealth(t, s, latest, silent)
	insertHealth(t, s, old, older, forgotten)
	got, err := s.LatestHealth(t.Context(), testTime.Add(-24*time.Hour), testTime.Add(-3*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	silent.ExportProtocols, silent.Dropped, silent.SamplingIntervals = []string{}, map[string]uint64{}, []uint32{}
	want := []storage.ExporterHealth{
		{
			Latest: latest,
			Recent: storage.HealthCounts{
				Datagrams: 30, Bytes: 3000, Records: 300, OptionsRecords: 3, UnsampledRecords: 103,
				Dropped: map[string]uint64{"unknown_template": 9, "truncated": 1},
			},
		},
		{Latest: silent, Recent: storage.HealthCounts{Dropped: map[string]uint64{}}},
	}
	if diff := cmp.Diff(want, got, compareAlerts[0]); diff != "" {
		t.Error(diff)
	}
}

// TestLatestHealthOfRecentIntervals holds that older intervals do not count.
func TestLatestHealthOfRecentIntervals(t *testing.T) {
	s := testkit.Store(t)
	row := flow.Health{At: testTime, Exporter: netip.MustParseAddr("127.1.0.1"), Datagrams: 20}
	earlier := row
	earlier.At = testTime.Add(-time.Hour)
	insertHealth(t, s, row, earlier)
	got, err := s.LatestHealth(t.Context(), testTime.Add(-2*time.Hour), testTime.Add(-time.Hour))
	if err != nil || len(got) != 1 || got[0].Recent.Datagrams != 20 {
		t.Errorf("%+v (error %v), want 20 recent datagrams of one exporter", got, err)
	}
}

// TestLatestHealthIsLimited holds that, of too many exporters, those heard last
// are told of, the lower address first.
func TestLatestHealthIsLimited(t *testing.T) {
	s := testkit.Store(t)
	var rows []flow.Health
	for i, heard := range []time.Duration{3, 1, 9, 3, 3} {
		rows = append(rows, flow.Health{
			At: testTime, Exporter: netip.AddrFrom4([4]byte{127, 1, 0, byte(i)}), LastReceivedAt: testTime.Add(-time.Hour + heard*time.Second),
		})
	}
	insertHealth(t, s, rows...)
	all, err := storage.LatestHealthOf(t.Context(), s, testTime.Add(-time.Hour), testTime.Add(-time.Hour), 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range all {
		got = append(got, h.Latest.Exporter.String())
	}
	if diff := cmp.Diff([]string{"127.1.0.0", "127.1.0.2", "127.1.0.3"}, got); diff != "" {
		t.Errorf("exporters (-want +got):\n%s", diff)
	}
}

// TestHealthIsStoredOnce repeats rows as the collector does when an insert seemed
// to fail: alone, and together with those of the next interval.
func TestHealthIsStoredOnce(t *testing.T) {
	s := testkit.Store(t)
	interval := func(minute int) []flow.Health {
		var rows []flow.Health
		for i := range 3 {
			rows = append(rows, flow.Health{
				At: testTime.Add(time.Duration(minute) * time.Minute), Collector: "c1", Exporter: netip.AddrFrom4([4]byte{127, 1, 0, byte(i)}),
				Datagrams: 10, Dropped: map[string]uint64{"truncated": 1, "no_template": 2, "queue_full": 3},
			})
		}
		return rows
	}
	insertHealth(t, s, interval(0)...)
	insertHealth(t, s, interval(0)...)
	insertHealth(t, s, append(interval(0), interval(1)...)...)
	insertHealth(t, s, append(interval(1), interval(2)...)...)
	other := interval(0)
	other[0].Collector, other[1].Collector, other[2].Datagrams = "c2", "c2", 11
	insertHealth(t, s, other...)
	if n := scan[uint64](t, s, "SELECT count() FROM exporter_health"); n != 3*3+3 {
		t.Errorf("%d rows of 3 intervals of 3 exporters and 3 further rows", n)
	}
}

func insertHealth(t *testing.T, s *storage.Store, rows ...flow.Health) {
	t.Helper()
	if err := s.InsertHealth(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}

func TestProgress(t *testing.T) {
	s := testkit.Store(t)
	check := func(detector string, want time.Time) {
		t.Helper()
		if got, err := s.Progress(t.Context(), detector); err != nil || !got.Equal(want) {
			t.Errorf("progress of %s = %s (error %v), want %s", detector, got, err, want)
		}
	}
	check("policy", time.Time{})
	for _, end := range []time.Time{testTime, testTime.Add(time.Minute), testTime} {
		if err := s.SaveProgress(t.Context(), "policy", end); err != nil {
			t.Fatal(err)
		}
	}
	check("policy", testTime.Add(time.Minute))
	check("intel", time.Time{})
	if err := s.RewindProgress(t.Context(), "policy", testTime.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	check("policy", testTime.Add(-time.Hour))
}
