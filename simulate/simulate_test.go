package simulate_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/inventory"
	"tapwatch/simulate"
	"tapwatch/simulate/scenario"
)

// wednesday is the midnight that the tests count from.
var wednesday = time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)

// network makes a network that starts at hour o'clock on Wednesday.
func network(t testing.TB, hour int, change ...func(*simulate.Config)) *simulate.Network {
	t.Helper()
	cfg := simulate.DefaultConfig()
	cfg.Start = wednesday.Add(time.Duration(hour) * time.Hour)
	cfg.Rate = 300
	for _, c := range change {
		c(&cfg)
	}
	n, err := simulate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func withPlan(p scenario.Plan) func(*simulate.Config) {
	return func(c *simulate.Config) { c.Plan = p }
}

func start(hour int) time.Time { return wednesday.Add(time.Duration(hour) * time.Hour) }

// sameAddr lets cmp compare addresses.
var sameAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestRecordsAreAFunctionOfTheSeed(t *testing.T) {
	collect := func(seed uint64) []simulate.Record {
		n := network(t, 9, func(c *simulate.Config) { c.Seed = seed })
		return slices.Collect(n.Records(start(9), start(9).Add(time.Minute)))
	}
	first, again, other := collect(7), collect(7), collect(8)
	if diff := cmp.Diff(first, again, sameAddr); diff != "" {
		t.Errorf("the same seed gives other records: %s", diff)
	}
	if cmp.Equal(first, other, sameAddr) {
		t.Error("another seed gives the same records")
	}
}

func TestSpansJoin(t *testing.T) {
	n := network(t, 9, withPlan(scenario.Demo()))
	at := func(s float64) time.Time { return start(9).Add(time.Duration(s * float64(time.Second))) }
	whole := slices.Collect(n.Records(at(0), at(100)))
	var joined []simulate.Record
	for _, span := range [][2]float64{{0, 0.3}, {0.3, 41.7}, {41.7, 99}, {99, 100}} {
		joined = append(joined, slices.Collect(n.Records(at(span[0]), at(span[1])))...)
	}
	if diff := cmp.Diff(whole, joined, sameAddr); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSortedFunc(whole, func(a, b simulate.Record) int { return int(a.ExportedAt - b.ExportedAt) }) {
		t.Error("records are out of order")
	}
}

func TestRateFollowsDayAndWeek(t *testing.T) {
	n := network(t, 0, func(c *simulate.Config) { c.Rate = 500 })
	const span = 2 * time.Minute
	rate := func(at time.Time) float64 {
		count := 0
		for range n.Records(at, at.Add(span)) {
			count++
		}
		return float64(count) / span.Seconds()
	}
	evening, night := rate(start(20)), rate(start(28))
	saturday := rate(start(20).AddDate(0, 0, 3))
	if evening < 425 || evening > 575 {
		t.Errorf("%.0f records/s in the busiest hour, want about 500", evening)
	}
	if night > evening/2 || night < evening/5 {
		t.Errorf("%.0f records/s at night, %.0f in the evening", night, evening)
	}
	if saturday >= evening {
		t.Errorf("%.0f records/s on Saturday, %.0f on Wednesday", saturday, evening)
	}
}

func TestRecordsArePlausible(t *testing.T) {
	n := network(t, 20, withPlan(scenario.Demo()))
	routers := n.Routers()
	perRouter, six := make([]int, len(routers)), 0
	timeouts := map[uint8]int{}
	for r := range n.Records(start(20), start(20).Add(80*time.Second)) {
		router := routers[r.Router]
		perRouter[r.Router]++
		timeouts[r.EndReason]++
		if r.Src.Is6() {
			six++
		}
		least := uint64(28)
		if r.Src.Is6() {
			least = 48
		}
		switch {
		case r.Packets == 0 || r.Bytes < least*r.Packets || r.Bytes > 1500*r.Packets:
			t.Fatalf("%d bytes in %d packets: %+v", r.Bytes, r.Packets, r)
		case r.StartAt > r.EndAt || r.EndAt > r.ExportedAt || r.ExportedAt-r.StartAt > 80_000:
			t.Fatalf("start %d, end %d, export %d", r.StartAt, r.EndAt, r.ExportedAt)
		case r.Src.Is4() != r.Dst.Is4() || r.NextHop.IsValid() && r.NextHop.Is4() != r.Src.Is4():
			t.Fatalf("mixed IP versions: %+v", r)
		case router.Protocol == flow.ExportNetFlow5 && r.Src.Is6():
			t.Fatal("IPv6 at a router that exports NetFlow v5")
		case router.Protocol == flow.ExportSFlow5 && r.Packets != 1:
			t.Fatalf("an sFlow sample of %d packets", r.Packets)
		case r.InIf == 0:
			t.Fatalf("a packet from nowhere: %+v", r)
		case r.Protocol != 6 && r.TCPFlags != 0:
			t.Fatalf("TCP flags on protocol %d", r.Protocol)
		}
	}
	for i, count := range perRouter {
		if count < 80 {
			t.Errorf("router %s exports %d records in 80 s", routers[i].Name, count)
		}
	}
	if six == 0 || timeouts[1] == 0 || timeouts[2] == 0 || timeouts[3] == 0 {
		t.Errorf("%d IPv6 records, end reasons %v", six, timeouts)
	}
}

func TestFlowsAreSeenMoreThanOnce(t *testing.T) {
	type key struct {
		src, dst netip.AddrPort
		protocol uint8
	}
	n := network(t, 20)
	seen := map[key]map[int]bool{}
	for r := range n.Records(start(20), start(20).Add(time.Minute)) {
		k := key{netip.AddrPortFrom(r.Src, r.SrcPort), netip.AddrPortFrom(r.Dst, r.DstPort), r.Protocol}
		if seen[k] == nil {
			seen[k] = map[int]bool{}
		}
		seen[k][r.Router] = true
	}
	twice, answered := 0, 0
	for k, routers := range seen {
		if len(routers) > 1 {
			twice++
		}
		if seen[key{k.dst, k.src, k.protocol}] != nil {
			answered++
		}
	}
	if twice*10 < len(seen) || answered*10 < len(seen) {
		t.Errorf("of %d flows, %d were seen by several routers and %d were answered", len(seen), twice, answered)
	}
}

// TestBackgroundKeepsThePolicy: what touches the lawful-intercept site is allowed,
// or nobody answers it.
func TestBackgroundKeepsThePolicy(t *testing.T) {
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	for _, hour := range []int{0, 2, 7, 12, 18, 24*3 + 9} {
		n := network(t, hour, func(c *simulate.Config) { c.Rate = 30 })
		rules, strays := map[string]int{}, 0
		for r := range n.Records(start(hour), start(hour).Add(30*time.Minute)) {
			if inv.Lookup(r.Src).Kind != flow.ZoneLawfulIntercept && inv.Lookup(r.Dst).Kind != flow.ZoneLawfulIntercept {
				continue
			}
			c := inventory.Conversation{
				Client: r.Src, Server: r.Dst, Protocol: r.Protocol, Port: r.DstPort,
				At: time.UnixMilli(r.EndAt), InitiatorKnown: true,
			}
			if !r.FromClient {
				c.Client, c.Server, c.Port = r.Dst, r.Src, r.SrcPort
			}
			if rule, ok := inv.Allowed(c); ok {
				rules[rule]++
				continue
			}
			strays++
			if !r.FromClient || r.Packets > 3 || r.Bytes > 300 || r.TCPFlags&8 != 0 {
				t.Fatalf("at %d o'clock: not allowed, and more than a stray packet: %+v", hour, r)
			}
		}
		want := 7 // one for each rule of the site but that for administration
		if hour == 12 {
			want = 8
		}
		if len(rules) < want || strays == 0 {
			t.Errorf("at %d o'clock: %d strays, and traffic by the rules %v", hour, strays, rules)
		}
	}
}

func TestInventoryAgrees(t *testing.T) {
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	if w := inv.Warnings(wednesday); len(w) > 0 {
		t.Errorf("warnings: %s", strings.Join(w, "; "))
	}
	routers := network(t, 0).Routers()
	if len(routers) != len(inv.Exporters) || len(routers) < 12 {
		t.Errorf("%d routers, %d exporters", len(routers), len(inv.Exporters))
	}
	protocols := map[int8]int{}
	for _, r := range routers {
		protocols[r.Protocol]++
		e, ok := inv.Exporter(r.Address)
		if !ok || e.Name != r.Name || e.Sampling != r.Sampling || !r.Address.IsLoopback() {
			t.Errorf("router %+v is exporter %+v of the inventory", r, e)
		}
		for _, a := range []netip.Addr{r.Address, r.Loopback} {
			if inv.Lookup(a).Asset != r.Name {
				t.Errorf("%s of router %s is asset %q", a, r.Name, inv.Lookup(a).Asset)
			}
		}
	}
	for _, p := range []int8{flow.ExportNetFlow5, flow.ExportNetFlow9, flow.ExportIPFIX, flow.ExportSFlow5} {
		if protocols[p] < 2 {
			t.Errorf("%d routers export protocol %d, want at least 2", protocols[p], p)
		}
	}
	n := network(t, 20)
	for r := range n.Records(start(20), start(20).Add(time.Minute)) {
		e, _ := inv.Exporter(routers[r.Router].Address)
		if e.InterfaceRole(r.InIf) == "" || r.OutIf != 0 && e.InterfaceRole(r.OutIf) == "" {
			t.Fatalf("router %s has no interface %d or %d in the inventory", e.Name, r.InIf, r.OutIf)
		}
	}
}

func TestIntelligenceListsTheCommandHost(t *testing.T) {
	n := network(t, 0, withPlan(scenario.Demo()))
	var listed []netip.Prefix
	for line := range strings.Lines(string(simulate.Intelligence())) {
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text != "" {
			listed = append(listed, netip.MustParsePrefix(text))
		}
	}
	contains := func(a netip.Addr) bool {
		return slices.ContainsFunc(listed, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	hits := 0
	for r := range n.Records(start(0), start(0).Add(5*time.Minute)) {
		if !contains(r.Src) && !contains(r.Dst) {
			continue
		}
		hits++
		if r.Intrusion != "intel-c2" {
			t.Fatalf("background traffic with a listed address: %+v", r)
		}
	}
	if hits == 0 {
		t.Error("nobody talks with a listed address")
	}
}

func TestBadConfig(t *testing.T) {
	for key, change := range map[string]func(*simulate.Config){
		"start":          func(c *simulate.Config) { c.Start = time.Time{} },
		"rate":           func(c *simulate.Config) { c.Rate = 3 },
		"active_timeout": func(c *simulate.Config) { c.ActiveTimeout = time.Hour },
		"idle_timeout":   func(c *simulate.Config) { c.IdleTimeout = -1 },
		"plan":           withPlan(scenario.Plan{{ID: "x"}}),
	} {
		cfg := simulate.DefaultConfig()
		cfg.Start = wednesday
		change(&cfg)
		_, err := simulate.New(cfg)
		if err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("%s: error %v", key, err)
		}
	}
}
