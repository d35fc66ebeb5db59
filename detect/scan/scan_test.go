package scan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/scan"
)

const (
	second   = time.Second
	minute   = time.Minute
	outside  = "203.0.113.66"
	router   = "10.30.0.1"
	jump     = "10.20.0.5"
	hss      = "10.40.1.10"
	mdf3     = "10.66.0.30"
	customer = "100.64.3.4"
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

const (
	syn, ack, psh, rst, fin = detecttest.SYN, detecttest.ACK, detecttest.PSH, detecttest.RST, detecttest.FIN
	whole                   = detecttest.Session
)

// probe is a SYN that nobody answers.
func probe(when time.Duration, src, dst string, port uint16) flow {
	return flow{At: at(when), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: syn, Packets: 1, Bytes: 60}
}

// refused is a SYN that is answered with a reset.
func refused(when time.Duration, src, dst string, port uint16) []flow {
	p := probe(when, src, dst, port)
	return []flow{p, p.Back(1, 40).With(rst | ack)}
}

// talk is a whole connection.
func talk(when time.Duration, src, dst string, port uint16) []flow {
	f := flow{At: at(when), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: whole, Packets: 20, Bytes: 12000}
	return []flow{f, f.Back(60, 80000)}
}

// sweep is a probe of n addresses of 10.40.first.0, one each so often.
func sweep(when, each time.Duration, src string, first, n int, port uint16) (all []flow) {
	for i := range n {
		all = append(all, probe(when+time.Duration(i)*each, src, fmt.Sprintf("10.40.%d.%d", first+i/200, 1+i%200), port))
	}
	return all
}

// public moves core systems to a public range.
func public(flows []flow) []flow {
	for i := range flows {
		flows[i].Src = strings.Replace(flows[i].Src, "10.40.", "198.18.", 1)
		flows[i].Dst = strings.Replace(flows[i].Dst, "10.40.", "198.18.", 1)
	}
	return flows
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(3 * minute),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(talk(5*second, jump, mdf3, 22)...)
			s.Flows(talk(15*second, "203.0.113.67", hss, 443)...)
			s.Flows(public(sweep(20*second, second, outside, 5, 100, 22))...) // folds once a day
			s.Flows(probe(40*second, jump, hss, 22), probe(45*second, jump, router, 22))
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(sweep(5*second, 2*second, hss, 7, 60, 22)...)
			s.Flows(probe(65*second, jump, "10.66.0.99", 443))
			for i := range 20 {
				s.Flows(refused(70*second+time.Duration(i)*second, customer, router, uint16(1000+i))...)
			}
			s.Flows(walk(120*second, "10.40.9.9", 6, 20)...)
		},
	})
}

// walk asks n devices by SNMP, so many packets each.
func walk(when time.Duration, src string, n int, packets uint64) (all []flow) {
	for i := range n {
		f := flow{At: at(when + time.Duration(i)*5*second), Src: src, Dst: fmt.Sprintf("10.30.0.%d", 1+i), SrcPort: 50000, DstPort: 161, Protocol: 17, Packets: packets}
		all = append(all, f, f.Back(packets, 900*packets))
	}
	return all
}

