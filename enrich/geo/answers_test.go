package geo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/geo"
)

// oracle asks the databases themselves, one by one: what the enrichment says about
// an address, and counts, is what they say. A nil reader is off.
type oracle struct {
	country, asn         *maxminddb.Reader
	noCountry, noSystems int
}

func newOracle(t testing.TB, cfg geo.Config) *oracle {
	t.Helper()
	read := func(file string) *maxminddb.Reader {
		if file == "" {
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := maxminddb.OpenBytes(data)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return &oracle{country: read(cfg.CountryDatabase), asn: read(cfg.ASNDatabase)}
}

func (o *oracle) tags(a netip.Addr) (want tags) {
	if !isPublic(a) {
		return tags{}
	}
	if o.country != nil {
		if r := o.country.Lookup(a); r.Found() {
			want.country = geo.ReadCountry(r)
		}
		if want.country == "" {
			o.noCountry++
		}
	}
	if o.asn != nil {
		if r := o.asn.Lookup(a); r.Found() {
			want.asn, want.org = geo.ReadSystem(r)
		}
		if want.asn == 0 {
			o.noSystems++
		}
	}
	return want
}

func isPublic(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, block := range []string{"0.0.0.0/8", "100.64.0.0/10", "198.18.0.0/15", "240.0.0.0/4"} {
		if netip.MustParsePrefix(block).Contains(a) {
			return false
		}
	}
	return true
}

// addresses are some to ask about: at the ends of every nth network of the files
// and beside them, and some random ones.
func (o *oracle) addresses(every int, r *rand.Rand) (addrs []netip.Addr) {
	add := func(a netip.Addr) {
		if a = a.Unmap(); a.IsValid() {
			addrs = append(addrs, a)
		}
	}
	for _, reader := range []*maxminddb.Reader{o.country, o.asn} {
		if reader == nil {
			continue
		}
		n := r.IntN(every)
		for network := range reader.Networks(maxminddb.IncludeNetworksWithoutData(), maxminddb.IncludeAliasedNetworks()) {
			if n++; n%every != 0 {
				continue
			}
			p := network.Prefix()
			last := lastOf(p)
			add(p.Addr())
			add(p.Addr().Prev())
			add(last)
			add(last.Next())
			if a := p.Addr(); a.Is4() { // as it lies in the tree
				b := a.As4()
				add(netip.AddrFrom16([16]byte{12: b[0], 13: b[1], 14: b[2], 15: b[3]}))
			}
		}
	}
	for range 5000 {
		a, b := r.Uint32(), [16]byte{0x20}
		add(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}))
		for i := 1; i < 16; i++ {
			b[i] = byte(r.Uint32())
		}
		b[1] &= byte(r.Uint32()) // the lower half of 2000::/8 is where most are
		add(netip.AddrFrom16(b))
	}
	return addrs
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(b); bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// agree compares the enrichment with the oracle at every nth network. It says how
// many addresses it asked about.
func agree(t *testing.T, cfg geo.Config, every int, r *rand.Rand) int {
	t.Helper()
	reg := prometheus.NewRegistry()
	e := start(t, cfg, reg)
	o := newOracle(t, cfg)
	addrs := o.addresses(every, r)
	records := make([]enrichtest.Record, len(addrs))
	for i, a := range addrs {
		records[i].Src = a
	}
	b := enrichtest.Batch(records...)
	e.Enrich(b)
	wrong := 0
	for i, a := range addrs {
		got := tags{b.SrcCountry[i], b.SrcASN[i], b.SrcASOrg[i]}
		if want := o.tags(a); got != want {
			if wrong++; wrong <= 10 {
				t.Errorf("%+v: %s: %+v, want %+v", cfg, a, got, want)
			}
		}
	}
	misses := fmt.Sprintf(`
# HELP tapwatch_geo_not_found_total Public addresses that the database did not know.
# TYPE tapwatch_geo_not_found_total counter
tapwatch_geo_not_found_total{database="asn"} %d
tapwatch_geo_not_found_total{database="country"} %d
`, o.noSystems, o.noCountry)
	if err := testutil.GatherAndCompare(reg, strings.NewReader(misses), "tapwatch_geo_not_found_total"); err != nil {
		t.Errorf("%+v: %v", cfg, err)
	}
	return len(addrs)
}

// TestAnswersRandom makes databases of random networks, of either version, with and
// without aliases of IPv4.
func TestAnswersRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		country := randomDatabase(t, r, func(n uint32) mmdbtype.Map {
			return code(string([]byte{'A' + byte(n%26), 'A' + byte(n/26%26)}))
		})
		asn := randomDatabase(t, r, func(n uint32) mmdbtype.Map { return system(n%200, "Example") })
		agree(t, geo.Config{CountryDatabase: country, ASNDatabase: asn}, 1, r)
		agree(t, geo.Config{CountryDatabase: country}, 1, r)
		agree(t, geo.Config{ASNDatabase: asn}, 1, r)
	}
}

