package mirror_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/mirror"
)

const (
	pe1     = "10.30.0.1"
	pe2     = "10.30.0.2"
	mdf3    = "10.66.0.30"
	lemf    = "192.0.2.70"
	outside = "203.0.113.66"
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

// level is how many bytes something has each minute.
func level(seed uint64, minutes int) []float64 {
	r := rand.New(rand.NewPCG(seed, 8))
	all, x := make([]float64, minutes), 0.0
	for i := range all {
		x = 0.8*x + 0.6*r.NormFloat64()
		all[i] = 5e7 * math.Exp(0.35*x)
	}
	return all
}

// interfaces stores what passes an interface of a router, minute by minute.
func interfaces(t *testing.T, s *detecttest.Stage, router string, index uint32, bytes []float64) {
	t.Helper()
	var rows []string
	for i, b := range bytes {
		rows = append(rows, fmt.Sprintf("(toDateTime(%d), toIPv6('%s'), %d, 99, 'ingress', 1, %d, %d, 1, today())",
			at(time.Duration(i)*time.Minute).Unix(), router, index, uint64(b), uint64(b/1000)))
	}
	if err := s.Store().Exec(t.Context(), "INSERT INTO traffic_minute (at, exporter, in_if, out_if, direction, flows, bytes, packets, sampling_interval, inserted_on) VALUES "+strings.Join(rows, ",")); err != nil {
		t.Fatal(err)
	}
}

// sends is a share of some bytes sent each minute, exported at its end.
func sends(src, dst string, protocol uint8, port uint16, bytes []float64, share float64) []flow {
	var all []flow
	for i, b := range bytes {
		n := uint64(share * b)
		f := flow{At: at(time.Duration(i)*time.Minute + 30*time.Second), Begin: at(time.Duration(i) * time.Minute), Src: src, Dst: dst, Protocol: protocol,
			Packets: n/1000 + 1, Bytes: n}
		if port != 0 {
			f.SrcPort, f.DstPort = 40000, port
		}
		all = append(all, f)
	}
	return all
}

func TestConformance(t *testing.T) {
	busy := level(1, 120)
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(2 * time.Hour),
		Allowed: func(s *detecttest.Stage) {
			interfaces(t, s, pe1, 7, busy)
			s.Flows(sends(pe1, outside, 47, 0, level(2, 120), 0.03)...) // a tunnel that follows nothing
			s.Flows(sends(mdf3, lemf, 6, 443, busy, 0.01)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			interfaces(t, s, pe1, 7, busy)
			s.Flows(sends(pe1, outside, 47, 0, busy, 0.03)...)
		},
	})
}

func TestScenarios(t *testing.T) {
	stage := open(t)
	busy, content := level(1, 120), level(5, 120)
	for i := range uint64(10) {
		interfaces(t, stage, pe1, 10+uint32(i), level(20+i, 120))
		interfaces(t, stage, pe2, 10+uint32(i), level(40+i, 120))
	}
	interfaces(t, stage, pe1, 7, busy)
	interfaces(t, stage, pe2, 7, busy)
	answered := sends(pe2, "203.0.113.104", 47, 0, busy, 0.03)
	for _, f := range answered {
		answered = append(answered, f.Back(f.Packets/3, f.Bytes/3))
	}
	for _, flows := range [][]flow{
		sends(pe1, outside, 47, 0, busy, 0.03),
		sends(pe1, "10.40.9.9", 17, 5555, busy, 0.02), // to an inside host
		sends(mdf3, lemf, 6, 443, content, 0.01),
		sends(mdf3, "203.0.113.102", 17, 7000, content, 0.01), // delivered twice
		sends(mdf3, "203.0.113.103", 17, 7000, level(6, 120), 0.01),
		sends(pe2, "203.0.113.105", 47, 0, level(7, 120), 0.03),
		answered,
		sends(pe2, "10.20.0.9", 17, 4739, busy, 0.01),  // its flow export
		sends(pe2, "203.0.113.106", 47, 0, busy, 2),    // larger than what it would copy
		sends(pe2, "203.0.113.107", 47, 0, busy, 1e-5), // next to nothing
	} {
		stage.Flows(flows...)
	}
	type found struct {
		Rule     string
		Severity alert.Severity
	}
	got := map[string]found{}
	for _, f := range stage.Detect(detector(t), at(0), at(2*time.Hour)) {
		name := fmt.Sprint(f.Asset.Name(), " to ", f.Peer.Addr)
		if _, again := got[name]; !again {
			t.Logf("%s\n%s\n- %s\n> %s", f.Title, f.Summary, strings.Join(f.Reasons, "\n- "), strings.Join(f.NextSteps, "\n> "))
			if stage.Rows(f.SQL) == 0 {
				t.Errorf("the query returns nothing:\n%s", f.SQL)
			}
		}
		got[name] = found{f.Rule, f.Severity}
		if name == "pe1.east to "+outside && !strings.Contains(f.Summary, "what enters by interface 7 of pe1.east (10.30.0.1)") {
			t.Errorf("it does not name the interface: %s", f.Summary)
		}
	}
	want := map[string]found{
		"pe1.east to 203.0.113.66": {"follows-interface", alert.Critical},
		"pe1.east to 10.40.9.9":    {"follows-interface", alert.High},
		"mdf3-1 to 203.0.113.102":  {"follows-delivery", alert.Critical},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	good := mirror.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := mirror.Config{Reverse: 0.5, IgnoreInside: []string{"gre", "udp/x"}}
	want := "correlation: 0 does not do: use 0.5 to less than 1\nchance: 0 does not do: use more than 0 and at most 0.1\n" +
		"reverse: 0.5 does not do: use 0 to 0.2\nreliability: 0 does not do: use 0.3 to 1\nignore_inside[1]: \"udp/x\" is no service: write udp/4739, or gre"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
