package enrich_test

import (
	"io"
	"log/slog"
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

// BenchmarkChain runs all enrichments on traffic between random addresses, with
// the databases of `make setup` where they are there: the worst case, since real
// traffic meets the same addresses again.
func BenchmarkChain(b *testing.B) {
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
	chain := enrich.Chain{g, zone.New(live.Load), i, orient.ForInventory(live.Load)}
	batch := enrichtest.Traffic(8192)
	for _, e := range append(enrich.Chain{chain}, chain...) {
		b.Run(e.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Enrich(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/record")
		})
	}
}