// randomDatabase makes a database of up to 300 networks, many inside each other.
func randomDatabase(t *testing.T, r *rand.Rand, value func(uint32) mmdbtype.Map) string {
	t.Helper()
	version := []int{4, 6}[r.IntN(2)]
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: "random", IPVersion: version, IncludeReservedNetworks: true,
		DisableIPv4Aliasing: r.IntN(2) == 0, RecordSize: []int{24, 28, 32}[r.IntN(3)],
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(&net.IPNet{IP: net.IP{1, 2, 3, 0}, Mask: net.CIDRMask(24, 32)}, value(77)); err != nil {
		t.Fatal(err)
	}
	for range r.IntN(300) {
		ip := make(net.IP, 4)
		if version == 6 && r.IntN(2) == 0 {
			ip = make(net.IP, 16)
		}
		for i := range ip {
			ip[i] = []byte{0, 10, 32, 192, 255, byte(r.Uint32())}[r.IntN(6)]
		}
		mask := net.CIDRMask(1+r.IntN(8*len(ip)), 8*len(ip))
		err := tree.Insert(&net.IPNet{IP: ip.Mask(mask), Mask: mask}, value(r.Uint32()))
		var alias *mmdbwriter.AliasedNetworkError
		if err != nil && !errors.As(err, &alias) {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "random.mmdb")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAnswersShared asks the makers' test databases, each country database together
// with one of systems.
func TestAnswersShared(t *testing.T) {
	folder := shared(t)
	if folder == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(folder, "test-data/*.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	var countries, systems []string
	for _, file := range files {
		if _, err := geo.New(geo.Config{CountryDatabase: file}, quiet, prometheus.NewRegistry()); err == nil {
			countries = append(countries, file)
		}
		if _, err := geo.New(geo.Config{ASNDatabase: file}, quiet, prometheus.NewRegistry()); err == nil {
			systems = append(systems, file)
		}
	}
	if len(countries) < 5 || len(systems) < 3 {
		t.Fatalf("only %d and %d files of the kinds", len(countries), len(systems))
	}
	r := rand.New(rand.NewPCG(5, 6))
	asked := 0
	for i := range max(len(countries), len(systems)) {
		cfg := geo.Config{CountryDatabase: countries[i%len(countries)], ASNDatabase: systems[i%len(systems)]}
		asked += agree(t, cfg, 1, r)
	}
	t.Logf("%d addresses of %d and %d files", asked, len(countries), len(systems))
}

// TestAnswersReal asks the databases of `make setup` at some of their networks.
func TestAnswersReal(t *testing.T) {
	cfg := geo.Config{CountryDatabase: "../../build/geo/country.mmdb", ASNDatabase: "../../build/geo/asn.mmdb"}
	for _, file := range []string{cfg.CountryDatabase, cfg.ASNDatabase} {
		if _, err := os.Stat(file); err != nil {
			t.Log("not run: the databases of `make setup` are not here")
			return
		}
	}
	t.Logf("%d addresses", agree(t, cfg, 200, rand.New(rand.NewPCG(7, 8))))
}
