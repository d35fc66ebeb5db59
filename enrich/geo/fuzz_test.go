package geo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/geo"
)

// FuzzDatabase opens any bytes as a database of both kinds: it is refused or it
// answers.
func FuzzDatabase(f *testing.F) {
	cfg := small(f)
	for _, file := range []string{cfg.CountryDatabase, cfg.ASNDatabase} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	traffic := enrichtest.Traffic(16)
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "fuzz.mmdb")
		write(t, file, data)
		for _, cfg := range []geo.Config{{CountryDatabase: file}, {ASNDatabase: file}} {
			e, err := geo.New(cfg, quiet, prometheus.NewRegistry())
			if err != nil {
				continue
			}
			e.Enrich(traffic)
			lookup(e, "2001:db8::1")
		}
	})
}
