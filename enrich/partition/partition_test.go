package partition_test

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tapwatch/enrich/partition"
	"tapwatch/flow"
)

// build makes a table of prefixes.
func build(width int, prefixes map[netip.Prefix]uint32) *partition.Table {
	b := partition.NewBuilder(width)
	sorted := slices.SortedFunc(maps.Keys(prefixes), netip.Prefix.Compare)
	for start, value := range partition.Ranges(func(yield func(netip.Prefix, uint32) bool) {
		for _, p := range sorted {
			if !yield(p, prefixes[p]) {
				return
			}
		}
	}) {
		b.From(start, value)
	}
	return b.Table()
}

// lookup gives the number of one address.
func lookup(t *partition.Table, a netip.Addr) uint32 {
	var value [1]uint32
	t.Lookup([][16]byte{flow.FromAddr(a)}, value[:])
	return value[0]
}

// longest is what a table should say, found the plain way.
func longest(prefixes map[netip.Prefix]uint32, a netip.Addr) (value uint32) {
	best := -1
	for p, v := range prefixes {
		if p.Contains(a) && p.Bits() > best {
			best, value = p.Bits(), v
		}
	}
	return value
}

// widths are numbers of ranges that lead to either layout.
var widths = []int{0, 1 << 20}

func TestTable(t *testing.T) {
	prefixes := map[netip.Prefix]uint32{}
	for text, value := range map[string]uint32{
		"0.0.0.0/8": 1, "10.0.0.0/8": 2, "10.66.0.0/24": 3, "10.66.0.10/32": 4, "10.66.0.11/32": 4,
		"255.255.255.255/32": 5, "128.0.0.0/1": partition.MaxValue,
		"::/8": 7, "2001:db8::/32": 8, "2001:db8:66::/64": 9, "2001:db8:66::10/128": 10,
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128": 11,
	} {
		prefixes[netip.MustParsePrefix(text)] = value
	}
	for _, width := range widths {
		table := build(width, prefixes)
		for text, want := range map[string]uint32{
			"0.0.0.0": 1, "0.255.255.255": 1, "1.0.0.0": 0, "9.255.255.255": 0, "10.0.0.0": 2, "10.65.255.255": 2,
			"10.66.0.0": 3, "10.66.0.9": 3, "10.66.0.10": 4, "10.66.0.11": 4, "10.66.0.12": 3, "10.66.0.255": 3, "10.66.1.0": 2,
			"10.255.255.255": 2, "11.0.0.0": 0, "127.255.255.255": 0, "128.0.0.0": partition.MaxValue,
			"255.255.255.254": partition.MaxValue, "255.255.255.255": 5,
			"::1": 7, "ff:ffff::": 7, "100::": 0, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff": 0, "2001:db8::": 8,
			"2001:db8:66::": 9, "2001:db8:66::f": 9, "2001:db8:66::10": 10, "2001:db8:66::11": 9, "2001:db8:66:1::": 8, "2001:db9::": 0,
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe": 0, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": 11,
		} {
			if got := lookup(table, netip.MustParseAddr(text)); got != want {
				t.Errorf("width %d: %s: %d, want %d", width, text, got, want)
			}
		}
		if got := lookup(table, netip.Addr{}); got != 0 {
			t.Errorf("width %d: no address has the number %d", width, got)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, width := range widths {
		table := partition.NewBuilder(width).Table()
		for _, text := range []string{"0.0.0.0", "10.0.0.1", "255.255.255.255", "::1", "2001:db8::1"} {
			if got := lookup(table, netip.MustParseAddr(text)); got != 0 {
				t.Errorf("%s: %d", text, got)
			}
		}
		table.Lookup(nil, nil)
	}
}

// TestLongestMatch holds tables of random prefixes against the plain way, at the
// ends of every prefix and beside them.
func TestLongestMatch(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		// Few different bytes, so that prefixes meet.
		b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x20, 0x7f, 0x80, 0xff}), 16, 16).Draw(t, "bytes")
		if rapid.Bool().Draw(t, "v4") {
			return netip.AddrFrom4([4]byte(b))
		}
		return netip.AddrFrom16([16]byte(b))
	})
	rapid.Check(t, func(t *rapid.T) {
		prefixes := map[netip.Prefix]uint32{}
		for range rapid.IntRange(0, 30).Draw(t, "prefixes") {
			a := addr.Draw(t, "address")
			p, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "length"))
			prefixes[p] = rapid.SampledFrom([]uint32{0, 1, 2, 3, partition.MaxValue}).Draw(t, "value")
		}
		table := build(rapid.SampledFrom(widths).Draw(t, "width"), prefixes)
		for p := range prefixes {
			end := lastOf(p)
			for _, a := range []netip.Addr{p.Addr(), p.Addr().Prev(), end, end.Next(), addr.Draw(t, "other")} {
				if !a.IsValid() || a.Is4In6() || a == netip.IPv6Unspecified() {
					continue
				}
				if got, want := lookup(table, a), longest(prefixes, a); got != want {
					t.Fatalf("%s: %d, want %d\n%v", a, got, want, prefixes)
				}
			}
		}
	})
}

func lastOf(p netip.Prefix) netip.Addr {
	a := p.Addr()
	for n := a.BitLen() - 1; n >= p.Bits(); n-- { // down from the whole prefix, by halves
		b := a.AsSlice()
		b[n/8] |= 1 << (7 - n%8)
		a, _ = netip.AddrFromSlice(b)
	}
	return a
}

// TestLookupAllocatesNothing looks up several addresses at once.
func TestLookupAllocatesNothing(t *testing.T) {
	table := build(0, map[netip.Prefix]uint32{netip.MustParsePrefix("2001:db8::/32"): 1})
	addrs := [][16]byte{flow.From4([4]byte{10, 0, 0, 1}), flow.FromAddr(netip.MustParseAddr("2001:db8::1")), {}}
	values := []uint32{9, 9, 9, 9}
	if n := testing.AllocsPerRun(10, func() { table.Lookup(addrs, values) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if want := []uint32{0, 1, 0, 9}; !slices.Equal(values, want) {
		t.Errorf("%v, want %v", values, want)
	}
}
