package campaign_test

import (
	"bytes"
	"hash/fnv"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/collector/sflow"
	"tapwatch/flow"
	"tapwatch/inventory"
	"tapwatch/simulate/campaign"
)

// small is a campaign for tests, with a seed.
func small(t testing.TB, seed uint64, change ...func(*campaign.Config)) *campaign.Campaign {
	t.Helper()
	cfg := campaign.SmallConfig()
	cfg.Seed = seed
	for _, f := range change {
		f(&cfg)
	}
	c, err := campaign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parsed is the campaign's inventory.
func parsed(t testing.TB, c *campaign.Campaign) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Parse("campaign.yaml", c.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// exporters is what the collector asks of the inventory.
type exporters struct{ *inventory.Inventory }

func (e exporters) Version() any { return e.Inventory }

func (e exporters) Exporter(a netip.Addr) (uint32, bool) {
	x, ok := e.Inventory.Exporter(a)
	return x.Sampling, ok
}

// decoded is all records of a campaign, as the collector decodes them.
func decoded(t testing.TB, c *campaign.Campaign) (*flow.Batch, *collector.Decoder) {
	t.Helper()
	cfg := collector.DefaultConfig()
	cfg.Exporters = collector.ExportersListed
	d := collector.NewDecoder(cfg, []collector.Protocol{netflow.Protocol{}, sflow.Protocol{}}, exporters{parsed(t, c)})
	b := new(flow.Batch)
	for x := range c.Datagrams() {
		d.Datagram(b, netip.AddrPortFrom(x.From, 50000), x.At, x.Payload)
	}
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	return b, d
}

// digest is the campaign's bytes in short.
func digest(c *campaign.Campaign) uint64 {
	h := fnv.New64a()
	for d := range c.Datagrams() {
		h.Write([]byte(d.At.String()))
		h.Write(d.From.AsSlice())
		h.Write(d.Payload)
	}
	return h.Sum64()
}

func TestSameSeedSameBytes(t *testing.T) {
	one, two, other := small(t, 7), small(t, 7), small(t, 8)
	if !bytes.Equal(one.Inventory(), two.Inventory()) || bytes.Equal(one.Inventory(), other.Inventory()) {
		t.Error("the inventory is not a function of the seed")
	}
	first := digest(one)
	if again, twin := digest(one), digest(two); first != again || first != twin {
		t.Errorf("read %x, again %x, by a twin %x", first, again, twin)
	}
	if first == digest(other) {
		t.Error("another seed gives the same bytes")
	}
}

func TestEveryRecordDecodes(t *testing.T) {
	for _, seed := range []uint64{1, 2} {
		c := small(t, seed)
		b, d := decoded(t, c)
		stats := c.Stats()
		if uint64(b.Len()) != stats.Records || stats.Records == 0 {
			t.Errorf("seed %d: %d records decoded of %d", seed, b.Len(), stats.Records)
		}
		if seed == 1 && stats.Records > 150_000 {
			t.Errorf("the small campaign has %d records, too many for make test", stats.Records)
		}
		protocols := map[int8]bool{}
		for i := range b.Len() {
			protocols[b.ExportProtocol[i]] = true
			if b.Packets[i] == 0 || b.Bytes[i] < 20*b.Packets[i] || b.EndAt[i] < b.StartAt[i] {
				t.Fatalf("seed %d: a record that no router exports: %s", seed, b.Row(i))
			}
		}
		if len(protocols) < 3 {
			t.Errorf("seed %d: protocols %v", seed, protocols)
		}
		for _, h := range d.Health(time.UnixMilli(b.ReceivedAt[b.Len()-1])) {
			if len(h.Dropped) > 0 {
				t.Errorf("seed %d: exporter %s: dropped %v", seed, h.Exporter, h.Dropped)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	cfg := campaign.SmallConfig()
	cfg.Seed = 3
	c := small(t, 3)
	attack, end := cfg.Start.Add(cfg.History), cfg.Start.Add(cfg.History+cfg.Attack)
	last := cfg.Start
	for d := range c.Datagrams() {
		if d.At.Before(last) || !d.At.Before(end.Add(2*time.Second)) {
			t.Fatalf("a datagram at %s after one at %s, in a campaign to %s", d.At, last, end)
		}
		last = d.At
	}
	if last.Before(end.Add(-time.Minute)) {
		t.Errorf("the last datagram comes at %s, the end is %s", last, end)
	}
	for _, l := range c.Labels() {
		if l.First.After(l.Last) || l.Last.After(end) || !l.Trap && l.First.Before(attack) {
			t.Errorf("%s: %s to %s, attack from %s to %s", l.ID, l.First, l.Last, attack, end)
		}
	}
}

// TestRunsEnd holds that whoever reads the datagrams may stop.
func TestRunsEnd(t *testing.T) {
	c := small(t, 4)
	n := 0
	for range c.Datagrams() {
		if n++; n == 100 {
			break
		}
	}
	if err := c.Err(); err != nil || n != 100 {
		t.Errorf("%d datagrams, %v", n, err)
	}
}

func TestInventory(t *testing.T) {
	for seed := range uint64(8) {
		c := small(t, seed)
		inv := parsed(t, c)
		cfg := campaign.SmallConfig()
		for _, at := range []time.Time{cfg.Start, cfg.Start.Add(cfg.History + cfg.Attack)} {
			if w := inv.Warnings(at); len(w) > 0 {
				t.Errorf("seed %d: warnings %q", seed, w)
			}
		}
		if len(inv.Exporters) < 8 || len(inv.Fences) == 0 || len(inv.Tunnels) == 0 || len(inv.Maintenance) == 0 {
			t.Errorf("seed %d: %d exporters, %d fences, %d tunnels, %d windows", seed, len(inv.Exporters), len(inv.Fences), len(inv.Tunnels), len(inv.Maintenance))
		}
	}
}

func TestGeography(t *testing.T) {
	c := small(t, 5)
	country, asn, err := c.WriteGeography(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Labels() {
		if l.Technique != "new-asn" && l.Technique != "fence" && l.Technique != "beacon-periodic" {
			continue
		}
		var code string
		var number uint32
		look(t, country, l.Peers[0], &code, "country", "iso_code")
		look(t, asn, l.Peers[0], &number, "autonomous_system_number")
		if len(code) != 2 || number == 0 {
			t.Errorf("%s: %s is in %q and AS%d", l.ID, l.Peers[0], code, number)
		}
	}
	if size, err := os.Stat(asn); err != nil || size.Size() == 0 {
		t.Error(err)
	}
}

func look(t *testing.T, file string, a netip.Addr, into any, path ...any) {
	t.Helper()
	db, err := maxminddb.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Lookup(a).DecodePath(into, path...); err != nil {
		t.Fatal(err)
	}
}

func TestIntelligence(t *testing.T) {
	c := small(t, 6)
	lists := c.Intelligence()
	var listed []netip.Prefix
	for name, text := range lists {
		for line := range strings.Lines(string(text)) {
			if word, _, _ := strings.Cut(line, " "); word != "#" {
				p, err := netip.ParsePrefix(word)
				if err != nil || p != p.Masked() {
					t.Fatalf("%s: %q: %v", name, line, err)
				}
				listed = append(listed, p)
			}
		}
	}
	onList := func(a netip.Addr) bool {
		return slices.ContainsFunc(listed, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	for _, l := range c.Labels() {
		if got := slices.ContainsFunc(l.Peers, onList); got != (l.Technique == "intel-contact") {
			t.Errorf("%s: a listed peer: %t", l.ID, got)
		}
	}
}

func TestConfigMistakes(t *testing.T) {
	for want, change := range map[string]func(*campaign.Config){
		"start: must be a time":          func(c *campaign.Config) { c.Start = time.Time{} },
		"start: must be a full hour":     func(c *campaign.Config) { c.Start = c.Start.Add(time.Second) },
		"history: must be":               func(c *campaign.Config) { c.History = time.Hour },
		"attack: must be":                func(c *campaign.Config) { c.Attack = 0 },
		"pairs: must be":                 func(c *campaign.Config) { c.Pairs = 3 },
		"instances: must be":             func(c *campaign.Config) { c.Instances = 0 },
		`techniques[0]: "x" is no techn`: func(c *campaign.Config) { c.Techniques = []string{"x"} },
	} {
		cfg := campaign.SmallConfig()
		change(&cfg)
		if _, err := campaign.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// BenchmarkDatagrams is the cost of one record, from its conversation to its bytes.
func BenchmarkDatagrams(b *testing.B) {
	c := small(b, 1)
	records := uint64(0)
	for b.Loop() {
		for range c.Datagrams() {
		}
		records += c.Stats().Records
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
