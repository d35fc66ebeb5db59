package simulate_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/inventory"
	"tapwatch/simulate"
	"tapwatch/simulate/scenario"
)

// covering lists the labels that claim the record.
func covering(labels []simulate.Label, r *simulate.Record) []string {
	var all []string
	src, dst := netip.AddrPortFrom(r.Src, r.SrcPort), netip.AddrPortFrom(r.Dst, r.DstPort)
	for _, l := range labels {
		if slices.ContainsFunc(l.Conversations, func(c simulate.LabelledConversation) bool {
			return c.Covers(src, dst, r.Protocol, time.UnixMilli(r.StartAt)) && c.Covers(src, dst, r.Protocol, time.UnixMilli(r.EndAt))
		}) {
			all = append(all, l.ID)
		}
	}
	return all
}

func TestLabelsCoverExactlyThePlantedFlows(t *testing.T) {
	for name, test := range map[string]struct {
		plan scenario.Plan
		from time.Duration
		span time.Duration
	}{
		"demo":    {scenario.Demo(), 0, 5 * time.Minute},
		"default": {scenario.Default(), 26*time.Hour + 50*time.Minute, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			n := network(t, 9, withPlan(test.plan))
			from := start(9).Add(test.from)
			to := from.Add(test.span)
			labels := n.Labels(from.Add(-5*time.Minute), to)
			planted := map[string]int{}
			for r := range n.Records(from, to) {
				claims := covering(labels, &r)
				switch {
				case r.Intrusion == "" && len(claims) == 0:
				case len(claims) == 1 && claims[0] == r.Intrusion:
					planted[r.Intrusion]++
				default:
					t.Fatalf("record of intrusion %q is claimed by %v: %+v", r.Intrusion, claims, r)
				}
			}
			if planted["li-ssh"] < 10 || planted["intel-c2"] < 4 {
				t.Errorf("planted records: %v", planted)
			}
		})
	}
}

func TestEveryLabelledConversationLeavesATrace(t *testing.T) {
	n := network(t, 9, withPlan(scenario.Demo()))
	to := start(9).Add(4 * time.Minute)
	records := slices.Collect(n.Records(start(9), to.Add(2*time.Minute)))
	for _, l := range n.Labels(start(9), to) {
		for _, c := range l.Conversations {
			if !slices.ContainsFunc(records, func(r simulate.Record) bool {
				return c.Covers(netip.AddrPortFrom(r.Src, r.SrcPort), netip.AddrPortFrom(r.Dst, r.DstPort), r.Protocol, time.UnixMilli(r.EndAt))
			}) {
				t.Errorf("%s: no record of %+v", l.ID, c)
			}
		}
	}
}

