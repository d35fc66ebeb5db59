package geo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/geo"
)

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(30 * second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(session(hss, nether, 443)...)
			s.Flows(by(pe1, 1, session(hss, "10.40.1.11", 443)...)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(session(hss, russia, 443)...)
			s.Flows(session(mdf3, unknown, 443)...)
			s.Flows(by(pe1, 12, syn(hss, "100.64.0.1", 443))...)
		},
	})
}

func TestScenarios(t *testing.T) {
	const who = "203.0.113.66 (RU, AS64500 Example Hosting)"
	scenarios := []struct {
		name  string
		flows []flow
		want  []string
	}{
		{"out, to another country", session(hss, russia, 443), []string{"high: hss-1 of core-east opened HTTPS (tcp/443) to " + who + ", across fence home"}},
		{"in, from another country", session(russia, hss, 22), []string{"high: " + who + " opened SSH (tcp/22) to hss-1, a subscriber database (HSS) in core-east, across fence home"}},
		{"tried only", []flow{syn(russia, hss, 22)}, nil},
		{"tried and refused", []flow{syn(hss, russia, 22), syn(hss, russia, 22).Back(1, 40).With(detecttest.RST | detecttest.ACK)}, nil},
		{"sent, and no answer", []flow{{At: at(5 * second), Src: hss, Dst: russia, SrcPort: 40000, DstPort: 4500, Protocol: 17, Packets: 3, Bytes: 900}},
			[]string{"medium: hss-1 of core-east opened IPsec NAT-T (udp/4500) to " + who + ", across fence home"}},
		{"an allowed network", session(hss, nether, 443), nil},
		{"an unknown place", session(hss, unknown, 443), nil},
		{"an unknown place, of LI", session(mdf3, unknown, 443), []string{
			"critical: mdf3-1 of li-east opened HTTPS (tcp/443) to 45.0.0.1, across fence li-silent"}},
		{"into LI: not this fence's", session(russia, mdf3, 22), nil},
		{"an allowed service", session(hss, germany, 443), nil},
		{"a rule from any opens no fence", session(russia, hss, 5061), []string{"high: " + who + " opened tcp/5061 to hss-1, a subscriber database (HSS) in core-east, across fence home"}},
		{"several of one country", slices.Concat(session(hss, russia, 443), session(hss, "203.0.113.67", 443)), []string{
			"high: hss-1 of core-east talked with 2 addresses in RU, across fence home"}},
		{"customers are not fenced", session("100.64.0.1", russia, 443), nil},

		{"by a core interface", by(pe1, 1, session(hss, russia, 22)[0]), []string{"medium: hss-1 of core-east opened SSH (tcp/22) to " + who + ", across fence home"}},
		{"a source of LI by a customer's interface", by(pe1, 100, syn(mdf3, "100.64.0.1", 443)), []string{
			"critical: pe1.east (10.30.0.1) took in packets from addresses of zone li-east by its customer interface 100"}},
		{"a source of the infrastructure by peering", by(pe1, 12, syn("10.30.0.77", "10.40.1.11", 179)), []string{
			"high: pe1.east (10.30.0.1) took in packets from addresses of zone routers by its peering interface 12"}},
		{"by transit of another router", by("10.30.0.2", 20, syn(hss, "100.64.0.1", 443)), []string{
			"high: pe2.east (10.30.0.2) took in packets from addresses of zone core-east by its transit interface 20"}},
		{"two zones by one interface", by(pe1, 12, syn("10.30.0.77", "10.40.1.11", 179), syn("10.40.1.77", "100.64.0.1", 80)), []string{
			"high: pe1.east (10.30.0.1) took in packets from addresses of zone core-east by its peering interface 12",
			"high: pe1.east (10.30.0.1) took in packets from addresses of zone routers by its peering interface 12"}},
		{"a zone that hangs there", by(pe1, 150, syn("10.20.0.5", "10.40.1.11", 22)), nil},
		{"another zone there", by(pe1, 150, syn(hss, "100.64.0.1", 22)), []string{
			"high: pe1.east (10.30.0.1) took in packets from addresses of zone core-east by its customer interface 150"}},
		{"toward the zone from peering", by(pe1, 12, syn("100.64.0.9", hss, 22)), nil},
		{"a router without roles", by("10.30.0.3", 12, syn(hss, "100.64.0.1", 443)), nil},
		{"a router that is not listed", by("10.30.0.9", 12, syn(hss, "100.64.0.1", 443)), nil},
		{"an interface without a role", by(pe1, 50, syn(hss, "100.64.0.1", 443)), nil},
		{"customers by a customer's interface", by(pe1, 100, syn("100.64.0.1", hss, 443)), nil},
	}
	stage := open(t)
	shift := func(i int) time.Duration { return 5*time.Hour + time.Duration(i)*10*time.Minute } // after the maintenance
	for i, c := range scenarios {
		for k := range c.flows {
			c.flows[k] = c.flows[k].Later(shift(i))
		}
		stage.Flows(c.flows...)
	}
	for i, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			shift := shift(i)
			found := stage.Detect(detector(t), at(shift), at(shift+10*second))
			if diff := cmp.Diff(append([]string{}, c.want...), detecttest.Titles(found)); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			for _, f := range found {
				if rows := stage.Rows(f.SQL); rows != f.Flows {
					t.Errorf("%s: %d flows, its query returns %d", f.Title, f.Flows, rows)
				}
			}
		})
	}
}

