package firstseen_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
)

type flow = detecttest.Flow

// talk is a whole connection, in the so-manieth hour of the tests.
func talk(hour int, src, dst string, port uint16) []flow {
	f := flow{At: detecttest.At(time.Duration(hour)*time.Hour + 10*time.Minute), Src: src, Dst: dst, SrcPort: 40000, DstPort: port,
		Flags: detecttest.Session, Packets: 20, Bytes: 12000}
	return []flow{f, f.Back(60, 80000)}
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: detecttest.At(0), To: detecttest.At(2 * time.Hour),
		Allowed: func(s *detecttest.Stage) {
			habits(t, s)
			s.Flows(append(talk(0, "10.20.0.5", "10.40.1.1", 22), talk(1, "10.41.7.7", "10.40.1.1", 22)...)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			habits(t, s)
			s.Flows(append(talk(0, "10.41.1.5", "10.40.1.3", 22), talk(1, "10.40.1.2", "198.51.100.13", 443)...)...)
			for i := range 6 {
				s.Flows(talk(1, "10.41.1.6", fmt.Sprintf("10.40.1.%d", i+1), 22)...)
			}
		},
	})
}

// TestScenarios says for an hour of traffic each which alerts come of it.
func TestScenarios(t *testing.T) {
	all := func(parts ...[]flow) (flows []flow) {
		for _, p := range parts {
			flows = append(flows, p...)
		}
		return flows
	}
	sctp := flow{At: detecttest.At(10 * time.Minute), Src: "10.50.1.99", Dst: "10.40.2.1", SrcPort: 40000, DstPort: 38412, Protocol: 132, Packets: 20, Bytes: 9000}
	probe := flow{At: detecttest.At(10 * time.Minute), Src: "10.41.3.3", Dst: "10.40.1.3", SrcPort: 40000, DstPort: 22, Flags: detecttest.SYN, Packets: 1, Bytes: 60}
	sampled := talk(0, "10.41.3.4", "10.40.1.3", 22)
	for i := range sampled {
		sampled[i].Sampling = 1000
	}
	var sweep []flow
	for i := range 6 {
		sweep = append(sweep, talk(0, "10.41.4.4", fmt.Sprintf("10.40.1.%d", i+1), 443)...)
	}
	cases := []struct {
		name  string
		flows []flow
		want  []string
	}{
		{"ssh from another zone", talk(0, "10.41.1.5", "10.40.1.3", 22), []string{"first-contact high: 10.41.1.5 (core-west) opened SSH (tcp/22) to db-3, a database in core-east, first time in 30 days"}},
		{"https from another zone", talk(0, "10.41.2.5", "10.40.1.2", 443), []string{"first-contact high: 10.41.2.5 (core-west) opened HTTPS (tcp/443) to db-2, a database in core-east, first time in 30 days"}},
		{"ssh from the internet", talk(0, "192.0.2.70", "10.40.1.3", 22), []string{"new-network high: 192.0.2.70 (DE, AS64502 Example Agency) opened SSH (tcp/22) to db-3, a database in core-east: a network new to core-east"}},
		{"a new base station", []flow{sctp, sctp.Back(20, 9000)}, nil},
		{"a new address of a known network", talk(0, "10.40.1.1", "203.0.113.67", 443), nil},
		{"a new network", talk(0, "10.40.1.2", "198.51.100.13", 443), []string{"new-network medium: db-2 of core-east opened HTTPS (tcp/443) to 198.51.100.13 (NL, AS64501 Example VPS): a network new to core-east"}},
		{"its neighbour in the next hour", talk(0, "10.40.1.2", "198.51.100.14", 443), nil},
		{"the poller logs in", talk(0, "10.20.0.40", "10.40.1.1", 22), []string{"first-contact high: nms-1 (10.20.0.40, management) opened SSH (tcp/22) to db-1, a database in core-east, first time in 30 days"}},
		{"another jump host", talk(0, "10.20.0.6", "10.40.1.1", 22), nil},
		{"a new laptop at the jump host", talk(0, "10.21.0.7", "10.20.0.5", 22), nil},
		{"a laptop past the jump host", talk(0, "10.21.0.6", "10.40.1.1", 22), []string{"first-contact high: 10.21.0.6 (desks) opened SSH (tcp/22) to db-1, a database in core-east, first time in 30 days"}},
		{"allowed by a rule", talk(0, "10.41.7.7", "10.40.1.2", 22), nil},
		{"tried in vain", []flow{probe}, nil},
		{"seen by a sampling router alone", sampled, nil},
		{"a zone that is not warm", talk(0, "10.41.5.5", "10.42.1.1", 22), nil},
		{"last seen three weeks ago", talk(0, "10.41.9.1", "10.40.1.4", 22), nil},
		{"last seen six weeks ago", talk(0, "10.41.9.2", "10.40.1.4", 22), []string{}},
		{"many systems at once", sweep, []string{"first-contact high: 10.41.4.4 (core-west) opened sessions to 6 systems for the first time in 30 days, all within an hour"}},
	}
	cases[16].want = nil // its neighbour was there three weeks ago: the subnet is known
	stage := open(t)
	habits(t, stage)
	var flows []flow
	for i, c := range cases {
		for _, f := range all(c.flows) {
			flows = append(flows, f.Later(time.Duration(i)*time.Hour))
		}
	}
	stage.Flows(flows...)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			from := detecttest.At(time.Duration(i) * time.Hour)
			found := stage.Detect(detector(t), from, from.Add(time.Hour))
			got := []string{}
			for _, f := range found {
				got = append(got, f.Rule+" "+f.Severity.String()+": "+f.Title)
				if stage.Rows(f.SQL) == 0 {
					t.Errorf("its query returns nothing: %s", f.SQL)
				}
			}
			if diff := cmp.Diff(append([]string{}, c.want...), got); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
				for _, f := range found {
					t.Log(strings.Join(f.Reasons, "\n"))
				}
			}
		})
	}
}