// TestScenarios says for ten minutes of traffic which alerts come of it, by rule and
// source.
func TestScenarios(t *testing.T) {
	sampled := func(flows []flow) []flow {
		for i := range flows {
			flows[i].Sampling, flows[i].Packets, flows[i].Bytes = 1000, 1, 60
		}
		return flows
	}
	bare := func(flows []flow) []flow { // sampled acknowledgements of sessions that go on
		for i := range flows {
			flows[i].Flags, flows[i].SrcPort = ack, 50000
		}
		return flows
	}
	var mixed, silentBind, halfOpen, empty, names []flow
	for i := range 12 {
		src, dst := "10.40.9.9", fmt.Sprintf("10.40.20.%d", i+1)
		when := time.Duration(i) * 5 * second
		if i%2 == 0 {
			mixed = append(mixed, talk(when, src, dst, 22)...)
		} else {
			mixed = append(mixed, probe(when, src, dst, 22))
		}
		f := flow{At: at(when), Src: src, Dst: dst, SrcPort: 40000, DstPort: 53, Protocol: 17}
		silentBind = append(silentBind, f)
		names = append(names, flow{At: at(when), Src: src, Dst: dst, SrcPort: 40000, DstPort: 514, Protocol: 17})
		p := probe(when, src, dst, 22)
		halfOpen = append(halfOpen, p, p.Back(1, 60).With(syn|ack))
		e := probe(when, src, dst, 22).With(syn | ack | fin)
		e.Packets, e.Bytes = 4, 208
		empty = append(empty, e, e.Back(3, 156))
	}
	var backscatter []flow
	for i := range 30 {
		backscatter = append(backscatter, flow{At: at(time.Duration(i) * second), Src: "10.40.9.9", Dst: fmt.Sprintf("10.66.0.%d", 100+i), SrcPort: 443, DstPort: uint16(40000 + i), Flags: syn | ack, Packets: 1, Bytes: 60})
	}
	var crowd []flow
	for i := range 8 {
		crowd = append(crowd, sweep(5*second, 3*second, fmt.Sprintf("100.64.9.%d", i+1), 30, 8, 23)...)
	}
	cases := []struct {
		name  string
		flows []flow
		want  []string
	}{
		{"allowed by a rule", []flow{probe(0, jump, "10.66.0.99", 22)}, nil},
		{"a fast scan from a core system", sweep(0, second, hss, 3, 100, 22), []string{"network-scan 10.40.1.10 high"}},
		{"from a subscriber", sweep(0, second, customer, 3, 100, 22), []string{"network-scan 100.64.3.4 medium"}},
		{"from many subscribers is one", crowd, []string{"network-scan 8 systems of subscribers medium"}},
		{"from the internet is no news", public(sweep(0, second, outside, 3, 100, 22)), nil},
		{"unless it got in somewhere", append(public(sweep(0, second, outside, 3, 100, 22)), public(talk(30*second, outside, "10.40.9.1", 22))...), []string{"network-scan 203.0.113.66 medium"}},
		{"or reached what the internet cannot", sweep(0, second, outside, 3, 100, 22), []string{"network-scan 203.0.113.66 high"}},
		{"four failures are enough", sweep(0, 10*second, hss, 3, 4, 22), []string{"network-scan 10.40.1.10 high"}},
		{"three are not", sweep(0, 10*second, hss, 3, 3, 22), nil},
		{"four over ten minutes are not fast", sweep(0, 150*second, hss, 3, 4, 22), nil},
		{"as many successes as failures", mixed, nil},
		{"resets are failures too", append(append(append(refused(0, hss, "10.40.3.1", 22), refused(second, hss, "10.40.3.2", 22)...),
			refused(2*second, hss, "10.40.3.3", 22)...), refused(3*second, hss, "10.40.3.4", 22)...), []string{"network-scan 10.40.1.10 high"}},
		{"half-open answers are failures", halfOpen, []string{"network-scan 10.40.9.9 high"}},
		{"opened and closed without a word", empty, []string{"network-scan 10.40.9.9 high"}},
		{"one way syslog to new systems", names, []string{"network-scan 10.40.9.9 high"}[:0]},
		{"udp to addresses at which nothing stands", silentBind, []string{"network-scan 10.40.9.9 high"}},
		{"sampled SYNs", sampled(sweep(0, 2*second, hss, 3, 20, 22)), []string{"network-scan 10.40.1.10 high"}},
		{"sampled acknowledgements tell nothing", bare(sampled(sweep(0, 2*second, hss, 3, 20, 22))), nil},
		{"a device that tries systems outside", []flow{probe(0, router, "198.51.100.13", 22), probe(second, router, "198.51.100.14", 22),
			probe(2*second, router, "203.0.113.66", 23), probe(3*second, router, "203.0.113.67", 22)}, []string{"network-scan 10.30.0.1 high"}},
		{"a core system that calls out in vain", []flow{probe(0, hss, "198.51.100.13", 22), probe(second, hss, "198.51.100.14", 22),
			probe(2*second, hss, "203.0.113.66", 23), probe(3*second, hss, "203.0.113.67", 22)}, nil},
		{"many ports of one system", func() (all []flow) {
			for i := range 15 {
				all = append(all, refused(time.Duration(i)*second, jump, hss, uint16(2000+i))...)
			}
			return all
		}(), []string{"port-scan 10.20.0.5 critical"}},
		{"one touch of an intercept address at which nothing stands", []flow{probe(0, jump, "10.66.0.99", 8443)}, []string{"unallocated-intercept-address 10.20.0.5 critical"}},
		{"from outside too, where the address is private", []flow{probe(0, outside, "10.66.0.99", 22)}, []string{"unallocated-intercept-address 203.0.113.66 critical"}},
		{"its broadcast address", []flow{probe(0, jump, "10.66.0.255", 8443)}, nil},
		{"an intercept system that refuses", refused(0, jump, mdf3, 8443), nil},
		{"backscatter", backscatter, nil},
		{"a walk over six devices", walk(0, hss, 6, 10), []string{"snmp-walk 10.40.1.10 high"}},
		{"over four", walk(0, hss, 4, 10), nil},
		{"a long walk over one", walk(0, hss, 1, 600), []string{"snmp-walk 10.40.1.10 high"}},
		{"a walk from outside", walk(0, outside, 6, 10), []string{"snmp-walk 203.0.113.66 high"}},
	}
	// One database does for all: each case has twenty minutes of its own.
	stage := open(t)
	var all []flow
	from := make([]time.Duration, len(cases))
	for i, c := range cases {
		from[i] = time.Duration(i)*20*minute + minute
		for _, f := range c.flows {
			all = append(all, f.Later(from[i]))
		}
	}
	stage.Flows(all...)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := stage.Detect(detector(t), at(from[i]-minute+10*second), at(from[i]+9*minute))
			if diff := cmp.Diff(append([]string{}, c.want...), alerts(found)); diff != "" {
				t.Errorf("alerts (-want +got):\n%s\n%q", diff, detecttest.Titles(found))
			}
			for _, f := range found {
				if stage.Rows(f.SQL) == 0 {
					t.Errorf("its query returns nothing: %s", f.SQL)
				}
			}
		})
	}
}

