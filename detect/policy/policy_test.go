package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	dt "tapwatch/detect/device/devicetest"
	"tapwatch/detect/policy"
)

const (
	second  = time.Second
	outside = "203.0.113.66"
	admf    = "10.66.0.10"
	mdf2    = "10.66.0.20"
	mdf3    = "10.66.0.30"
	poi     = "10.40.2.10"
	hss     = "10.40.1.10"
	jump    = "10.20.0.5"
)

// flow is short for a record of the tests; it is received 5 s after the beginning.
type flow = detecttest.Flow

// at is when the flows of a test come, unless it says otherwise.
func at(d time.Duration) time.Time { return detecttest.At(d) }

// session is a TCP connection in both directions.
func session(src, dst string, port uint16) []flow {
	f := flow{At: at(5 * second), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: detecttest.Session, Packets: 20, Bytes: 12000}
	return []flow{f, f.Back(60, 80000)}
}

// one is a single TCP record.
func one(src, dst string, port uint16, flags uint16, packets, bytes uint64) flow {
	return flow{At: at(5 * second), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: flags, Packets: packets, Bytes: bytes}
}

// otherPort moves a session of the tests to another port of its client.
func otherPort(s []flow) []flow {
	s[0].SrcPort, s[1].DstPort = 41000, 41000
	return s
}

// inOrder gives the directions of a session their first packets, the client's first.
func inOrder(s []flow) []flow {
	s[0], s[1] = s[0].Begun(at(time.Second)), s[1].Begun(at(1100*time.Millisecond))
	return s
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(60 * second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(session(poi, mdf3, 8890)...)
			s.Flows(session(mdf2, "192.0.2.70", 443)...)
			s.Flows(session(jump, mdf3, 22)...)
			s.Flows(session(admf, mdf3, 443)...) // within the zone
			s.Flows(session(outside, hss, 22)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(session(outside, mdf3, 22)...)
			s.Flows(session(mdf2, outside, 443)...)
			s.Flows(session(hss, mdf3, 4433)...)
			s.Flows(session(outside, "10.66.0.77", 80)...)
			s.Flows(session(jump, "10.66.0.78", 22)...)
			s.Flows(flow{At: at(25 * second), Src: mdf3, Dst: outside, Protocol: 47})
		},
	})
}

