package geo_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/enrich"
	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/geo"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// records are what a database made for a test holds, by prefix.
type records map[string]mmdbtype.Map

// database writes an MMDB file built on 2026-06-01 and returns its name.
func database(t testing.TB, kind string, ipVersion int, r records) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: kind, IPVersion: ipVersion, BuildEpoch: 1780272000, IncludeReservedNetworks: true, RecordSize: 24,
	})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, value := range r {
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, value); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.mmdb")
	write(t, file, b.Bytes())
	return file
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func code(c string) mmdbtype.Map { return mmdbtype.Map{"country_code": mmdbtype.String(c)} }

func system(n uint32, org string) mmdbtype.Map {
	return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(n), "autonomous_system_organization": mmdbtype.String(org)}
}

func inside(key string, m mmdbtype.Map) mmdbtype.Map {
	return mmdbtype.Map{mmdbtype.String(key): m}
}

func start(t testing.TB, c geo.Config, reg prometheus.Registerer) *geo.Enricher {
	t.Helper()
	e, err := geo.New(c, quiet, reg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// tags are what one end of a record gets.
type tags struct {
	country string
	asn     uint32
	org     string
}

func lookup(e enrich.Enricher, addr string) tags {
	a, _ := netip.ParseAddr(addr)
	b := enrichtest.Batch(enrichtest.Record{Dst: a})
	e.Enrich(b)
	return tags{b.DstCountry[0], b.DstASN[0], b.DstASOrg[0]}
}

func small(t testing.TB) geo.Config {
	return geo.Config{
		CountryDatabase: database(t, "country", 6, records{"203.0.113.0/24": code("NL"), "2001:db8::/32": code("DE"), "10.0.0.0/8": code("US"), "100.64.0.0/10": code("US"), "fd00::/8": code("US")}),
		ASNDatabase:     database(t, "asn", 6, records{"203.0.113.0/25": system(64500, "Example"), "2001:db8::/32": system(64501, "Beispiel"), "10.0.0.0/8": system(64502, "No")}),
	}
}

func TestConformance(t *testing.T) {
	c := small(t)
	enrichtest.Run(t, enrichtest.Suite{
		New:     func(t testing.TB) enrich.Enricher { return start(t, c, prometheus.NewRegistry()) },
		Reload:  func(e enrich.Enricher) error { return e.(*geo.Enricher).Reload() },
		Columns: []string{"src_country", "src_asn", "src_as_org", "dst_country", "dst_asn", "dst_as_org"},
		Known: []enrichtest.Record{
			{Src: netip.MustParseAddr("203.0.113.1"), Dst: netip.MustParseAddr("10.0.0.1")},
			{Src: netip.MustParseAddr("198.51.100.1"), Dst: netip.MustParseAddr("2001:db8::1")},
		},
	})
}

func TestEnrich(t *testing.T) {
	e := start(t, small(t), prometheus.NewRegistry())
	for addr, want := range map[string]tags{
		"203.0.113.1":   {"NL", 64500, "Example"},
		"203.0.113.200": {"NL", 0, ""},
		"2001:db8::1":   {"DE", 64501, "Beispiel"},
		"198.51.100.1":  {},
		"10.0.0.1":      {}, // private, whatever the database says
		"100.64.0.1":    {},
		"fd00::1":       {},
		"127.0.0.1":     {},
		"224.0.0.1":     {},
		"240.0.0.1":     {},
		"198.18.0.1":    {},
		"":              {},
	} {
		if got := lookup(e, addr); got != want {
			t.Errorf("%s: %+v, want %+v", addr, got, want)
		}
	}
}

// TestMakers reads the field names of every maker of databases.
func TestMakers(t *testing.T) {
	text := func(pairs ...string) mmdbtype.Map {
		m := mmdbtype.Map{}
		for i := 0; i < len(pairs); i += 2 {
			m[mmdbtype.String(pairs[i])] = mmdbtype.String(pairs[i+1])
		}
		return m
	}
	iso := text("iso_code", "NL")
	for _, c := range []struct {
		name   string
		record mmdbtype.Map
		want   tags
	}{
		{"GeoIP2 country", mmdbtype.Map{"country": iso, "registered_country": text("iso_code", "FR")}, tags{country: "NL"}},
		{"GeoIP2, registered alone", inside("registered_country", iso), tags{country: "NL"}},
		{"DB-IP Lite, ip-location-db", code("NL"), tags{country: "NL"}},
		{"lower case", code("nl"), tags{country: "NL"}},
		{"IPinfo country", text("country", "NL", "country_name", "Netherlands"), tags{country: "NL"}},
		{"IPinfo Lite", text("country", "Netherlands", "country_code", "NL", "asn", "AS64500", "as_name", "Example"), tags{"NL", 64500, "Example"}},
		{"GeoLite2 ASN", system(64500, "Example"), tags{"", 64500, "Example"}},
		{"GeoLite2 ASN without a name", mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)}, tags{"", 64500, ""}},
		{"GeoIP2 Enterprise", mmdbtype.Map{"country": iso, "traits": system(64500, "Example")}, tags{"NL", 64500, "Example"}},
		{"IPinfo ASN", text("asn", "AS64500", "name", "Example", "domain", "example.org"), tags{"", 64500, "Example"}},
		{"IPinfo ASN, a number", mmdbtype.Map{"asn": mmdbtype.Uint32(64500), "as_name": mmdbtype.String("Example")}, tags{"", 64500, "Example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := database(t, c.name, 4, records{"203.0.113.0/24": c.record})
			var cfg geo.Config
			if c.want.country != "" {
				cfg.CountryDatabase = file
			}
			if c.want.asn != 0 {
				cfg.ASNDatabase = file
			}
			e := start(t, cfg, prometheus.NewRegistry())
			if got := lookup(e, "203.0.113.9"); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if got := lookup(e, "2001:db8::1"); got != (tags{}) {
				t.Errorf("IPv6 in a database of IPv4: %+v", got)
			}
		})
	}
}