func TestLabelsTellTheTruthAboutThePlan(t *testing.T) {
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	n := network(t, 9, withPlan(scenario.Demo()))
	labels := n.Labels(start(9), start(9).Add(4*time.Minute))
	var ids []string
	for _, l := range labels {
		ids = append(ids, l.ID)
		if len(l.Detectors) == 0 || len(l.Techniques) == 0 || len(l.Tradecraft) == 0 || l.Description == "" || len(l.Actors) == 0 {
			t.Errorf("label %s is incomplete: %+v", l.ID, l)
		}
		if !strings.Contains(string(simulate.Inventory()), "name: "+l.Asset+",") {
			t.Errorf("label %s is about %s, which is no asset", l.ID, l.Asset)
		}
		for _, c := range l.Conversations {
			_, allowed := inv.Allowed(inventory.Conversation{
				Client: c.Client, Server: c.Server, Protocol: c.Protocol, Port: c.ServerPort, At: c.Start, InitiatorKnown: true,
			})
			if allowed {
				t.Errorf("the inventory allows what the intruder does: %+v", c)
			}
		}
	}
	if want := []string{"li-ssh", "intel-c2", "silent-exporter"}; !slices.Equal(ids, want) {
		t.Errorf("labels %v, want %v", ids, want)
	}
	var b bytes.Buffer
	if err := n.WriteLabels(&b, start(9), start(9).Add(4*time.Minute)); err != nil {
		t.Fatal(err)
	}
	var read []simulate.Label
	if err := json.Unmarshal(b.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(labels, read, sameAddr); diff != "" {
		t.Errorf("labels change in JSON: %s", diff)
	}
}

func TestFirstEvidenceComesSoon(t *testing.T) {
	n := network(t, 3, withPlan(scenario.Demo()))
	first := map[string]time.Duration{}
	for r := range n.Records(start(3), start(3).Add(2*time.Minute)) {
		if _, ok := first[r.Intrusion]; !ok {
			first[r.Intrusion] = time.UnixMilli(r.ExportedAt).Sub(start(3))
		}
	}
	for id, limit := range map[string]time.Duration{"li-ssh": 20 * time.Second, "intel-c2": 50 * time.Second} {
		if at, ok := first[id]; !ok || at > limit {
			t.Errorf("first record of %s after %s (seen %t), want within %s", id, at, ok, limit)
		}
	}
}

func TestSilentRouterIsStillSeen(t *testing.T) {
	n := network(t, 9, withPlan(scenario.Demo()))
	from, to := start(9).Add(90*time.Second), start(9).Add(10*time.Minute+90*time.Second)
	routers := n.Routers()
	before, after, through, during := 0, 0, 0, 0
	for r := range n.Records(start(9), to.Add(time.Minute)) {
		at, silent := time.UnixMilli(r.ExportedAt), routers[r.Router].Name == "pe1.east"
		inside := !at.Before(from) && at.Before(to)
		switch {
		case silent && inside:
			during++
		case silent && at.Before(from):
			before++
		case silent:
			after++
		case inside && r.NextHop == netip.MustParseAddr("10.30.1.1"):
			through++
		}
	}
	if during != 0 || before < 50 || after < 50 || through < 50 {
		t.Errorf("records of the silent router: %d before, %d during, %d after; %d of others that name it as next hop", before, during, after, through)
	}
}

func TestEventsComeInOrder(t *testing.T) {
	n := network(t, 9, withPlan(scenario.Demo()))
	events := n.Events(start(9), start(9).Add(2*time.Minute))
	if len(events) != 6 || !strings.Contains(events[0].Text, "SSH to mdf3-1") || events[0].At.Sub(start(9)) != 10*time.Second {
		t.Errorf("events: %+v", events)
	}
	if !slices.IsSortedFunc(events, func(a, b simulate.Event) int { return a.At.Compare(b.At) }) {
		t.Errorf("events are out of order: %+v", events)
	}
}

// TestPlanOfOnesOwn is the example of the README, with a tunnel: a protocol without
// ports.
func TestPlanOfOnesOwn(t *testing.T) {
	n := network(t, 9, withPlan(scenario.Plan{{
		ID: "own",
		Steps: []scenario.Step{
			{After: 5 * time.Second, For: 8 * time.Second, Client: "jump-1", Server: "45.32.110.61", Protocol: scenario.UDP, Port: 69, Sent: 84_000, Received: 3_200},
			{After: 5 * time.Second, For: 150 * time.Second, Client: "45.32.110.61", Server: "mdf2-1", Protocol: scenario.GRE, Sent: 900_000},
		},
	}}))
	labels := n.Labels(start(9), start(9).Add(3*time.Minute))
	bytes := map[uint8]uint64{}
	for r := range n.Records(start(9), start(9).Add(3*time.Minute)) {
		if claims := covering(labels, &r); (len(claims) > 0) != (r.Intrusion == "own") {
			t.Fatalf("record of %q is claimed by %v", r.Intrusion, claims)
		}
		if router := n.Routers()[r.Router]; r.Intrusion == "own" && router.Sampling == 1 {
			bytes[r.Protocol] += r.Bytes
			if r.Protocol == scenario.GRE && (r.SrcPort != 0 || r.DstPort != 0) {
				t.Errorf("GRE with ports: %+v", r)
			}
		}
	}
	if b := bytes[scenario.UDP]; b < 60_000 || b > 130_000 {
		t.Errorf("%d bytes by UDP, want about 87200", b)
	}
	if b := bytes[scenario.GRE]; b < 600_000 || b > 1_400_000 {
		t.Errorf("%d bytes by GRE, want about 900000", b)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	good := scenario.Step{For: time.Second, Client: "jump-1", Server: "mdf3-1", Protocol: 6, Port: 22, Sent: 1}
	for want, change := range map[string]func(*scenario.Step){
		`"nobody" is neither an asset nor an address`: func(s *scenario.Step) { s.Client = "nobody" },
		"no route leads to 192.0.2.1":                 func(s *scenario.Step) { s.Server = "192.0.2.1" },
		`no router is called "pe9.south"`:             func(s *scenario.Step) { s.Silence = "pe9.south" },
		"needs a duration":                            func(s *scenario.Step) { s.For = 0 },
		"needs bytes":                                 func(s *scenario.Step) { s.Sent = 0 },
		"needs a client and a server":                 func(s *scenario.Step) { s.Client = "" },
		"a time is negative":                          func(s *scenario.Step) { s.After = -1 },
		"jitter 2":                                    func(s *scenario.Step) { s.Jitter = 2 },
		"before it begins":                            func(s *scenario.Step) { s.Every = time.Second },
	} {
		s := good
		change(&s)
		cfg := simulate.DefaultConfig()
		cfg.Start, cfg.Plan = wednesday, scenario.Plan{{ID: "x", Steps: []scenario.Step{s}}}
		if _, err := simulate.New(cfg); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "intrusion x, step 1") {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
