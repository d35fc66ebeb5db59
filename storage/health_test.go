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
	if err := s.InsertHealth(t.Context(), []flow.Health{latest, silent}); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertHealth(t.Context(), []flow.Health{old}); err != nil {
		t.Fatal(err)
	}
	got, err := s.LatestHealth(t.Context(), testTime.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	silent.ExportProtocols, silent.Dropped, silent.SamplingIntervals = []string{}, map[string]uint64{}, []uint32{}
	want := []storage.ExporterHealth{
		{
			Latest: latest, FirstAt: old.At,
			Recent: storage.HealthCounts{
				Datagrams: 20, Bytes: 2000, Records: 200, OptionsRecords: 2, UnsampledRecords: 3,
				Dropped: map[string]uint64{"unknown_template": 5},
			},
			Total: storage.HealthCounts{
				Datagrams: 30, Bytes: 3000, Records: 300, OptionsRecords: 3, UnsampledRecords: 103,
				Dropped: map[string]uint64{"unknown_template": 9, "truncated": 1},
			},
		},
		{
			Latest: silent, FirstAt: testTime,
			Recent: storage.HealthCounts{Dropped: map[string]uint64{}},
			Total:  storage.HealthCounts{Dropped: map[string]uint64{}},
		},
	}
	if diff := cmp.Diff(want, got, compareAlerts[0]); diff != "" {
		t.Error(diff)
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
}
