package beacon_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/beacon"
	"tapwatch/detect/detecttest"
)

const (
	hss     = "10.40.1.10"
	poi     = "10.40.2.10"
	mdf3    = "10.66.0.30"
	jump    = "10.20.0.5"
	router  = "10.30.0.1"
	outside = "203.0.113.66"
	other   = "203.0.113.67"

	day = 24 * time.Hour
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

// dice are the same in each run.
func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(11, seed)) }

// calls are TCP connections that begin at the given moments, each exported ten seconds
// later, of sizes as the web has them.
func calls(src, dst string, port uint16, moments []time.Duration) []flow {
	r := dice(uint64(port))
	var all []flow
	for i, m := range moments {
		out := flow{At: at(m + 10*time.Second), Begin: at(m), Src: src, Dst: dst, SrcPort: uint16(20000 + i%40000), DstPort: port,
			Flags: detecttest.Session, Packets: 12, Bytes: 800 + uint64(r.IntN(3000))}
		all = append(all, out, out.Back(20, 2000+uint64(r.IntN(30000))))
	}
	return all
}

// every gives n moments from one on, each so long after the one before as the dice say.
func every(from time.Duration, n int, next func(*rand.Rand) time.Duration) []time.Duration {
	r := dice(uint64(n))
	var all []time.Duration
	for range n {
		all = append(all, from)
		from += next(r)
	}
	return all
}

// jitter is a beat with so much jitter to either side.
func jitter(mean time.Duration, share float64) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return time.Duration(float64(mean) * (1 + share*(2*r.Float64()-1))) }
}

// chance has calls come as they like.
func chance(mean time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return time.Duration(float64(mean) * r.ExpFloat64()) }
}

// history makes the zones of core, management and routers known for fifteen days.
func history() []flow {
	long := flow{At: at(-15 * day), Src: jump, Dst: hss, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session}
	admin := flow{At: at(-15 * day), Src: jump, Dst: router, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session}
	return []flow{long, long.Back(10, 1000), admin, admin.Back(10, 1000)}
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(26 * time.Hour),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(calls(poi, mdf3, 8890, every(0, 120, jitter(10*time.Minute, 0.1)))...) // a rule allows it
			s.Flows(calls(hss, outside, 443, every(0, 120, chance(10*time.Minute)))...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(history()...)
			s.Flows(calls(hss, outside, 443, every(time.Hour, 120, jitter(10*time.Minute, 0.5)))...)
			s.Flows(calls(jump, other, 8443, every(time.Hour, 40, jitter(30*time.Minute, 0.2)))...)
		},
	})
}

// scenario is what one system does; found is what is said of it.
type scenario struct {
	name, asset string
	flows       []flow
	want        found
}

type found struct {
	Rule     string
	Severity alert.Severity
}

// end is when the last window of the scenarios ends, soon the time from which on those
// call that call ever after.
const (
	end  = 176 * time.Hour
	soon = end - 18*time.Hour
)

