package enrich_test

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/enrich"
	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/geo"
	"tapwatch/enrich/intel"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// step notes that it ran.
type step struct {
	name string
	ran  *[]string
}

func (s step) Name() string { return s.name }

func (s step) Enrich(*flow.Batch) { *s.ran = append(*s.ran, s.name) }

func TestChainRunsInOrder(t *testing.T) {
	var ran []string
	enrich.Chain{step{"a", &ran}, step{"b", &ran}, enrich.Chain{step{"c", &ran}}}.Enrich(new(flow.Batch))
	if diff := cmp.Diff([]string{"a", "b", "c"}, ran); diff != "" {
		t.Error(diff)
	}
	enrich.Chain(nil).Enrich(new(flow.Batch))
}

// BenchmarkChain runs all enrichments, together and one by one, with the databases
// of `make setup` where they are there. Random traffic, as of a scan, is the worst
// case; popular traffic is between addresses that come again, as most do, and mixed
// traffic between subscribers of the example inventory and peers of both families.
func BenchmarkChain(b *testing.B) {
	chain := all(b)
	const n = 1 << 20
	inner, outer := enrichtest.Subscribers(n, 5), enrichtest.Popular(n, 6)
	for i, a := range enrichtest.Popular6(n, 7) {
		if i%4 == 0 {
			outer[i] = a
		}
	}
	r := rand.New(rand.NewPCG(8, 0))
	for i := range inner {
		if r.IntN(2) == 0 { // the other direction
			inner[i], outer[i] = outer[i], inner[i]
		}
	}
	for _, traffic := range []struct {
		name     string
		src, dst [][16]byte
	}{
		{"random", enrichtest.Random(n, 1), enrichtest.Random(n, 2)},
		{"popular", enrichtest.Popular(n, 3), enrichtest.Popular(n, 4)},
		{"mixed", inner, outer},
	} {
		for _, e := range append(enrich.Chain{chain}, chain...) {
			b.Run(traffic.name+"/"+e.Name(), func(b *testing.B) {
				enrichtest.Bench(b, e, traffic.src, traffic.dst)
			})
		}
	}
}

// all makes the chain of all enrichments.
func all(b *testing.B) enrich.Chain {
	b.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	v, err := inventory.Load("../inventory.example.yaml")
	if err != nil {
		b.Fatal(err)
	}
	live := inventory.NewLive(v)
	var cfg geo.Config
	if _, err := os.Stat("../build/geo/asn.mmdb"); err == nil {
		cfg = geo.Config{CountryDatabase: "../build/geo/country.mmdb", ASNDatabase: "../build/geo/asn.mmdb"}
	} else {
		b.Log("without geography: run `make setup` first")
	}
	g, err := geo.New(cfg, quiet, prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	list := filepath.Join(b.TempDir(), "list.txt")
	if err := os.WriteFile(list, []byte("198.51.100.7\n203.0.113.0/24\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	i, err := intel.New(intel.Config{Lists: []intel.List{{Name: "bench", File: list}}}, quiet, prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	return enrich.Chain{g, zone.New(live.Load), i, orient.ForInventory(live.Load)}
}