// TestFencesFold has systems talk with many countries' worth of addresses at once.
func TestFencesFold(t *testing.T) {
	stage := open(t)
	var flows []flow
	for i := range 15 {
		flows = append(flows, session(fmt.Sprintf("10.40.7.%d", 1+i), russia, 443)...)
	}
	stage.Flows(flows...)
	found := stage.Detect(detector(t), at(0), at(10*second))
	if diff := cmp.Diff([]string{"high: 15 systems talked with 1 address, across fence home"}, detecttest.Titles(found)); diff != "" {
		t.Error(diff)
	}
	if f := found[0]; f.Flows != 30 || stage.Rows(f.SQL) != 30 || f.Measures[0].Observed != 15*92000 {
		t.Errorf("%d flows, %d rows, %+v", f.Flows, stage.Rows(f.SQL), f.Measures)
	}
}

// TestSideFolds holds that a flood of forged sources is one alert, over windows, and that
// answers make it surer.
func TestSideFolds(t *testing.T) {
	stage := open(t)
	var flows []flow
	for i := range 60 {
		d := time.Duration(i) * second
		flows = append(flows, by(pe1, 12, syn(fmt.Sprintf("10.40.9.%d", i), "100.64.0.1", uint16(1000+i)).Later(d))...)
	}
	stage.Flows(flows...)
	ids := map[string]bool{}
	for _, f := range stage.Detect(detector(t), at(0), at(80*second)) {
		ids[f.ID] = true
		if f.Confidence != 0.8 || !strings.HasPrefix(f.Reasons[3], "no answer was seen") {
			t.Errorf("confidence %v: %q", f.Confidence, f.Reasons)
		}
	}
	if len(ids) != 1 {
		t.Errorf("%d alerts, want 1", len(ids))
	}
	pair := session(hss, "100.64.0.1", 22)
	stage.Flows(by(pe1, 12, pair[0].Later(10*time.Minute))...)
	stage.Flows(by(pe1, 1, pair[1].Later(10*time.Minute))...)
	found := stage.Detect(detector(t), at(10*time.Minute), at(10*time.Minute+10*second))
	if len(found) != 1 || found[0].Confidence != 0.95 || found[0].Severity != alert.High || found[0].BytesToPeer != 12000 {
		t.Errorf("with an answer: %+v", found)
	}
}

func TestMaintenance(t *testing.T) {
	stage := open(t)
	router, asset := time.Hour+time.Minute, 3*time.Hour+time.Minute
	stage.Flows(by("10.30.0.2", 20, syn(hss, "100.64.0.1", 443).Later(router))...)
	for _, f := range session(hss, russia, 443) {
		stage.Flows(f.Later(asset))
	}
	for _, d := range []time.Duration{router, asset} {
		if found := stage.Detect(detector(t), at(d), at(d+10*second)); len(found) > 0 {
			t.Errorf("during maintenance found %q", detecttest.Titles(found))
		}
	}
}

func TestReady(t *testing.T) {
	texts := func(inv string) (all []string) {
		d := geo.New(geo.DefaultConfig(), detecttest.Inventory(t, inv))
		ready, err := d.Ready(t.Context(), at(0), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range ready {
			all = append(all, fmt.Sprintf("%s %v of %v", r.What, r.Have, r.Need))
		}
		return all
	}
	if diff := cmp.Diff([]string{"fences 2 of 1", "interface roles 2 of 3"}, texts(operator)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"fences 0 of 1", "interface roles 0 of 3"}, texts(detecttest.Operator)); diff != "" {
		t.Error(diff)
	}
	var _ detect.Learner = geo.New(geo.DefaultConfig(), nil)
}

func TestConfig(t *testing.T) {
	good := geo.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := geo.Config{OuterRoles: []string{"peering", "", "peering"}}
	want := "outer_roles[1]: is empty: name a role of exporters[].interfaces, or remove it\n" +
		"outer_roles[2]: \"peering\" stands there twice: remove one\nmax_per_fence: 0 is below 1"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
