package geo_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/geo"
)

// shared is the folder of the makers' own test databases, broken ones too. They
// are not part of the repository; without them these cases say so and end.
func shared(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("TAPWATCH_MMDB")
	if folder == "" {
		folder = "../../../shared/mmdb" // beside the repository
	}
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("TAPWATCH_MMDB") != "" {
			t.Fatal(err)
		}
		t.Log("not run: the makers' test databases are not here (TAPWATCH_MMDB)")
		return ""
	}
	return folder
}

// TestSharedFiles opens every test database as either kind: it is refused with a
// remedy or it answers, and never crashes, hangs or grows.
func TestSharedFiles(t *testing.T) {
	folder := shared(t)
	if folder == "" {
		return
	}
	var files []string
	for _, pattern := range []string{"test-data/*.mmdb", "bad-data/*/*.mmdb"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files in %s", len(files), folder)
	}
	traffic := enrichtest.Traffic(1000)
	taken := 0
	for _, file := range files {
		for _, cfg := range []geo.Config{{CountryDatabase: file}, {ASNDatabase: file}} {
			began := time.Now()
			e, err := geo.New(cfg, quiet, prometheus.NewRegistry())
			switch {
			case err == nil:
				taken++
				e.Enrich(traffic)
				if strings.Contains(file, "bad-data") || strings.Contains(file, "roken") || strings.Contains(file, "Invalid") {
					t.Errorf("%s was taken", file)
				}
			case !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "make setup"):
				t.Errorf("%s: %v", file, err)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("%s took %v", file, d)
			}
		}
	}
	t.Logf("%d files, taken %d times", len(files), taken)
	if taken < 15 {
		t.Errorf("only %d were taken", taken)
	}
}

// TestSharedAnswers holds the answers against the sources of the databases, for the
// first address of every prefix.
func TestSharedAnswers(t *testing.T) {
	folder := shared(t)
	if folder == "" {
		return
	}
	type source struct {
		Country struct {
			ISOCode string `json:"iso_code"`
		} `json:"country"`
		Registered struct {
			ISOCode string `json:"iso_code"`
		} `json:"registered_country"`
		Number uint32 `json:"autonomous_system_number"`
		Org    string `json:"autonomous_system_organization"`
	}
	for _, name := range []string{"GeoLite2-Country-Test", "GeoIP2-Country-Test", "GeoLite2-City-Test", "GeoLite2-ASN-Test", "GeoIP2-ISP-Test"} {
		data, err := os.ReadFile(filepath.Join(folder, "source-data", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var entries []map[string]source
		if err := json.Unmarshal(data, &entries); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, "test-data", name+".mmdb")
		cfg := geo.Config{CountryDatabase: file}
		systems := strings.Contains(name, "ASN") || strings.Contains(name, "ISP")
		if systems {
			cfg = geo.Config{ASNDatabase: file}
		}
		e := start(t, cfg, prometheus.NewRegistry())
		checked := 0
		for _, entry := range entries {
			for text, s := range entry {
				prefix := netip.MustParsePrefix(text)
				want := tags{}
				switch {
				case systems:
					want.asn, want.org = s.Number, s.Org
				case s.Country.ISOCode != "":
					want.country = s.Country.ISOCode
				default:
					want.country = s.Registered.ISOCode
				}
				a := prefix.Addr()
				if a.IsPrivate() || a.IsUnspecified() || a.IsLoopback() {
					continue
				}
				checked++
				if got := lookup(e, a.String()); got != want {
					t.Errorf("%s: %s: %+v, want %+v", name, text, got, want)
				}
			}
		}
		t.Logf("%s: %d prefixes", name, checked)
	}
}
