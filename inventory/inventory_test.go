package inventory_test

import (
	"net/netip"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/inventory"
)

// example is the file that the repository shows to operators.
func example(t testing.TB) *inventory.Inventory {
	t.Helper()
	v, err := inventory.Load("../inventory.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// parse reads an inventory that must be good.
func parse(t testing.TB, text string) *inventory.Inventory {
	t.Helper()
	v, err := inventory.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func TestEntries(t *testing.T) {
	v := parse(t, `
zones:
  - {name: wide, kind: transit, prefixes: ["2001:db8::/32", 10.0.0.0/8]}
  - {name: core, kind: core, prefixes: [10.0.0.0/16], assets: [{name: hss-1, addresses: [10.0.0.1], role: hss}]}
`)
	var got []string
	for p, e := range v.Entries() {
		got = append(got, p.String()+" "+e.Zone+" "+e.Kind+" "+e.Asset+" "+e.Role)
	}
	want := []string{"10.0.0.0/8 wide transit  ", "10.0.0.0/16 core core  ", "10.0.0.1/32 core core hss-1 hss", "2001:db8::/32 wide transit  "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for range v.Entries() {
		break // leaves early without harm
	}
	for p := range new(inventory.Inventory).Entries() {
		t.Errorf("the zero inventory has %s", p)
	}
}

func TestLookup(t *testing.T) {
	v := example(t)
	lawful := inventory.Entry{Zone: "li-east", Kind: "lawful-intercept", Protected: true}
	mediator := inventory.Entry{Zone: "li-east", Kind: "lawful-intercept", Protected: true, Asset: "mdf2-1", Role: "mdf2"}
	for _, c := range []struct {
		addr netip.Addr
		want inventory.Entry
	}{
		{addr("10.66.0.20"), mediator},
		{addr("::ffff:10.66.0.20"), mediator},
		{addr("10.66.0.99"), lawful},
		{addr("2001:db8:66::99"), lawful},
		{addr("2001:db8:66::99%eth0"), lawful},
		{addr("100.64.1.1"), inventory.Entry{Zone: "subscribers", Kind: "customer"}},
		{addr("192.0.2.64"), inventory.Entry{}},
		{netip.Addr{}, inventory.Entry{}},
	} {
		if diff := cmp.Diff(c.want, v.Lookup(c.addr)); diff != "" {
			t.Errorf("%v: %s", c.addr, diff)
		}
	}
	if e := new(inventory.Inventory).Lookup(addr("10.66.0.20")); e != (inventory.Entry{}) {
		t.Errorf("the zero inventory knows %+v", e)
	}
}

func TestProtectedByKind(t *testing.T) {
	v := parse(t, `
zones:
- {name: a, kind: lawful-intercept, prefixes: [10.1.0.0/16]}
- {name: b, kind: core, prefixes: [10.2.0.0/16]}
- {name: c, kind: management, prefixes: [10.3.0.0/16]}
- {name: d, kind: infrastructure, prefixes: [10.4.0.0/16]}
- {name: e, kind: customer, prefixes: [10.5.0.0/16]}
- {name: f, kind: customer, prefixes: 10.6.0.0/16, protected: true}
- {name: g, kind: core, prefixes: 10.7.0.0/16, protected: false}
`)
	got := map[string]bool{}
	for _, z := range v.Zones {
		got[z.Name] = z.Protected
		if e := v.Lookup(z.Prefixes[0].Addr()); e.Protected != z.Protected {
			t.Errorf("zone %s: entry %+v", z.Name, e)
		}
	}
	want := map[string]bool{"a": true, "b": true, "c": true, "d": true, "e": false, "f": true, "g": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseReadsAll(t *testing.T) {
	v := example(t)
	names := []int{len(v.Zones), len(v.Services), len(v.Allow), len(v.Exporters), len(v.Tunnels), len(v.Maintenance), len(v.Fences)}
	if diff := cmp.Diff([]int{5, 3, 5, 1, 1, 1, 1}, names); diff != "" {
		t.Error(diff)
	}
	want := inventory.Exporter{
		Address: addr("10.30.0.1"), Name: "pe1.east", Site: "east", Platform: inventory.IOSXR, Sampling: 1000,
		Interfaces: []inventory.InterfaceRole{
			{Role: "core", First: 1, Last: 1}, {Role: "core", First: 2, Last: 2},
			{Role: "customer", First: 100, Last: 199}, {Role: "peering", First: 10, Last: 19},
		},
		Attached: []inventory.Attachment{{Zone: "management", First: 150, Last: 150}},
	}
	if diff := cmp.Diff(want, v.Exporters[0], cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestLoadMissingFile(t *testing.T) {
	if _, err := inventory.Load(t.TempDir() + "/none.yaml"); !os.IsNotExist(unwrap(err)) {
		t.Errorf("err = %v", err)
	}
}

func unwrap(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, isPath := err.(*os.PathError); isPath {
			return err
		}
		err = u.Unwrap()
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	v := example(t)
	addrs := []netip.Addr{addr("10.66.0.20"), addr("::ffff:10.66.0.20"), addr("2001:db8:66::1"), addr("203.0.113.1"), {}}
	if n := testing.AllocsPerRun(100, func() {
		for _, a := range addrs {
			v.Lookup(a)
			v.Listed(a)
			v.SamplingInterval(a)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	v := example(b)
	addrs := []netip.Addr{addr("10.66.0.20"), addr("203.0.113.7"), addr("2001:db8:66::10"), addr("100.64.3.4")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v.Lookup(addrs[i%len(addrs)])
	}
}

// TestLookupIsLongestMatch holds Lookup against a search through all prefixes.
func TestLookupIsLongestMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefixes := rapid.SliceOfNDistinct(genPrefix, 1, 12, func(p netip.Prefix) netip.Prefix { return p }).Draw(t, "prefixes")
		text := "zones:\n"
		for _, p := range prefixes {
			text += "- {name: \"" + p.String() + "\", kind: core, prefixes: [\"" + p.String() + "\"]}\n"
		}
		v, err := inventory.Parse("t.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range rapid.SliceOfN(genAddr, 1, 20).Draw(t, "addresses") {
			if got, want := v.Lookup(a).Zone, longest(prefixes, a); got != want {
				t.Fatalf("%v: zone %q, want %q of %v", a, got, want, prefixes)
			}
		}
	})
}

func longest(prefixes []netip.Prefix, a netip.Addr) string {
	best, bits := "", -1
	for _, p := range prefixes {
		if p.Contains(a.Unmap()) && p.Bits() > bits {
			best, bits = p.String(), p.Bits()
		}
	}
	return best
}

// genAddr draws from few addresses, so that many meet.
var genAddr = rapid.Custom(func(t *rapid.T) netip.Addr {
	octet := rapid.SampledFrom([]byte{0, 1, 10, 128, 255})
	a4 := [4]byte{10, octet.Draw(t, "b"), octet.Draw(t, "c"), octet.Draw(t, "d")}
	switch rapid.IntRange(0, 2).Draw(t, "family") {
	case 0:
		return netip.AddrFrom4(a4)
	case 1:
		return netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: a4[0], 13: a4[1], 14: a4[2], 15: a4[3]})
	default:
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 7: a4[1], 12: a4[2], 15: a4[3]})
	}
})

var genPrefix = rapid.Custom(func(t *rapid.T) netip.Prefix {
	a := genAddr.Draw(t, "address").Unmap()
	return netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits")).Masked()
})
