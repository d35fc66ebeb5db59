package relay_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/relay"
)

const (
	hss     = "10.40.1.10"
	poi     = "10.40.2.10"
	mdf2    = "10.66.0.20"
	mdf3    = "10.66.0.30"
	jump    = "10.20.0.5"
	router  = "10.30.0.1"
	outside = "203.0.113.66"
	other   = "198.51.100.20"

	day = 24 * time.Hour
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

// session is a TCP connection of two parts, as an active timeout cuts it.
func session(src, dst string, srcPort, port uint16, from, lasts time.Duration, up, down uint64) []flow {
	var all []flow
	for i := range 2 {
		begin := from + time.Duration(i)*lasts/2
		f := flow{At: at(begin + lasts/2 + 5*time.Second), Begin: at(begin), Src: src, Dst: dst, SrcPort: srcPort, DstPort: port,
			Flags: detecttest.PSH | detecttest.ACK, Packets: 20, Bytes: up / 2}
		if i == 0 {
			f.Flags |= detecttest.SYN
		}
		all = append(all, f, f.Back(30, down/2).With(detecttest.PSH|detecttest.ACK))
	}
	return all
}

// chain is a session from one system through a second to a third, n times, three hours
// apart, going on after the lag.
func chain(from, device, to string, port uint16, start time.Duration, n int, lag time.Duration, share float64) []flow {
	var all []flow
	for i := range n {
		begin := start + time.Duration(i)*3*time.Hour
		up, down := uint64(40_000+17_000*i), uint64(900_000+310_000*i)
		all = append(all, session(from, device, uint16(40000+i), 22, begin, 10*time.Minute, up, down)...)
		all = append(all, session(device, to, uint16(50000+i), port, begin+lag, 10*time.Minute-2*lag, uint64(float64(up)*share), uint64(float64(down)*share))...)
	}
	return all
}

// history makes the zones of core, management, routers and lawful interception known
// for fifteen days.
func history() []flow {
	var all []flow
	for _, dst := range []string{hss, router, jump, mdf3} {
		f := flow{At: at(-15 * day), Src: "10.20.0.6", Dst: dst, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session}
		all = append(all, f, f.Back(10, 1000))
	}
	return all
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(14 * time.Hour),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(chain(outside, router, other, 22, 0, 5, 40*time.Second, 1)...) // too late to be the same
			s.Flows(chain(outside, router, hss, 22, 0, 5, 2*time.Second, 0.3)...)  // too little
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(chain(outside, router, other, 22, 0, 5, 2*time.Second, 1.04)...)
		},
	})
}

func TestScenarios(t *testing.T) {
	sampled := chain("203.0.113.104", "10.30.0.8", "198.51.100.104", 22, 0, 5, 2*time.Second, 1)
	for i := range sampled {
		sampled[i].Sampling = 100
	}
	old := []flow{}
	old = append(old, session("203.0.113.105", "10.30.0.9", 41000, 22, -15*day, time.Minute, 4000, 4000)...)
	old = append(old, session("10.30.0.9", "198.51.100.105", 51000, 22, -15*day, time.Minute, 4000, 4000)...)
	stage := open(t)
	for _, flows := range [][]flow{
		history(),
		chain(outside, router, other, 22, 0, 5, 2*time.Second, 1.04),
		chain(jump, "10.30.0.5", "10.30.0.6", 22, 0, 4, time.Second, 0.95),              // both ends are routers
		chain("203.0.113.102", hss, mdf3, 443, 0, 4, 4*time.Second, 1.08),               // on to lawful interception
		chain("203.0.113.103", "10.30.0.7", "198.51.100.103", 22, 0, 2, time.Second, 1), // twice only
		sampled,
		old, chain("203.0.113.105", "10.30.0.9", "198.51.100.105", 22, 0, 5, time.Second, 1), // both known for long
		chain("203.0.113.106", jump, "10.40.3.1", 22, 0, 5, time.Second, 1), // a jump host is there for it
	} {
		stage.Flows(flows...)
	}
	type found struct {
		First    string
		Severity alert.Severity
	}
	got := map[string]found{}
	for _, f := range stage.Detect(detector(t), at(0), at(14*time.Hour)) {
		name := fmt.Sprint(f.Asset.Name(), " with ", f.Peer.Addr)
		g := got[name]
		if g.First == "" {
			g.First = f.WindowEnd.Format("15:04")
			if n := stage.Rows(f.SQL); n == 0 || n%8 != 0 {
				t.Errorf("the query returns %d rows:\n%s", n, f.SQL)
			}
			t.Logf("%s\n%s\n- %s\n> %s", f.Title, f.Summary, strings.Join(f.Reasons, "\n- "), strings.Join(f.NextSteps, "\n> "))
		}
		g.Severity = max(g.Severity, f.Severity)
		got[name] = g
	}
	// The third episode begins at 16:00 and is over soon after.
	want := map[string]found{
		"pe1.east with 203.0.113.66": {"17:00", alert.High},
		"10.30.0.5 with 10.20.0.5":   {"17:00", alert.High},
		"hss-1 with 203.0.113.102":   {"17:00", alert.Critical},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	good := relay.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := relay.Config{Episodes: 1, Roles: []string{"proxy", " "}}
	want := "lag: 0s does not do: use 1s to 1m\ntolerance: 0 does not do: use more than 0 and at most 0.5\nepisodes: 1 does not do: use 2 to 1000\n" +
		"lookback: 0s does not do: use 2h to 720h\nchance: 0 does not do: use more than 0 and at most 0.1\nwarm_up: 0s does not do: use 24h to 8760h\n" +
		"roles[1]: is empty: name a role of the inventory"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