// play stores all scenarios side by side and tells what is found of each system in the
// last six hours.
func play(t *testing.T, more []flow, scenarios []scenario) {
	stage := open(t)
	for _, s := range scenarios {
		more = append(more, s.flows...)
	}
	stage.Flows(more...)
	got, want := map[string]found{}, map[string]found{}
	for _, f := range stage.Detect(detector(t), at(end-6*time.Hour), at(end)) {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.asset == f.Asset.Addr.String() })
		if i < 0 {
			t.Errorf("found %q", f.Title)
			continue
		}
		name := scenarios[i].name
		if _, again := got[name]; !again {
			if stage.Rows(f.SQL) == 0 {
				t.Errorf("%s: the query returns nothing:\n%s", name, f.SQL)
			}
		}
		got[name] = found{f.Rule, f.Severity}
	}
	for _, s := range scenarios {
		if s.want.Rule != "" {
			want[s.name] = s.want
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// host is the n-th system of the core, peer the n-th outside.
func host(n int) string { return fmt.Sprintf("10.40.3.%d", n) }
func peer(n int) string { return fmt.Sprintf("203.0.113.%d", 100+n) }

func TestWarm(t *testing.T) {
	hourly := func() (all []time.Duration) {
		r := dice(7)
		for h := range 168 {
			for range 3 + r.IntN(3) { // anywhere in the hour, so that no beat is to be heard
				all = append(all, end-168*time.Hour+time.Duration(h)*time.Hour+time.Duration(r.Int64N(int64(time.Hour))))
			}
		}
		slices.Sort(all)
		return all
	}
	beat := every(soon, 100, jitter(10*time.Minute, 0.5))
	var common []flow
	for n := range 5 {
		common = append(common, calls(host(100+n), peer(0), 443, []time.Duration{time.Hour})...)
	}
	high, beacon := alert.High, "steady-beat"
	play(t, append(history(), common...), []scenario{
		{"half the time jitter, a hundred calls", hss, calls(hss, outside, 443, beat), found{beacon, alert.Critical}},
		{"of a router", router, calls(router, other, 443, beat), found{beacon, high}},
		{"little jitter, few calls", host(1), calls(host(1), peer(1), 8443, every(end-15*time.Hour, 15, jitter(time.Hour, 0.05))), found{beacon, high}},
		{"a call every two hours for four days", host(2), calls(host(2), peer(2), 443, every(end-97*time.Hour, 56, jitter(2*time.Hour, 0.5))), found{beacon, high}},
		{"each call doubled", host(3), append(calls(host(3), peer(3), 443, beat), ports(calls(host(3), peer(3), 443, later(beat, time.Second)), 5000)...), found{beacon, high}},
		{"every few seconds", host(4), calls(host(4), peer(4), 443, every(end-3*time.Hour, 2000, jitter(5*time.Second, 0.2))), found{beacon, high}},
		{"every hour of a week", host(5), calls(host(5), peer(5), 443, hourly()), found{"every-hour", high}},
		{"a new inside peer", host(6), calls(host(6), "10.20.0.77", 8443, beat), found{beacon, high}},
		{"calls by chance", host(10), calls(host(10), peer(10), 443, every(soon, 100, chance(10*time.Minute))), found{}},
		{"a week by chance", host(11), calls(host(11), peer(11), 443, every(end-168*time.Hour, 672, chance(15*time.Minute))), found{}},
		{"a rule allows it", poi, calls(poi, mdf3, 8890, beat), found{}},
		{"time", host(12), udp(calls(host(12), peer(12), 123, beat)), found{}},
		{"known for more than two weeks", host(13), append(calls(host(13), peer(13), 443, []time.Duration{end - 15*day}), calls(host(13), peer(13), 443, beat)...), found{}},
		{"many call there", host(14), calls(host(14), peer(0), 443, beat), found{}},
		{"packets are sampled", host(15), sampled(calls(host(15), peer(15), 443, beat)), found{}},
		{"nobody answers", host(16), unanswered(calls(peer(16), host(16), 443, beat)), found{}},
		{"few calls", host(17), calls(host(17), peer(17), 443, every(end-2*time.Hour, 11, jitter(10*time.Minute, 0.1))), found{}},
		{"it is over", host(18), calls(host(18), peer(18), 443, every(end-24*time.Hour, 40, jitter(10*time.Minute, 0.5))), found{}},
	})
}

// TestCold has nothing but the day itself: what calls outside may be old, what calls
// inside is not reported.
func TestCold(t *testing.T) {
	beat := every(soon, 100, jitter(10*time.Minute, 0.5))
	play(t, nil, []scenario{
		{"outside", router, calls(router, outside, 443, beat), found{"steady-beat", alert.Medium}},
		{"of a subscriber database", hss, calls(hss, other, 443, beat), found{"steady-beat", alert.High}},
		{"inside", host(1), calls(host(1), "10.20.0.77", 8443, beat), found{}},
	})
}

// ports moves the clients' ports up.
func ports(flows []flow, by uint16) []flow {
	for i := range flows {
		if flows[i].SrcPort > flows[i].DstPort {
			flows[i].SrcPort += by
		} else {
			flows[i].DstPort += by
		}
	}
	return flows
}

func later(moments []time.Duration, d time.Duration) []time.Duration {
	var all []time.Duration
	for _, m := range moments {
		all = append(all, m+d)
	}
	return all
}

func udp(flows []flow) []flow {
	for i := range flows {
		flows[i].Protocol, flows[i].Flags = 17, 0
	}
	return flows
}

func sampled(flows []flow) []flow {
	for i := range flows {
		flows[i].Sampling = 1000
	}
	return flows
}

// unanswered are the attempts alone.
func unanswered(flows []flow) []flow {
	var all []flow
	for i := 0; i < len(flows); i += 2 {
		f := flows[i]
		f.Flags, f.Packets, f.Bytes = detecttest.SYN, 1, 60
		all = append(all, f)
	}
	return all
}

// TestReady says what the detector lacks.
func TestReady(t *testing.T) {
	stage := open(t)
	stage.Flows(sampled(calls(hss, outside, 443, every(0, 3, jitter(10*time.Minute, 0.5))))...)
	d := beacon.New(beacon.DefaultConfig(), detecttest.Inventory(t, detecttest.Operator))
	ready, err := d.Ready(t.Context(), at(time.Hour), stage.History())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range ready {
		got = append(got, fmt.Sprintf("%s: %.0f of %.0f %s. %s", r.What, r.Have, r.Need, r.Unit, r.Text))
	}
	want := []string{
		"history of core-east: 0 of 14 days. Until a zone has been watched for 14 days, beacons to outside peers are reported with less confidence, since they may be old, and those to inside peers not at all.",
		"unsampled export of core-east: 0 of 1 exporters. Nothing is said of beacons of core-east in traffic that only pe1.east (10.30.0.1) saw: packets are sampled there, so sessions are missed and their times tell little.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readiness (-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	good := beacon.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := beacon.Config{Calls: 3, FalseShare: 0.9, Strength: -1, Prevalence: 2, WarmUp: time.Hour, Ignore: []string{"udp/123", "nosuch/1"}, CoverageVariation: 3}
	want := "calls: 3 does not do: use 9 to 2000\nfalse_share: 0.9 does not do: use more than 0 and at most 0.5\nstrength: -1 does not do: use 0 to 5\n" +
		"prevalence: 2 is no share: use 0 to 1\nwarm_up: 1h0m0s does not do: use 24h to 8760h\nignore[1]: \"nosuch/1\" is no service: write udp/123, or sctp\n" +
		"caller_hours: 0 does not do: use 1 to 24\nmax_callers: 0 does not do: use 1 or more\ncoverage_hours: 0 does not do: use 1 to 168\ncoverage_variation: 3 does not do: use more than 0 and at most 2"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
