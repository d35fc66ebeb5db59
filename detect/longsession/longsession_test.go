package longsession_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/longsession"
)

const (
	hss     = "10.40.1.10"
	poi     = "10.40.2.10"
	mdf3    = "10.66.0.30"
	jump    = "10.20.0.5"
	router  = "10.30.0.1"
	outside = "203.0.113.66"

	day = 24 * time.Hour
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

// session is one TCP connection, cut each so long as an active timeout does.
func session(src, dst string, srcPort, port uint16, from, to, every time.Duration) []flow {
	var all []flow
	for ; from < to; from += every {
		part := min(every, to-from)
		flags := uint16(detecttest.PSH | detecttest.ACK)
		f := flow{At: at(from + part), Begin: at(from), Src: src, Dst: dst, SrcPort: srcPort, DstPort: port, Flags: flags, Packets: 40, Bytes: 6000}
		all = append(all, f, f.Back(60, 20000))
	}
	return all
}

// short are many connections one after the other.
func short(src, dst string, port uint16, from, to, lasts time.Duration) []flow {
	var all []flow
	for n := uint16(20000); from < to; from, n = from+lasts, n+1 {
		all = append(all, session(src, dst, n, port, from, from+lasts, lasts)...)
	}
	return all
}

// history makes the zones of core, management and routers known for fifteen days.
func history() []flow {
	var all []flow
	for _, dst := range []string{hss, router, jump} {
		f := flow{At: at(-15 * day), Src: "10.20.0.6", Dst: dst, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session}
		all = append(all, f, f.Back(10, 1000))
	}
	return all
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(2 * time.Hour), To: at(8 * time.Hour),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(session(poi, mdf3, 40000, 8890, 0, 8*time.Hour, time.Minute)...)
			s.Flows(short(hss, outside, 443, 0, 8*time.Hour, 5*time.Minute)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(session(hss, outside, 40000, 443, 0, 8*time.Hour, time.Minute)...)
		},
	})
}

// TestScenarios has systems with sessions of all kinds side by side and tells, of each,
// the alert at its height and the hour of its first finding.
func TestScenarios(t *testing.T) {
	host := func(n int) string { return fmt.Sprintf("10.40.3.%d", n) }
	peer := func(n int) string { return fmt.Sprintf("203.0.113.%d", 100+n) }
	const hour = time.Hour
	sampled := session(host(7), peer(7), 40000, 22, 0, 12*hour, time.Minute)
	for i := range sampled {
		sampled[i].Sampling = 1000
	}
	var common []flow
	for n := range 5 {
		common = append(common, session(host(100+n), peer(9), 40000, 443, 0, time.Minute, time.Minute)...)
	}
	scenarios := []scenario{
		{"a shell for ten hours", router, session(router, outside, 40000, 22, 0, 10*hour, time.Minute), found{"15:00", alert.High}},
		{"of a subscriber database", hss, session(hss, peer(1), 40000, 443, 0, 10*hour, time.Minute), found{"15:00", alert.Critical}},
		{"five hours", host(2), session(peer(2), host(2), 40000, 22, 0, 5*hour, time.Minute), found{"15:00", alert.Medium}},
		{"exported each half an hour", host(3), session(host(3), peer(3), 40000, 8443, 0, 10*hour, 30*time.Minute), found{"15:00", alert.High}},
		{"one after the other, an hour each", host(4), short(host(4), peer(4), 443, 0, 10*hour, hour), found{"15:00", alert.High}},
		{"inside, by SSH", host(5), session(host(5), "10.20.0.77", 40000, 22, 0, 10*hour, time.Minute), found{"15:00", alert.Medium}},
		{"three hours", host(10), session(host(10), peer(10), 40000, 443, 0, 3*hour, time.Minute), found{}},
		{"many of five minutes", host(6), short(host(6), peer(6), 443, 0, 10*hour, 5*time.Minute), found{}},
		{"packets are sampled", host(7), sampled, found{}},
		{"inside, by another service", host(8), session(host(8), "10.20.0.78", 40000, 7777, 0, 10*hour, time.Minute), found{}},
		{"BGP", host(11), session(host(11), peer(11), 40000, 179, 0, 10*hour, time.Minute), found{}},
		{"many talk with it", host(9), session(host(9), peer(9), 40000, 443, 0, 10*hour, time.Minute), found{}},
		{"known for more than two weeks", host(12), append(session(host(12), peer(12), 40000, 443, -15*day, -15*day+time.Minute, time.Minute),
			session(host(12), peer(12), 40000, 443, 0, 10*hour, time.Minute)...), found{}},
		{"a rule allows it", poi, session(poi, mdf3, 40000, 8890, 0, 10*hour, time.Minute), found{}},
	}
	stage := open(t)
	all := append(history(), common...)
	want, got := map[string]found{}, map[string]found{}
	for _, s := range scenarios {
		all = append(all, s.flows...)
		if s.want.First != "" {
			want[s.name] = s.want
		}
	}
	stage.Flows(all...)
	for _, f := range stage.Detect(detector(t), at(hour), at(11*hour)) {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.asset == f.Asset.Addr.String() })
		if i < 0 {
			t.Errorf("found %q", f.Title)
			continue
		}
		g := got[scenarios[i].name]
		if g.First == "" {
			g.First = f.WindowEnd.Format("15:04")
			if stage.Rows(f.SQL) == 0 {
				t.Errorf("the query returns nothing:\n%s", f.SQL)
			}
		}
		g.Severity = max(g.Severity, f.Severity)
		got[scenarios[i].name] = g
		if scenarios[i].asset == router && f.WindowEnd.Equal(at(8*hour)) {
			t.Logf("%s\n%s\n- %s", f.Title, f.Summary, strings.Join(f.Reasons, "\n- "))
			checkGrown(t, &f)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// scenario is what one system does and what is said of it.
type scenario struct {
	name, asset string
	flows       []flow
	want        found
}

// found is the end of the window of the first finding, and the worst severity.
type found struct {
	First    string
	Severity alert.Severity
}

// checkGrown holds what the alert says after eight hours.
func checkGrown(t *testing.T, f *alert.Finding) {
	if got, want := f.Title, "pe1.east of routers has had SSH (tcp/22) open with 203.0.113.66 (RU, AS64500 Example Hosting) for 7 h 59 min"; got != want && !strings.HasSuffix(got, "for 8 hours") {
		t.Errorf("title %q, want %q", got, want)
	}
}

func TestConfig(t *testing.T) {
	good := longsession.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := longsession.Config{Medium: time.Minute, High: 0, Piece: time.Second, Gap: 0, Prevalence: -1, WarmUp: 0, Ignore: []string{"x/1"}, Inside: []string{"tcp/99999"}}
	want := "medium: 1m0s does not do: use 1h to 24h\nhigh: 0s does not do: use medium to 24h\npiece: 1s does not do: use 1m to medium\n" +
		"gap: 0s does not do: use 1m to 1h\nprevalence: -1 is no share: use 0 to 1\nwarm_up: 0s does not do: use 24h to 8760h\n" +
		"ignore[0]: \"x/1\" is no service: write tcp/22, or sctp\ninside[0]: \"tcp/99999\" is no service: write tcp/22, or sctp"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
