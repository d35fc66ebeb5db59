package collector_test

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapwatch/internal/captures"
)

// differentialVariable names the environment variable that says how many variants of
// each protocol TestDifferentialVariants makes; by default variantsOfProtocol.
const (
	differentialVariable = "TAPWATCH_DIFFERENTIAL"
	variantsOfProtocol   = 4000
)

// differentialProtocols are those that goflow2 knows, by what their datagrams begin
// with.
var differentialProtocols = map[string]string{
	"V5": "\x00\x05", "V9": "\x00\x09", "IPFIX": "\x00\x0a", "SFlow": "\x00\x00\x00\x05",
}

// leastCompared are how many records must be compared where the captures are, so that
// the tests cannot come to compare nothing: some less than there are.
const leastCompared = 270_000

var leastOfVariants = map[string]int{"V5": 80_000, "V9": 25_000, "IPFIX": 35_000, "SFlow": 10_000}

// TestDifferentialCaptures decodes every capture by goflow2's decoders too, and
// compares all records. What may differ is in differential_reasons_test.go.
func TestDifferentialCaptures(t *testing.T) {
	n := newScores()
	all := append(captures.Index(t), captures.Labelled(t)...)
	for _, c := range all {
		x := newComparison(c.Name, n, failFew(t))
		for _, g := range datagrams(t, c.Path) {
			x.next(g.From, g.Time, g.Payload)
		}
		x.end()
	}
	if len(all) > 0 {
		n.check(t, leastCompared)
	}
}

// TestDifferentialVariants does the same with the captures' first datagrams made bad
// in thousands of ways, always the same ones.
func TestDifferentialVariants(t *testing.T) {
	count := variantsOfProtocol
	if text := os.Getenv(differentialVariable); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", differentialVariable, err)
		}
	}
	all := scenarios(t)
	for protocol := range differentialProtocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			n := newScores()
			fail := failFew(t)
			some := all[protocol]
			for seed := range count {
				s := some[seed%len(some)]
				name, variant := mutate(uint64(seed), s.datagrams)
				x := newComparison(fmt.Sprintf("%s, variant %d (%s)", s.name, seed, strings.TrimSpace(name)), n, fail)
				for _, payload := range variant {
					x.next(differentialFrom, differentialAt, payload)
				}
				x.end()
			}
			least := leastOfVariants[protocol]
			if _, ok := captures.Folder(); !ok || count < variantsOfProtocol {
				least = 1
			}
			n.check(t, least)
		})
	}
}

var (
	differentialFrom = netip.MustParseAddrPort("192.0.2.1:50000")
	differentialAt   = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
)

// failFew reports the first failures and counts the others.
func failFew(t *testing.T) func(format string, args ...any) {
	const most = 8
	n := 0
	t.Cleanup(func() {
		if n > most {
			t.Logf("… %d failures", n)
		}
	})
	return func(format string, args ...any) {
		if n++; n <= most {
			t.Errorf(format, args...)
		}
	}
}

// check logs what was compared, and fails if it was too little.
func (s *scores) check(t *testing.T, least int) {
	t.Helper()
	t.Logf("%d records compared; reasons to differ:", s.compared)
	why := whys()
	for _, name := range slices.Sorted(maps.Keys(s.reasons)) {
		if s.reasons[name] > 0 {
			t.Logf("%9d  %s: %s", s.reasons[name], name, why[name])
		}
	}
	if s.compared < least {
		t.Errorf("%d records compared, of at least %d", s.compared, least)
	}
}

// fuzzDifferential compares two datagrams of one protocol, so that a template can meet
// data.
func fuzzDifferential(f *testing.F, protocol string) {
	for _, s := range scenarios(f)[protocol] {
		f.Add(s.datagrams[0], s.datagrams[min(1, len(s.datagrams)-1)])
	}
	magic := differentialProtocols[protocol]
	f.Fuzz(func(t *testing.T, first, second []byte) {
		x := newComparison("fuzz", newScores(), t.Errorf)
		for _, payload := range [][]byte{first, second} {
			const most = 1<<16 - 1
			if len(payload) > most || !strings.HasPrefix(string(payload), magic) {
				t.Skip("no datagram of the protocol")
			}
			x.next(differentialFrom, differentialAt, payload)
		}
		x.end()
	})
}

func FuzzDifferentialV5(f *testing.F)    { fuzzDifferential(f, "V5") }
func FuzzDifferentialV9(f *testing.F)    { fuzzDifferential(f, "V9") }
func FuzzDifferentialIPFIX(f *testing.F) { fuzzDifferential(f, "IPFIX") }
func FuzzDifferentialSFlow(f *testing.F) { fuzzDifferential(f, "SFlow") }