// TestScenarios says for one window of traffic which alerts come of it.
func TestScenarios(t *testing.T) {
	const (
		syn, ack, psh, rst = detecttest.SYN, detecttest.ACK, detecttest.PSH, detecttest.RST
		all                = detecttest.Session
	)
	intrusion := "critical: 203.0.113.66 (RU, AS64500 Example Hosting) opened SSH (tcp/22) to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"
	probe := one(outside, mdf3, 22, syn, 3, 180)
	data := one(outside, mdf3, 22, ack|psh, 4, 4000)
	visible := session(mdf3, "192.0.2.70", 443) // so that mdf3 is seen to send
	udp := flow{At: at(5 * second), Src: outside, Dst: mdf3, SrcPort: 40000, DstPort: 161, Protocol: 17}
	icmp := flow{At: at(5 * second), Src: outside, Dst: mdf3, Protocol: 1, ICMPType: 8}
	reply := icmp.Back(10, 1000)
	reply.ICMPType = 0
	unreachable := icmp.Back(10, 1000)
	unreachable.ICMPType = 3
	sampled := one(outside, mdf3, 22, ack|psh, 1, 1400)
	sampled.Sampling = 1000
	flagless := one(outside, mdf3, 22, 0, 10, 9000)
	scenarios := []struct {
		name  string
		flows []flow
		want  []string
	}{
		{"an intrusion from outside", session(outside, mdf3, 22), []string{intrusion}},
		{"a SYN scan", []flow{probe}, nil},
		{"a SYN scan that is refused", []flow{probe, probe.Back(3, 120).With(rst | ack)}, nil},
		{"a SYN scan that finds an open port", []flow{probe, probe.Back(1, 60).With(syn | ack)}, nil},
		{"backscatter of a spoofed attack", []flow{one(outside, mdf3, 40000, syn|ack, 2, 88), one(outside, mdf3, 40001, rst|ack, 1, 40)}, nil},
		{"data that is refused", append([]flow{data, data.Back(4, 160).With(rst | ack)}, visible...), nil},
		{"data that nobody answers, though answers are exported", append([]flow{data}, visible...), nil},
		{"data, where answers are not exported", []flow{data}, []string{intrusion}},
		{"one sampled packet with data", append([]flow{sampled}, visible...), []string{intrusion}},
		{"answered in the next window", []flow{data.Received(at(-2 * second)), data.Back(4, 4000)}, []string{intrusion}},
		{"active long ago", []flow{session(outside, mdf3, 22)[0].Received(at(-20 * second)), session(outside, mdf3, 22)[1].Received(at(-20 * second))}, nil},
		{"no flags, both sides", []flow{flagless, flagless.Back(10, 9000)}, []string{intrusion}},
		{"no flags, one side", []flow{flagless}, nil},
		{"no flags, a refused scan", []flow{one(outside, mdf3, 22, 0, 3, 180), one(outside, mdf3, 22, 0, 3, 180).Back(3, 120)}, nil},
		{"udp probe", []flow{udp}, nil},
		{"udp answered", []flow{udp, udp.Back(10, 5000)}, []string{
			"critical: 203.0.113.66 (RU, AS64500 Example Hosting) opened SNMP (udp/161) to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"udp sent by the asset", []flow{{At: at(0), Src: mdf3, Dst: outside, SrcPort: 40000, DstPort: 514, Protocol: 17}}, []string{
			"critical: mdf3-1 of li-east opened syslog (udp/514) to 203.0.113.66 (RU, AS64500 Example Hosting)"}},
		{"gre sent by the asset", []flow{{At: at(0), Src: mdf3, Dst: outside, Protocol: 47}}, []string{
			"critical: mdf3-1 of li-east sent GRE to 203.0.113.66 (RU, AS64500 Example Hosting)"}},
		{"gre from outside alone", []flow{{At: at(0), Src: outside, Dst: mdf3, Protocol: 47}}, nil},
		{"ping answered", []flow{icmp, reply}, []string{
			"critical: 203.0.113.66 (RU, AS64500 Example Hosting) opened ICMP to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"ping refused", []flow{icmp, unreachable}, nil},
		{"unreachable answers to a udp scan", []flow{udp, unreachable}, nil},
		{"routing protocol on the link", []flow{{At: at(0), Src: mdf3, Dst: "224.0.0.5", Protocol: 89}}, nil},
		{"a known system without a rule", inOrder(session(hss, mdf3, 4433)), []string{
			"high: hss-1 (10.40.1.10, core-east) opened tcp/4433 to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"a known system on the wrong port", inOrder(session(poi, mdf3, 4433)), []string{
			"high: smf-poi-1 (10.40.2.10, core-east) opened tcp/4433 to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"the wrong way around", session(mdf3, poi, 8890), []string{
			"high: mdf3-1 of li-east opened tcp/8890 to smf-poi-1 (10.40.2.10, core-east)"}},
		{"an inside address that is no asset", session("10.40.9.9", mdf3, 8890), []string{
			"critical: 10.40.9.9 (core-east) opened tcp/8890 to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"an address of the zone that is no asset", session(outside, "10.66.0.77", 80), []string{
			"critical: 203.0.113.66 (RU, AS64500 Example Hosting) opened HTTP (tcp/80) to 10.66.0.77, an address in li-east that no asset owns"}},
		{"such an address inside the zone", session("10.66.0.77", mdf3, 22), []string{
			"high: 10.66.0.77 of li-east opened SSH (tcp/22) to mdf3-1 (10.66.0.30, li-east)"}},
		{"such an address under a rule", session(jump, "10.66.0.77", 22), []string{
			"medium: jump-1 (10.20.0.5, management) opened SSH (tcp/22) to 10.66.0.77, an address in li-east that no asset owns"}},
		{"a port above the client's", []flow{
			one(outside, mdf3, 57722, all, 20, 9000).Begun(at(1 * second)), one(outside, mdf3, 57722, all, 20, 9000).Back(20, 9000).Begun(at(1200 * time.Millisecond))}, []string{
			"critical: 203.0.113.66 (RU, AS64500 Example Hosting) opened IOS XR SSH (tcp/57722) to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"neither port tells", []flow{one(outside, mdf3, 45000, ack|psh, 20, 9000), one(outside, mdf3, 45000, ack|psh, 20, 9000).Back(20, 9000)}, []string{
			"critical: 203.0.113.66 (RU, AS64500 Example Hosting) exchanged tcp/40000 traffic with mdf3-1, a delivery function for intercepted content (MDF3) in li-east"}},
		{"two connections are one alert", append(session(outside, mdf3, 22), otherPort(session(outside, mdf3, 22))...), []string{intrusion}},
		{"two addresses of one asset are one alert", append(session(outside, mdf2, 22), session(outside, "10.66.0.21", 22)...), []string{
			"critical: 203.0.113.66 (RU, AS64500 Example Hosting) opened SSH (tcp/22) to mdf2-1, a delivery function for intercept records (MDF2) in li-east"}},
		{"core zones are not default-deny", session(outside, hss, 22), nil},
	}
	const apart = 10 * time.Minute // so that one database does for all
	stage := open(t)
	var flows []flow
	for i, c := range scenarios {
		flows = append(flows, dt.Later(time.Duration(i)*apart, c.flows)...)
	}
	stage.Flows(flows...)
	for i, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			shift := time.Duration(i) * apart
			found := stage.Detect(detector(t), at(shift), at(shift+10*second))
			if diff := cmp.Diff(append([]string{}, c.want...), detecttest.Titles(found)); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			var rows, flows uint64
			for _, f := range found {
				rows, flows = rows+stage.Rows(f.SQL), flows+f.Flows
			}
			if rows != flows {
				t.Errorf("the findings count %d flows, their queries return %d", flows, rows)
			}
		})
	}
}