// alerts are rule, source and worst severity of each alert.
func alerts(found []alert.Finding) []string {
	worst, text := map[string]alert.Severity{}, map[string]string{}
	var order []string
	for _, f := range found {
		if _, known := worst[f.ID]; !known {
			order = append(order, f.ID)
		}
		worst[f.ID] = max(worst[f.ID], f.Severity)
		source := f.Peer.Addr.String()
		if f.Initiator == "asset" {
			source = f.Asset.Addr.String()
		}
		if strings.Contains(f.Title, " at once") {
			source = f.Title[:strings.Index(f.Title, " look")]
		}
		text[f.ID] = f.Rule + " " + source
	}
	all := []string{}
	for _, id := range order {
		all = append(all, text[id]+" "+worst[id].String())
	}
	return all
}

// TestWithinAMinute: a fast scan is told within 60 s of its first record.
func TestWithinAMinute(t *testing.T) {
	stage := open(t)
	stage.Flows(sweep(7*second, 6*second, hss, 3, 100, 22)...)
	found := stage.Detect(detector(t), at(0), at(10*minute))
	if len(found) == 0 {
		t.Fatal("not found")
	}
	if after := found[0].WindowEnd.Sub(at(7 * second)); after > time.Minute {
		t.Errorf("told %s after the first record", after)
	}
}

