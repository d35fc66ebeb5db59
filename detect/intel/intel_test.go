package intel_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/intel"
)

const (
	second = time.Second
	listed = "198.51.100.13"
	other  = "198.51.100.14" // of the same entry
	clean  = "203.0.113.66"
	mdf3   = "10.66.0.30"
	hss    = "10.40.1.10"
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

func session(src, dst string, port uint16, out, back uint64) []flow {
	f := flow{At: at(5 * second), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: detecttest.Session, Packets: 20, Bytes: out}
	return []flow{f, f.Back(20, back)}
}

func syn(src, dst string, port uint16) flow {
	return flow{At: at(5 * second), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: detecttest.SYN, Packets: 1, Bytes: 60}
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(30 * second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(session(clean, mdf3, 22, 12000, 80000)...)
			s.Flows(session(hss, clean, 443, 12000, 80000)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(session(listed, hss, 22, 12000, 80000)...)
			s.Flows(session(mdf3, listed, 443, 2_000_000, 80000)...)
			s.Flows(syn(hss, listed, 4444))
			s.Flows(syn(other, mdf3, 23), syn(listed, mdf3, 22))
		},
	})
}

func TestScenarios(t *testing.T) {
	const who = "198.51.100.13 (NL, AS64501 Example VPS)"
	scenarios := []struct {
		name  string
		flows []flow
		want  []string
	}{
		{"it opened a session to the core", session(listed, hss, 22, 12000, 80000), []string{
			"high: " + who + " opened SSH (tcp/22) to hss-1, a subscriber database (HSS) in core-east; 198.51.100.13 is on intelligence list apt"}},
		{"it opened a session to an intercept system", session(listed, mdf3, 22, 12000, 80000), []string{
			"critical: " + who + " opened SSH (tcp/22) to mdf3-1, a delivery function for intercepted content (MDF3) in li-east; 198.51.100.13 is on intelligence list apt"}},
		{"the core opened a session to it", session(hss, listed, 443, 12000, 80000), []string{
			"critical: hss-1 of core-east opened HTTPS (tcp/443) to " + who + "; 198.51.100.13 is on intelligence list apt"}},
		{"the core tried to reach it", []flow{syn(hss, listed, 443)}, []string{
			"high: hss-1 of core-east tried to reach " + who + " by HTTPS (tcp/443); 198.51.100.13 is on intelligence list apt"}},
		{"the core tried and was refused", []flow{syn(hss, listed, 443), syn(hss, listed, 443).Back(1, 40).With(detecttest.RST | detecttest.ACK)}, []string{
			"high: hss-1 of core-east tried to reach " + who + " by HTTPS (tcp/443); 198.51.100.13 is on intelligence list apt"}},
		{"it probed", []flow{syn(listed, hss, 22), syn(listed, hss, 23)}, []string{
			"low: " + who + ", on intelligence list apt, probed core-east and got no answer"}},
		{"two of a list probed", []flow{syn(listed, hss, 22), syn(listed, hss, 23), syn(other, "10.40.1.11", 22)}, []string{
			"low: 2 addresses of intelligence list apt probed core-east and got no answer"}},
		{"it probed and was refused", []flow{syn(listed, hss, 22), syn(listed, hss, 22).Back(1, 40).With(detecttest.RST | detecttest.ACK)}, []string{
			"low: " + who + ", on intelligence list apt, probed core-east and got no answer"}},
		{"it probed two zones", []flow{syn(listed, hss, 22), syn(listed, mdf3, 22)}, []string{
			"low: " + who + ", on intelligence list apt, probed core-east and got no answer",
			"low: " + who + ", on intelligence list apt, probed li-east and got no answer"}},
		{"it talked with customers", session(listed, "100.64.0.1", 443, 12000, 80000), nil},
		{"another address talked", session(clean, hss, 443, 12000, 80000), nil},
	}
	stage := open(t)
	shift := func(i int) time.Duration { return time.Duration(i+1) * 10 * time.Minute }
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

// TestSampledAnswerBeforeItsRequest: of a sampled session the first packet that was
// caught of the answer may be older than that of the request. The service port tells
// who opened it. And while only the answer has been exported, nothing is said yet.
func TestSampledAnswerBeforeItsRequest(t *testing.T) {
	stage := open(t)
	begin := at(2 * second)
	answer := flow{At: at(4 * second), Begin: begin, Src: listed, Dst: hss, SrcPort: 443, DstPort: 49255,
		Flags: detecttest.SYN | detecttest.ACK | detecttest.PSH, Packets: 4, Bytes: 3310}
	request := answer.Back(5, 1900).Later(10 * second)
	request.Begin = begin.Add(164 * time.Millisecond)
	stage.Flows(session(hss, clean, 443, 12000, 80000)...) // the router does export what hss-1 sends
	stage.Flows(answer, request)
	d := detector(t)
	if got := stage.Detect(d, at(0), at(10*second)); len(got) > 0 {
		t.Errorf("of the answer alone: %q", detecttest.Titles(got))
	}
	got := stage.Detect(d, at(10*second), at(20*second))
	if len(got) != 1 || got[0].Initiator != "asset" || got[0].Port != 443 || got[0].Rule != "listed-conversation" {
		t.Errorf("of both: %q, %+v", detecttest.Titles(got), got)
	}
}

// TestProbesFold holds that probes of one entry toward one zone stay one alert,
// however many addresses, systems, services and windows there are.
func TestProbesFold(t *testing.T) {
	stage := open(t)
	for i := range 6 {
		d := time.Duration(i) * 10 * second
		stage.Flows(syn(listed, hss, 22).Later(d), syn(other, "10.40.1.11", uint16(1000+i)).Later(d))
	}
	found := stage.Detect(detector(t), at(0), at(60*second))
	ids := map[string]bool{}
	for _, f := range found {
		ids[f.ID] = true
		if f.Flows != 2 || f.Severity != alert.Low {
			t.Errorf("%d flows, %s: want 2, low", f.Flows, f.Severity)
		}
	}
	if len(found) != 6 || len(ids) != 1 {
		t.Errorf("%d findings of %d alerts, want 6 of 1", len(found), len(ids))
	}
	cfg := intel.DefaultConfig()
	cfg.Probes = false
	d := intel.New(cfg, detecttest.Inventory(t, detecttest.Operator))
	if got := stage.Detect(d, at(0), at(60*second)); len(got) > 0 {
		t.Errorf("with probes off found %q", detecttest.Titles(got))
	}
}

// TestExfiltration holds that a large upload is called one.
func TestExfiltration(t *testing.T) {
	stage := open(t)
	stage.Flows(session(hss, listed, 443, 48_000_000, 80_000)...)
	found := stage.Detect(detector(t), at(0), at(10*second))
	if len(found) != 1 {
		t.Fatalf("found %q, want one", detecttest.Titles(found))
	}
	f := found[0]
	techniques := f.Techniques
	if techniques[len(techniques)-1] != detect.ExfiltrationOverC2 {
		t.Errorf("techniques %v lack the exfiltration", techniques)
	}
	if want := "hss-1 sent 48 MB there, which is enough to carry data away"; !slices.Contains(f.Reasons, want) {
		t.Errorf("reasons %q lack %q", f.Reasons, want)
	}
}

func TestMaintenanceHoldsBack(t *testing.T) {
	stage := open(t)
	work := 3*time.Hour + 30*time.Minute
	for _, f := range session(listed, "10.66.0.20", 22, 1000, 1000) {
		stage.Flows(f.Later(work))
	}
	if got := stage.Detect(detector(t), at(work), at(work+10*second)); len(got) > 0 {
		t.Errorf("during maintenance found %q", detecttest.Titles(got))
	}
}

func TestConfig(t *testing.T) {
	good := intel.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := intel.Config{Lookback: -time.Hour}
	want := "exfiltration_bytes: is 0: any byte would count\nheavy_bytes: is 0: any byte would count\n" +
		"max_entries: 0 is below 1\nlookback: -1h0m0s is below 0s"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
