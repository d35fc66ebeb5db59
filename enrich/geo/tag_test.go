package geo

import (
	"net/netip"
	"testing"

	"tapwatch/enrich/partition"
)

func TestTagsFit(t *testing.T) {
	if highest := uint32(len(countries)-1)<<systemBits | systemMask; highest > partition.MaxValue {
		t.Errorf("the highest tag is %d", highest)
	}
	for i, want := range map[int]string{0: "", 1: "", firstCountry: "AA", firstCountry + 25: "AZ", firstCountry + 26: "BA", len(countries) - 1: "ZZ"} {
		if countries[i] != want {
			t.Errorf("country %d is %q, want %q", i, countries[i], want)
		}
	}
}

func TestSystemsAreNumberedOnce(t *testing.T) {
	s := newSystems()
	for _, c := range []struct {
		system system
		want   uint32
	}{{system{}, unknownSystem}, {system{64500, "a"}, 2}, {system{64500, "b"}, 3}, {system{64500, "a"}, 2}} {
		if n, err := s.number(c.system); n != c.want || err != nil {
			t.Errorf("%v: %d, %v, want %d", c.system, n, err, c.want)
		}
	}
	s.list = make([]system, systemMask+1)
	if _, err := s.number(system{64501, "one too many"}); err == nil {
		t.Error("no error")
	}
}

// TestPublic holds the list of blocks against the classes of netip, at the ends of
// every block and beside them.
func TestPublic(t *testing.T) {
	b := partition.NewBuilder(0)
	for start, mask := range public() {
		b.From(start, mask&1)
	}
	table := b.Table()
	isPublic := func(a netip.Addr) bool {
		var value [1]uint32
		table.Lookup([][16]byte{a.As16()}, value[:])
		return value[0] != 0
	}
	for _, p := range unplaced {
		highest := p.Addr().AsSlice()
		for bit := p.Bits(); bit < 8*len(highest); bit++ {
			highest[bit/8] |= 1 << (7 - bit%8)
		}
		last, _ := netip.AddrFromSlice(highest)
		for _, a := range []netip.Addr{p.Addr(), p.Addr().Prev(), last, last.Next()} {
			if !a.IsValid() {
				continue
			}
			want := a.IsGlobalUnicast() && !a.IsPrivate()
			for _, block := range []string{"0.0.0.0/8", "100.64.0.0/10", "198.18.0.0/15", "240.0.0.0/4"} {
				want = want && !netip.MustParsePrefix(block).Contains(a)
			}
			if isPublic(a) != want {
				t.Errorf("%s: public %v, want %v", a, !want, want)
			}
		}
	}
}