// TestKnownSystemsAreNoNews: an outage of systems with which the source always talked
// is no scan, and neither is a client that has asked for dead systems for days.
func TestKnownSystemsAreNoNews(t *testing.T) {
	stage := open(t)
	day := 24 * time.Hour
	var all []flow
	for i := range 10 {
		all = append(all, talk(-2*day, hss, fmt.Sprintf("10.40.3.%d", i+1), 22)...)
		all = append(all, probe(-3*day, "10.40.1.11", fmt.Sprintf("10.40.3.%d", i+1), 22))
	}
	for _, src := range []string{hss, "10.40.1.11", "10.40.1.12"} {
		all = append(all, sweep(5*second, second, src, 3, 10, 22)...)
	}
	stage.Flows(all...)
	found := stage.Detect(detector(t), at(0), at(minute))
	if diff := cmp.Diff([]string{"network-scan 10.40.1.12 high"}, alerts(found)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// TestManagers: who is entered as a manager may walk, and who always did.
func TestManagers(t *testing.T) {
	stage := open(t)
	var all []flow
	for d := range 8 {
		all = append(all, walk(-time.Duration(d+1)*24*time.Hour, "10.40.9.1", 6, 10)...)
	}
	for _, src := range []string{"10.40.9.1", "10.40.9.2", "10.20.0.40"} {
		all = append(all, walk(5*second, src, 6, 10)...)
	}
	stage.Flows(all...)
	inv := detecttest.Inventory(t, strings.Replace(operator, "services:\n", "services:\n  nms: [10.20.0.40]\n", 1))
	found := stage.Detect(scan.New(scan.DefaultConfig(), inv), at(0), at(minute))
	if diff := cmp.Diff([]string{"snmp-walk 10.40.9.2 high"}, alerts(found)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// TestSlow: ten addresses an hour are found within the day, by those windows that look
// for them.
func TestSlow(t *testing.T) {
	stage := open(t)
	all := sweep(3*minute, 6*minute, hss, 7, 150, 22)                            // a scan
	all = append(all, public(sweep(3*minute, 6*minute, outside, 7, 150, 22))...) // the internet
	all = append(all, sweep(3*minute, 6*minute, "203.0.113.67", 7, 150, 22)...)  // it reaches what it cannot
	for i := range 150 {                                                         // a client with its wits, of whose contacts a tenth fails
		when := 4*minute + time.Duration(i)*6*minute
		all = append(all, talk(when, "10.40.1.11", fmt.Sprintf("10.40.7.%d", i+1), 443)...)
	}
	all = append(all, sweep(5*minute, 58*minute, "10.40.1.11", 8, 15, 443)...)
	stage.Flows(all...)
	var found []alert.Finding
	for hour := time.Hour; hour <= 13*time.Hour; hour += time.Hour {
		found = append(found, stage.Detect(detector(t), at(hour), at(hour+detect.Pane))...)
	}
	got := alerts(found)
	if diff := cmp.Diff([]string{"network-scan 10.40.1.10 high", "network-scan 203.0.113.67 high"}, dropOutside(got)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	if len(found) > 0 && found[0].WindowEnd.Sub(at(0)) > 3*time.Hour {
		t.Errorf("told only at %s", found[0].WindowEnd)
	}
	for _, f := range found {
		if stage.Rows(f.SQL) == 0 || len(f.Exporters) == 0 && f.Rule == "network-scan" {
			t.Errorf("no flows or no routers: %+v", f)
		}
	}
}

func dropOutside(all []string) (kept []string) {
	for _, a := range all {
		if !strings.HasPrefix(a, "outside-scanners") {
			kept = append(kept, a)
		}
	}
	return kept
}

// TestOutside: what the internet scans is one low alert for each zone, however many
// days it lasts, or none.
func TestOutside(t *testing.T) {
	stage := open(t)
	var all []flow
	for d := range 2 {
		for i := range 30 {
			all = append(all, public(sweep(time.Duration(d)*24*time.Hour, second, fmt.Sprintf("198.51.100.%d", i+1), 7, 10, 23))...)
		}
	}
	stage.Flows(all...)
	midnight := at(14 * time.Hour)
	var found []alert.Finding
	for d := range 2 {
		from := midnight.AddDate(0, 0, d)
		found = append(found, stage.Detect(detector(t), from, from.Add(detect.Pane))...)
	}
	if len(found) != 2 || found[0].ID != found[1].ID || found[0].Severity != alert.Low {
		t.Fatalf("found %q, want the same low alert twice", detecttest.Titles(found))
	}
	if found[0].Measures[0].Observed != 30 || stage.Rows(found[0].SQL) != 300 {
		t.Errorf("measured %+v, its query returns %d rows", found[0].Measures, stage.Rows(found[0].SQL))
	}
	cfg := scan.DefaultConfig()
	cfg.Outside = scan.OutsideSilent
	d := scan.New(cfg, detecttest.Inventory(t, operator))
	if got := stage.Detect(d, midnight, midnight.Add(detect.Pane)); len(got) > 0 {
		t.Errorf("silent, and still %q", detecttest.Titles(got))
	}
}
