package slowleak_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/slowleak"
)

const (
	mb  = 1_000_000
	day = 24 * time.Hour

	leaker   = "10.40.1.10" // hss-1
	grower   = "10.40.7.1"
	licensed = "10.40.7.2"
	updated  = "10.40.7.3"
	mdf3     = "10.66.0.30"

	vps     = "198.51.100.13"
	vps2    = "198.51.100.14"
	partner = "203.0.113.67"
	saas    = "198.18.5.5"
	friend  = "198.18.9.9"
	mirror  = "198.18.77.7"
	lemf    = "192.0.2.70"
)

type flow = detecttest.Flow

// start is when the history of the tests begins, a Monday; the leaks begin ten days
// later.
var (
	start = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	leaks = start.AddDate(0, 0, 10)
)

// send is one upload with that share of it coming back.
func send(when time.Time, src, dst string, bytes, back float64) []flow {
	f := flow{At: when, Begin: when.Add(-30 * time.Second), Src: src, Dst: dst, SrcPort: uint16(30000 + when.Unix()%20000), DstPort: 443,
		Flags: detecttest.Session, Packets: uint64(bytes/1000) + 5, Bytes: uint64(bytes)}
	return []flow{f, f.Back(uint64(back*bytes/1000)+5, uint64(back*bytes)+500)}
}

// background are so many days of systems of the core: each sends a partner a few
// megabytes a day, asks a licence server that all use, and one downloads updates.
func background(n int) (all []flow) {
	random := rand.New(rand.NewPCG(7, 7))
	hosts := []string{leaker, grower, licensed, updated, "10.40.7.4", "10.40.7.5", "10.40.7.6"}
	for d := range n {
		for i, host := range hosts {
			at := start.AddDate(0, 0, d).Add(time.Duration(8+i)*time.Hour + time.Duration(random.IntN(3000))*time.Second)
			to := partner
			if host == grower {
				to = friend
			}
			all = append(all, send(at, host, to, (4+2*random.Float64())*mb, 0.5)...)
			if d >= 8 { // a new product of which all ask a licence
				all = append(all, send(at.Add(time.Hour), host, saas, (9+2*random.Float64())*mb, 0.1)...)
			}
		}
		if d >= 10 {
			all = append(all, send(start.AddDate(0, 0, d).Add(4*time.Hour), updated, mirror, 8*mb, 20)...)
			all = append(all, send(start.AddDate(0, 0, d).Add(5*time.Hour), mdf3, lemf, 12*mb, 0.01)...)
		}
	}
	return all
}

// leak are n days of 8 to 15 MB in small pieces at odd hours to the addresses in turn.
func leak(src string, from time.Time, n int, to ...string) (all []flow) {
	random := rand.New(rand.NewPCG(8, 8))
	for d := range n {
		pieces := 8 + random.IntN(8)
		for i := range pieces {
			at := from.AddDate(0, 0, d).Add(time.Duration(random.IntN(86000)) * time.Second)
			all = append(all, send(at, src, to[i%len(to)], (0.9+0.2*random.Float64())*mb, 0.02)...)
		}
	}
	return all
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:        detector,
		Open:       open,
		From:       leaks,
		To:         leaks.AddDate(0, 0, 7),
		Allowed:    func(s *detecttest.Stage) { s.Flows(background(17)...) },
		Suspicious: func(s *detecttest.Stage) { s.Flows(append(background(17), leak(leaker, leaks, 7, vps, vps2)...)...) },
	})
}

func TestScenarios(t *testing.T) {
	stage := open(t)
	stage.Flows(background(24)...)
	stage.Flows(leak(leaker, leaks, 14, vps, vps2)...)          // to two addresses of one network
	stage.Flows(leak("10.40.7.6", leaks, 4, "198.18.200.1")...) // it stops after four days
	for d := range 14 {                                         // the old partner gets more and more
		stage.Flows(send(leaks.AddDate(0, 0, d).Add(15*time.Hour), grower, friend, 12*mb, 0.02)...)
	}
	first := map[string]int{}
	last := map[string]alert.Finding{}
	ids := map[string]map[string]bool{}
	for d := range 14 {
		from := leaks.AddDate(0, 0, d)
		for _, f := range stage.Detect(detector(t), from, from.Add(day)) {
			k := f.Asset.Addr.String() + " " + f.Rule
			if _, seen := first[k]; !seen {
				first[k], ids[k] = d+1, map[string]bool{}
			}
			last[k], ids[k][f.ID] = f, true
		}
	}
	var got []string
	for k := range first {
		got = append(got, k)
		f := last[k]
		t.Logf("day %d, %s %.2f: %s\n%s\n- %s\n- %s", first[k], f.Severity, f.Confidence, f.Title, f.Summary, strings.Join(f.Reasons, "\n- "), strings.Join(f.NextSteps, "\n- "))
		if len(ids[k]) != 1 {
			t.Errorf("%s: %d alerts for the same leak", k, len(ids[k]))
		}
		if stage.Rows(f.SQL) < f.Flows {
			t.Errorf("%s: the query shows less than the last day's %d flows", k, f.Flows)
		}
	}
	slices.Sort(got)
	want := []string{leaker + " new-destination", grower + " rising-volume"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if d := first[leaker+" new-destination"]; d < 5 || d > 7 {
		t.Errorf("the leak of about 11 MB a day is found on day %d, want 5 to 7", d)
	}
	if last[leaker+" new-destination"].Severity != alert.Critical { // a subscriber database
		t.Errorf("the leak is %s", last[leaker+" new-destination"].Severity)
	}
}

func TestConfig(t *testing.T) {
	good := slowleak.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := slowleak.Config{Balance: 1}
	err := bad.Validate()
	if err == nil {
		t.Fatal("a configuration of zeros is valid")
	}
	for _, key := range []string{"age", "warm_up", "days", "bytes", "balance", "prevalence", "history", "false_per_day"} {
		if !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not refused: %v", key, fmt.Sprint(err))
		}
	}
}
