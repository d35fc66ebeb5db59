package zone_test

import (
	"net/netip"
	"testing"

	"tapwatch/enrich"
	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/zone"
	"tapwatch/inventory"
)

const example = "../../inventory.example.yaml"

func live(t testing.TB) *inventory.Live {
	t.Helper()
	v, err := inventory.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return inventory.NewLive(v)
}

var mdf2, poi, subscriber, stranger = netip.MustParseAddr("10.66.0.20"), netip.MustParseAddr("10.40.2.10"), netip.MustParseAddr("100.64.0.9"), netip.MustParseAddr("198.51.100.7")

func TestConformance(t *testing.T) {
	inv := live(t)
	enrichtest.Run(t, enrichtest.Suite{
		New:    func(testing.TB) enrich.Enricher { return zone.New(inv.Load) },
		Reload: func(enrich.Enricher) error { return inv.Reload(example) },
		Columns: []string{"src_zone", "src_zone_kind", "src_asset", "src_role",
			"dst_zone", "dst_zone_kind", "dst_asset", "dst_role", "watched"},
		Known: []enrichtest.Record{{Src: poi, Dst: mdf2}, {Src: netip.MustParseAddr("2001:db8:66::10"), Dst: stranger}},
	})
}

func TestEnrich(t *testing.T) {
	b := enrichtest.Batch(
		enrichtest.Record{Src: stranger, Dst: mdf2},
		enrichtest.Record{Src: poi, Dst: stranger},
		enrichtest.Record{Src: subscriber, Dst: stranger},
	)
	zone.New(live(t).Load).Enrich(b)
	for i, want := range []struct {
		src, dst inventory.Entry
		watched  bool
	}{
		{dst: inventory.Entry{Zone: "li-east", Kind: "lawful-intercept", Asset: "mdf2-1", Role: "mdf2"}, watched: true},
		{src: inventory.Entry{Zone: "core-east", Kind: "core", Asset: "smf-poi-1", Role: "poi"}, watched: true},
		{src: inventory.Entry{Zone: "subscribers", Kind: "customer"}},
	} {
		src := inventory.Entry{Zone: b.SrcZone[i], Kind: b.SrcZoneKind[i], Asset: b.SrcAsset[i], Role: b.SrcRole[i]}
		dst := inventory.Entry{Zone: b.DstZone[i], Kind: b.DstZoneKind[i], Asset: b.DstAsset[i], Role: b.DstRole[i]}
		if src != want.src || dst != want.dst || b.Watched[i] != want.watched {
			t.Errorf("record %d: %+v > %+v watched %v, want %+v", i, src, dst, b.Watched[i], want)
		}
	}
}

// TestReload holds that an inventory reloaded counts from the next batch on.
func TestReload(t *testing.T) {
	inv := live(t)
	e := zone.New(inv.Load)
	b := enrichtest.Batch(enrichtest.Record{Src: stranger, Dst: mdf2})
	e.Enrich(b)
	*inv = inventory.Live{}
	e.Enrich(b)
	if b.DstZone[0] != "" || b.Watched[0] {
		t.Errorf("zone %q, watched %v", b.DstZone[0], b.Watched[0])
	}
}

func BenchmarkEnrich(b *testing.B) {
	e := zone.New(live(b).Load)
	batch := enrichtest.Traffic(4096)
	b.ReportAllocs()
	for b.Loop() {
		e.Enrich(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/record")
}

var _ enrich.Enricher = (*zone.Enricher)(nil)