// TestReady: a zone says how long until its first contacts are told, and which pairs
// only sampling routers see.
func TestReady(t *testing.T) {
	stage := open(t)
	habits(t, stage)
	f := talk(0, "10.41.3.4", "10.40.1.3", 22)
	for i := range f {
		f[i].Sampling, f[i].Exporter = 1000, "10.30.0.2"
	}
	stage.Flows(f...)
	learner, ok := detector(t).(detect.Learner)
	if !ok {
		t.Fatal("it does not say how far it is")
	}
	ready, err := learner.Ready(t.Context(), detecttest.At(time.Hour), stage.History())
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, r := range ready {
		have[r.What] = fmt.Sprintf("%.0f of %.0f %s", r.Have, r.Need, r.Unit)
		if r.What == "unsampled export of core-east" && !strings.Contains(r.Text, "p1.east (10.30.0.2)") {
			t.Errorf("the router is not named: %s", r.Text)
		}
	}
	want := map[string]string{
		"history of li-east": "0 of 14 days", "history of core-east": "14 of 14 days", "history of core-new": "10 of 14 days",
		"history of core-west": "14 of 14 days", "history of management": "14 of 14 days", "unsampled export of core-east": "0 of 1 pairs",
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("readiness (-want +got):\n%s", diff)
	}
}

// TestOneAlert: the same pair on two ports is two alerts, the same again is none.
func TestOneAlert(t *testing.T) {
	stage := open(t)
	habits(t, stage)
	stage.Flows(append(talk(0, "10.41.1.5", "10.40.1.3", 22), append(talk(1, "10.41.1.5", "10.40.1.3", 22), talk(2, "10.41.1.5", "10.40.1.3", 443)...)...)...)
	found := stage.Detect(detector(t), detecttest.At(0), detecttest.At(3*time.Hour))
	var ids = map[string]alert.Finding{}
	for _, f := range found {
		ids[f.ID] = f
	}
	if len(found) != 2 || len(ids) != 2 {
		t.Errorf("found %q", detecttest.Titles(found))
	}
}
