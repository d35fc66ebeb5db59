package zone_test

import (
	"net/netip"
	"testing"

	"tapwatch/enrich"
	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/zone"
	"tapwatch/flow"
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
			"dst_zone", "dst_zone_kind", "dst_asset", "dst_role", "asset_end", "watched"},
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

// TestAssetEnd holds that both directions of a conversation have the same asset end:
// the better protected one, of two alike the one with the higher address and port.
func TestAssetEnd(t *testing.T) {
	hss := netip.MustParseAddr("10.40.1.10")
	for _, c := range []struct {
		name        string
		asset, peer netip.Addr
		ports       [2]uint16
	}{
		{"protected and not", mdf2, stranger, [2]uint16{22, 40000}},
		{"lawful intercept before core", mdf2, poi, [2]uint16{9001, 40000}},
		{"the higher address", poi, hss, [2]uint16{3868, 40000}},
		{"the higher port", poi, poi, [2]uint16{40000, 22}},
	} {
		b := enrichtest.Batch(enrichtest.Record{Src: c.asset, Dst: c.peer}, enrichtest.Record{Src: c.peer, Dst: c.asset})
		b.SrcPort[0], b.DstPort[0], b.SrcPort[1], b.DstPort[1] = c.ports[0], c.ports[1], c.ports[1], c.ports[0]
		zone.New(live(t).Load).Enrich(b)
		if b.AssetEnd[0] != flow.AssetSrc || b.AssetEnd[1] != flow.AssetDst {
			t.Errorf("%s: asset ends %d and %d, want src and dst", c.name, b.AssetEnd[0], b.AssetEnd[1])
		}
	}
	b := enrichtest.Batch(enrichtest.Record{Src: subscriber, Dst: stranger})
	zone.New(live(t).Load).Enrich(b)
	if b.AssetEnd[0] != flow.AssetNone {
		t.Errorf("asset end %d of a record without a protected end", b.AssetEnd[0])
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

// TestAgreesWithLookup holds the tags against the inventory's own look-up, at the
// ends of every prefix and beside them.
func TestAgreesWithLookup(t *testing.T) {
	crowded, err := inventory.Parse("t.yaml", []byte(`
zones:
  - {name: wide, kind: transit, prefixes: [10.0.0.0/8, "2001:db8::/32", "::/8"]}
  - {name: core, kind: core, prefixes: [10.40.0.0/16, "2001:db8:40::/48"], assets: [
      {name: a, addresses: [10.40.0.0, 10.40.127.255, "2001:db8:40::"], role: poi}, {name: b, addresses: [10.40.0.1]}]}
  - {name: inner, kind: core, prefixes: [10.40.128.0/17, 10.40.0.128/25], protected: false}
  - {name: end, kind: edge, prefixes: [255.255.255.255/32, 0.0.0.0/8]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*inventory.Inventory{crowded, live(t).Load(), new(inventory.Inventory)} {
		addrs := []netip.Addr{{}, stranger, netip.IPv6Unspecified(), netip.MustParseAddr("::ffff:10.40.0.1"), netip.MustParseAddr("::a28:1")}
		for p := range v.Entries() {
			b := p.Addr().AsSlice()
			for bit := p.Bits(); bit < 8*len(b); bit++ {
				b[bit/8] |= 1 << (7 - bit%8)
			}
			last, _ := netip.AddrFromSlice(b)
			addrs = append(addrs, p.Addr(), p.Addr().Prev(), last, last.Next())
		}
		for _, a := range addrs {
			want := v.Lookup(flow.Addr(flow.FromAddr(a)))
			b := enrichtest.Batch(enrichtest.Record{Src: a}, enrichtest.Record{Dst: a})
			zone.New(func() *inventory.Inventory { return v }).Enrich(b)
			for _, got := range []inventory.Entry{
				{Zone: b.SrcZone[0], Kind: b.SrcZoneKind[0], Asset: b.SrcAsset[0], Role: b.SrcRole[0], Protected: b.Watched[0]},
				{Zone: b.DstZone[1], Kind: b.DstZoneKind[1], Asset: b.DstAsset[1], Role: b.DstRole[1], Protected: b.Watched[1]},
			} {
				if got != want {
					t.Errorf("%s: %+v, want %+v", a, got, want)
				}
			}
		}
	}
}

func BenchmarkEnrich(b *testing.B) {
	e := zone.New(live(b).Load)
	enrichtest.Bench(b, e, enrichtest.Random(4096, 1), enrichtest.Random(4096, 2))
}

var _ enrich.Enricher = (*zone.Enricher)(nil)