func TestWords(t *testing.T) {
	stage := open(t)
	stage.Flows(session(outside, mdf3, 22)...)
	f := only(t, stage.Detect(detector(t), at(0), at(10*second)))
	if diff := cmp.Diff([]string{
		"no rule of the inventory allows it, and li-east lets in only what a rule allows",
		"the other end, 203.0.113.66, is outside all zones: RU, AS64500 Example Hosting",
		"both sides took part; most recently 12 kB to mdf3-1 and 80 kB from it, in 2 flows",
		"opened by 203.0.113.66; by the routers' clocks its latest session began at 2026-11-18 10:00:05 UTC",
		"nearest: rule li-administration lets only asset:jump-1 reach mdf3-1 (10.66.0.30), not 203.0.113.66",
		"nearest: rule x2-x3-delivery lets only role:poi reach mdf3-1 (10.66.0.30), not 203.0.113.66; it allows ports 8890, 8891, not 22",
	}, f.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	for i, want := range []string{"Call whoever runs li-east,", "li-operations (owner of rule li-administration, CHG-1002)"} {
		if !strings.Contains(f.NextSteps[i], want) {
			t.Errorf("step %d does not name %s: %s", i+1, want, f.NextSteps[i])
		}
	}
}

// TestAllowRule puts the rule that an alert about an inside peer proposes into the
// inventory: then the same traffic is allowed.
func TestAllowRule(t *testing.T) {
	stage := open(t)
	stage.Flows(session(poi, mdf3, 22)...)
	stage.Flows(inOrder(session(mdf3, poi, 8890))...)
	stage.Flows(flow{At: at(3 * second), Src: mdf3, Dst: poi, Protocol: 47})
	found := stage.Detect(detector(t), at(0), at(10*second))
	if len(found) != 3 {
		t.Fatalf("found %q", detecttest.Titles(found))
	}
	rules := ""
	for i, f := range found {
		_, rule, ok := strings.Cut(f.NextSteps[len(f.NextSteps)-1], "reload: ")
		if !ok {
			t.Fatalf("the last step proposes no rule: %s", f.NextSteps[len(f.NextSteps)-1])
		}
		rules += "  " + strings.Replace(rule, "NAME", fmt.Sprintf("proposed-%d", i), 1) + "\n"
	}
	inv := detecttest.Inventory(t, strings.Replace(detecttest.Operator, "allow:\n", "allow:\n"+rules, 1))
	d := policy.New(policy.DefaultConfig(), inv)
	if got := stage.Detect(d, at(0), at(10*second)); len(got) > 0 {
		t.Errorf("with the proposed rules\n%sstill found %q", rules, detecttest.Titles(got))
	}
}

// TestNoRuleForAnOutsidePeer: nobody is to allow an intruder at 3 a.m.
func TestNoRuleForAnOutsidePeer(t *testing.T) {
	stage := open(t)
	stage.Flows(session(outside, mdf3, 22)...)
	f := only(t, stage.Detect(detector(t), at(0), at(10*second)))
	for _, step := range f.NextSteps {
		if strings.Contains(step, "- {name:") {
			t.Errorf("a rule is proposed: %s", step)
		}
	}
}

func TestSchedule(t *testing.T) {
	stage := open(t)
	night := 10 * time.Hour // 20:00
	for _, f := range session(jump, mdf3, 22) {
		stage.Flows(f, f.Later(night))
	}
	if got := stage.Detect(detector(t), at(0), at(10*second)); len(got) > 0 {
		t.Errorf("within the schedule found %q", detecttest.Titles(got))
	}
	f := only(t, stage.Detect(detector(t), at(night), at(night+10*second)))
	if !slices.ContainsFunc(f.Reasons, func(r string) bool {
		return strings.HasPrefix(r, "nearest: rule li-administration holds Mon-Fri 07:00-19:00")
	}) {
		t.Errorf("the schedule is not named: %q", f.Reasons)
	}
}

func TestMaintenanceHoldsBack(t *testing.T) {
	stage := open(t)
	work := 3*time.Hour + 30*time.Minute // 13:30
	for _, f := range session(outside, mdf2, 22) {
		stage.Flows(f.Later(work), f.Later(2*work))
	}
	if got := stage.Detect(detector(t), at(work), at(work+10*second)); len(got) > 0 {
		t.Errorf("during maintenance found %q", detecttest.Titles(got))
	}
	only(t, stage.Detect(detector(t), at(2*work), at(2*work+10*second)))
}

func TestWithinZone(t *testing.T) {
	stage := open(t)
	stage.Flows(session(mdf2, mdf3, 22)...)
	if got := stage.Detect(detector(t), at(0), at(10*second)); len(got) > 0 {
		t.Errorf("found %q", detecttest.Titles(got))
	}
	cfg := policy.DefaultConfig()
	cfg.WithinZone = policy.WithinZoneRules
	d := policy.New(cfg, detecttest.Inventory(t, detecttest.Operator))
	f := only(t, stage.Detect(d, at(0), at(10*second)))
	if want := "mdf2-1 (10.66.0.20, li-east) opened SSH (tcp/22) to mdf3-1, a delivery function for intercepted content (MDF3) in li-east"; f.Title != want {
		t.Errorf("title\n got %s\nwant %s", f.Title, want)
	}
}

func TestConfig(t *testing.T) {
	good := policy.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := policy.Config{WithinZone: "deny"}
	want := "within_zone: \"deny\" is unknown: use allow or rules\nmax_per_asset: 0 is below 1\nmax_per_device: 0 is below 1"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func only(t *testing.T, found []alert.Finding) alert.Finding {
	t.Helper()
	if len(found) != 1 {
		t.Fatalf("found %q, want one", detecttest.Titles(found))
	}
	return found[0]
}