func TestOffIsLogged(t *testing.T) {
	var log bytes.Buffer
	e, err := geo.New(geo.DefaultConfig(), slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := lookup(e, "203.0.113.9"); got != (tags{}) {
			t.Errorf("%+v", got)
		}
	}
	for _, want := range []string{`msg="countries are off"`, "enrich.geo.country_database", `msg="autonomous systems are off"`, "enrich.geo.asn_database", "make setup", "GeoLite2"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &log)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines", n)
	}
}

func TestReloadAndMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	cfg := small(t)
	e := start(t, cfg, reg)
	lookup(e, "198.51.100.1") // neither knows it
	lookup(e, "203.0.113.200")
	lookup(e, "10.0.0.1") // no look-up

	good, err := os.ReadFile(cfg.CountryDatabase)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cfg.CountryDatabase, good[:len(good)/2]) // in place, and cut short
	if err := e.Reload(); err == nil || !strings.HasPrefix(err.Error(), "the geography databases of before stay in force") || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("err = %v", err)
	}
	if got := lookup(e, "203.0.113.1"); got != (tags{"NL", 64500, "Example"}) {
		t.Errorf("after a bad reload: %+v", got)
	}
	next, err := os.ReadFile(database(t, "country", 6, records{"203.0.113.0/24": code("BE")}))
	if err != nil {
		t.Fatal(err)
	}
	write(t, cfg.CountryDatabase, next)
	if err := e.Reload(); err != nil {
		t.Error(err)
	}
	if got := lookup(e, "203.0.113.1"); got != (tags{"BE", 64500, "Example"}) {
		t.Errorf("after a reload: %+v", got)
	}
	const want = `
# HELP tapwatch_geo_database_build_timestamp_seconds When the database in force was built, in Unix seconds.
# TYPE tapwatch_geo_database_build_timestamp_seconds gauge
tapwatch_geo_database_build_timestamp_seconds{database="asn"} 1.780272e+09
tapwatch_geo_database_build_timestamp_seconds{database="country"} 1.780272e+09
# HELP tapwatch_geo_not_found_total Public addresses that the database did not know.
# TYPE tapwatch_geo_not_found_total counter
tapwatch_geo_not_found_total{database="asn"} 2
tapwatch_geo_not_found_total{database="country"} 1
# HELP tapwatch_geo_reloads_total Reloads of the databases by result: ok, or failed, which kept those of before.
# TYPE tapwatch_geo_reloads_total counter
tapwatch_geo_reloads_total{result="failed"} 1
tapwatch_geo_reloads_total{result="ok"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func BenchmarkEnrich(b *testing.B) {
	e := start(b, small(b), prometheus.NewRegistry())
	enrichtest.Bench(b, e, enrichtest.Random(4096, 1), enrichtest.Random(4096, 2))
}
