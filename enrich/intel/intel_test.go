package intel_test

import (
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/enrich"
	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/intel"
	"tapwatch/internal/config"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// lists writes each text to a file and makes a list of it: a, b, …
func lists(t testing.TB, texts ...string) intel.Config {
	t.Helper()
	var c intel.Config
	for i, text := range texts {
		name := string(rune('a' + i))
		file := filepath.Join(t.TempDir(), name+".txt")
		write(t, file, text)
		c.Lists = append(c.Lists, intel.List{Name: name, File: file})
	}
	return c
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func start(t testing.TB, c intel.Config, reg prometheus.Registerer) *intel.Enricher {
	t.Helper()
	e, err := intel.New(c, quiet, reg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// match gives the mark of an address.
func match(e *intel.Enricher, addr string) string {
	b := enrichtest.Batch(enrichtest.Record{Src: netip.MustParseAddr(addr)})
	e.Enrich(b)
	return b.SrcIntel[0]
}

func TestConformance(t *testing.T) {
	c := lists(t, "198.51.100.7\n2001:db8:bad::/48\n")
	enrichtest.Run(t, enrichtest.Suite{
		New:     func(t testing.TB) enrich.Enricher { return start(t, c, prometheus.NewRegistry()) },
		Reload:  func(e enrich.Enricher) error { return e.(*intel.Enricher).Reload() },
		Columns: []string{"src_intel", "dst_intel"},
		Known: []enrichtest.Record{
			{Src: netip.MustParseAddr("198.51.100.7"), Dst: netip.MustParseAddr("10.0.0.1")},
			{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("2001:db8:bad::1")},
		},
	})
}

func TestLines(t *testing.T) {
	e := start(t, lists(t, "\ufeff# comment\r\n\r\n198.51.100.7\r\n203.0.113.0/24  command and control\n"+
		"2001:db8:bad::/48, staging\n192.0.2.0/25 ; SBL1\n  192.0.2.200\t# seen once \n::ffff:192.0.2.201\n::ffff:192.0.2.240/124\n198.51.100.8"), prometheus.NewRegistry())
	for addr, want := range map[string][2]string{
		"198.51.100.7":    {"a:198.51.100.7/32", ""},
		"198.51.100.8":    {"a:198.51.100.8/32", ""},
		"198.51.100.9":    {"", ""},
		"203.0.113.77":    {"a:203.0.113.0/24", "command and control"},
		"2001:db8:bad::9": {"a:2001:db8:bad::/48", "staging"},
		"192.0.2.1":       {"a:192.0.2.0/25", "SBL1"},
		"192.0.2.200":     {"a:192.0.2.200/32", "seen once"},
		"192.0.2.201":     {"a:192.0.2.201/32", ""},
		"192.0.2.241":     {"a:192.0.2.240/28", ""},
	} {
		if got := match(e, addr); got != want[0] || e.Describe(got) != want[1] {
			t.Errorf("%s: %q, %q, want %q", addr, got, e.Describe(got), want)
		}
	}
}

func TestNarrowestThenFirst(t *testing.T) {
	e := start(t, lists(t, "198.51.100.0/24\n203.0.113.1\n", "198.51.100.0/28\n203.0.113.1\n", ""), prometheus.NewRegistry())
	for addr, want := range map[string]string{
		"198.51.100.1": "b:198.51.100.0/28", "198.51.100.99": "a:198.51.100.0/24", "203.0.113.1": "a:203.0.113.1/32",
	} {
		if got := match(e, addr); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}

// TestValidity holds that an indicator marks a record by the time when it was received,
// and that where the narrowest does not hold then, a wider one or one of the next list
// does.
func TestValidity(t *testing.T) {
	e := start(t, lists(t,
		"ip,valid_from,valid_until\n198.51.100.7,2026-03-01,2026-03-31\n198.51.100.0/24,2026-02-01,\n203.0.113.7,,2026-03-01T00:00:00Z\n",
		"198.51.100.7\n"), prometheus.NewRegistry())
	for _, c := range []struct{ addr, at, want string }{
		{"198.51.100.7", "2026-01-31T23:59:59Z", "b:198.51.100.7/32"},
		{"198.51.100.7", "2026-03-01T00:00:00Z", "a:198.51.100.7/32"},
		{"198.51.100.7", "2026-03-31T23:59:59Z", "a:198.51.100.7/32"},
		{"198.51.100.7", "2026-04-01T00:00:00Z", "b:198.51.100.7/32"},
		{"198.51.100.8", "2026-01-31T23:59:59Z", ""},
		{"198.51.100.8", "2026-02-01T00:00:00Z", "a:198.51.100.0/24"},
		{"203.0.113.7", "2026-02-28T23:59:59Z", "a:203.0.113.7/32"},
		{"203.0.113.7", "2026-03-01T00:00:00Z", ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		b := enrichtest.Batch(enrichtest.Record{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr(c.addr)})
		b.ReceivedAt[0] = at.UnixMilli()
		if e.Enrich(b); b.DstIntel[0] != c.want || b.SrcIntel[0] != "" {
			t.Errorf("%s at %s: %q, want %q", c.addr, c.at, b.DstIntel[0], c.want)
		}
	}
}

// TestNoLists holds that an enrichment without lists empties its columns.
func TestNoLists(t *testing.T) {
	e := start(t, intel.DefaultConfig(), prometheus.NewRegistry())
	b := enrichtest.Batch(enrichtest.Record{Src: netip.MustParseAddr("198.51.100.7")})
	b.SrcIntel[0], b.DstIntel[0] = "of before", "of before"
	e.Enrich(b)
	if b.SrcIntel[0] != "" || b.DstIntel[0] != "" {
		t.Errorf("%q, %q", b.SrcIntel[0], b.DstIntel[0])
	}
}

func TestBadLines(t *testing.T) {
	c := lists(t, "198.51.100.7\nevil.example\n# fine\n198.51.100.7/24\n0.0.0.0/0\n10.0.0.0/33 x\nfe80::1%eth0\n", strings.Repeat("x\n", 12))
	_, err := intel.New(c, quiet, prometheus.NewRegistry())
	if err == nil {
		t.Fatal("no error")
	}
	const advice = ": write one such as 198.51.100.7 or 198.51.100.0/24, or put # before a comment"
	want := []string{
		`a.txt:2:1: "evil.example" is not an address or a prefix` + advice,
		`a.txt:4:1: "198.51.100.7/24" has bits set after its length: write 198.51.100.0/24 or 198.51.100.7`,
		`a.txt:5:1: "0.0.0.0/0" covers every address: remove it`,
		`a.txt:6:1: "10.0.0.0/33" is not an address or a prefix` + advice,
		`a.txt:7:1: "fe80::1%eth0" is not an address or a prefix` + advice,
	}
	for i := range 10 {
		want = append(want, "b.txt:"+string("123456789X"[i])+`:1: "x" is not an address or a prefix`+advice)
	}
	want[14] = strings.Replace(want[14], "X", "10", 1)
	want = append(want, "b.txt: and 2 more bad lines")
	got := strings.Split(err.Error(), "\n")
	for i := range got {
		got[i] = filepath.Base(strings.SplitN(got[i], ".txt", 2)[0]) + ".txt" + strings.SplitN(got[i], ".txt", 2)[1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMissingFile(t *testing.T) {
	_, err := intel.New(intel.Config{Lists: []intel.List{{Name: "a", File: filepath.Join(t.TempDir(), "none")}}}, quiet, prometheus.NewRegistry())
	if err == nil || !strings.HasPrefix(err.Error(), "enrich.intel.lists[0].file: read list a: open ") {
		t.Errorf("err = %v", err)
	}
}

func TestValidate(t *testing.T) {
	for yaml, want := range map[string]string{
		"lists: []": "",
		"lists: [{name: a, file: x}, {name: b, file: x, description: d}]": "",
		"lists: [{file: x}]":                              "f.yaml:1:9: lists[0].name: is missing: give the list a name, it is shown on alerts",
		"lists: [{name: a}]":                              "f.yaml:1:9: lists[0].file: is missing: name a file with an address or a prefix a line",
		"lists: [{name: a, file: x, format: xml}]":        `f.yaml:1:36: lists[0].format: "xml" is unknown: use text, csv or stix, or leave it out`,
		"lists: [{name: a, file: x, confidence: 101}]":    "f.yaml:1:40: lists[0].confidence: 101 is above 100",
		"lists: [{name: a, file: x, backdate: -1h}]":      "f.yaml:1:38: lists[0].backdate: -1h0m0s is below 0s",
		"lists: [{name: a, file: x, expire_after: -1h}]":  "f.yaml:1:42: lists[0].expire_after: -1h0m0s is below 0s",
		"lists: [{name: a b, file: x}]":                   `f.yaml:1:16: lists[0].name: "a b" has a colon or a space in it: use letters, digits and dashes`,
		"lists: [{name: a, file: x}, {name: a, file: y}]": `f.yaml:1:36: lists[1].name: "a" is the name of lists[0] already: give each list a name of its own`,
	} {
		c := intel.DefaultConfig()
		got := ""
		if err := config.Decode("f.yaml", []byte(yaml), &c); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", yaml, got, want)
		}
	}
}

func TestReloadAndMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := lists(t, "198.51.100.7\n203.0.113.0/24\n")
	e := start(t, c, reg)
	match(e, "203.0.113.9")
	write(t, c.Lists[0].File, "bad\n")
	if err := e.Reload(); err == nil || !strings.HasPrefix(err.Error(), "the intelligence lists of before stay in force: ") {
		t.Errorf("err = %v", err)
	}
	if got := match(e, "203.0.113.9"); got != "a:203.0.113.0/24" {
		t.Errorf("after a bad reload: %q", got)
	}
	write(t, c.Lists[0].File, "198.51.100.8\n")
	if err := e.Reload(); err != nil {
		t.Error(err)
	}
	if got := match(e, "203.0.113.9") + match(e, "198.51.100.8"); got != "a:198.51.100.8/32" {
		t.Errorf("after a reload: %q", got)
	}
	const want = `
# HELP tapwatch_intel_indicators Addresses and prefixes of the list in force.
# TYPE tapwatch_intel_indicators gauge
tapwatch_intel_indicators{list="a"} 1
# HELP tapwatch_intel_matches_total Ends of flow records that the list names.
# TYPE tapwatch_intel_matches_total counter
tapwatch_intel_matches_total{list="a"} 3
# HELP tapwatch_intel_reloads_total Reloads of the lists by result: ok, or failed, which kept those of before.
# TYPE tapwatch_intel_reloads_total counter
tapwatch_intel_reloads_total{result="failed"} 1
tapwatch_intel_reloads_total{result="ok"} 1
# HELP tapwatch_intel_skipped Parts of the list in force that are not used: patterns that flows cannot show, other types than addresses, revoked ones, ones not meant for detection, broken objects.
# TYPE tapwatch_intel_skipped gauge
tapwatch_intel_skipped{list="a",reason="not_to_ids"} 0
tapwatch_intel_skipped{list="a",reason="object"} 0
tapwatch_intel_skipped{list="a",reason="pattern"} 0
tapwatch_intel_skipped{list="a",reason="revoked"} 0
tapwatch_intel_skipped{list="a",reason="type"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func BenchmarkEnrich(b *testing.B) {
	src, dst := enrichtest.Random(1<<16, 1), enrichtest.Random(1<<16, 2)
	for name, c := range map[string]intel.Config{
		"off":   intel.DefaultConfig(),
		"small": lists(b, "198.51.100.7\n203.0.113.0/24\n45.0.0.0/16\n"),
	} {
		b.Run(name, func(b *testing.B) {
			enrichtest.Bench(b, start(b, c, prometheus.NewRegistry()), src, dst)
		})
	}
}
