package geo_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/geo"
)

// refused is an error unless New refuses the country database and says how to get
// a good one.
func refused(t *testing.T, file, want string) {
	t.Helper()
	_, err := geo.New(geo.Config{CountryDatabase: file}, quiet, prometheus.NewRegistry())
	if err == nil {
		t.Errorf("%s was taken", file)
		return
	}
	for _, part := range []string{"enrich.geo.country_database: " + file + ": " + want, "make setup", "GeoLite2"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("err = %v\nlacks %s", err, part)
		}
	}
}

func TestMissingAndBroken(t *testing.T) {
	refused(t, filepath.Join(t.TempDir(), "none.mmdb"), "there is no such file")
	refused(t, t.TempDir(), "read ")
	text := filepath.Join(t.TempDir(), "text.mmdb")
	write(t, text, []byte("<html>not found</html>"))
	refused(t, text, "not a usable MMDB file: ")
	write(t, text, nil)
	refused(t, text, "not a usable MMDB file: ")
	refused(t, database(t, "Domain", 6, records{"203.0.113.0/24": nil}), "the database (Domain) knows no countries")
	refused(t, database(t, "ASN", 6, records{"203.0.113.0/24": system(64500, "x")}), "the database (ASN) knows no countries")
}

// TestSharedBranches opens a tree of 32 nodes that all lead on to the next one on
// both sides: 2^32 leaves, too many to walk.
func TestSharedBranches(t *testing.T) {
	file := database(t, "country", 4, records{"0.0.0.0/32": code("NL")})
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for node := range 32 { // records of 24 bits, left and right
		copy(data[node*6+3:node*6+6], data[node*6:node*6+3])
	}
	write(t, file, data)
	refused(t, file, "damaged MMDB file: the search tree has more leaves than its nodes can carry")
}

// TestSharedAliases opens a tree in which 32 nodes lead on to the next one on both
// sides, and the last one to IPv4: 2^32 aliases of it.
func TestSharedAliases(t *testing.T) {
	file := database(t, "country", 6, records{"3000::/48": code("NL"), "203.0.113.0/24": code("NL")})
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// child is where a node of 24-bit records has the left or the right one.
	child := func(node, bit int) []byte { return data[node*6+bit*3:][:3] }
	follow := func(node, bit int) int {
		c := child(node, bit)
		return int(c[0])<<16 | int(c[1])<<8 | int(c[2])
	}
	ipv4 := 0
	for range 96 {
		ipv4 = follow(ipv4, 0)
	}
	node := 0
	for depth := range 48 {
		bit := 0
		if depth == 2 || depth == 3 {
			bit = 1 // 3000::
		}
		next := follow(node, bit)
		if depth == 47 {
			next = ipv4
		}
		if depth >= 16 {
			for side := range 2 {
				copy(child(node, side), []byte{byte(next >> 16), byte(next >> 8), byte(next)})
			}
		}
		node = next
	}
	write(t, file, data)
	refused(t, file, "damaged MMDB file: the search tree has more leaves than its nodes can carry")
}

// TestDamage cuts and changes a good file at random: whatever is taken answers.
func TestDamage(t *testing.T) {
	good, err := os.ReadFile(small(t).CountryDatabase)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	file := filepath.Join(t.TempDir(), "damaged.mmdb")
	traffic := enrichtest.Traffic(64)
	taken := 0
	for range 2000 {
		data := append([]byte(nil), good...)
		for range 1 + random.IntN(4) {
			data[random.IntN(len(data))] = byte(random.UintN(256))
		}
		if random.IntN(4) == 0 {
			data = data[:random.IntN(len(data))]
		}
		write(t, file, data)
		e, err := geo.New(geo.Config{CountryDatabase: file, ASNDatabase: ""}, quiet, prometheus.NewRegistry())
		if err != nil {
			continue
		}
		taken++
		e.Enrich(traffic)
		lookup(e, "203.0.113.1")
		lookup(e, "2001:db8::1")
	}
	t.Logf("%d of 2000 damaged files were still good enough", taken)
}
