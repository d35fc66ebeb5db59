package offhours_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/offhours"
)

type flow = detecttest.Flow

const (
	jump = "10.20.0.5"
	hss  = "10.40.1.10"
	poi  = "10.40.2.10"
	mdf3 = "10.66.0.30"
)

var (
	weekdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	week     = []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	byDay    = []int{8, 9, 10, 11, 13, 14, 15, 16}
	always   = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}
)

// login is a session at that time after Wednesday's midnight.
func login(at time.Duration, src, dst string) []flow {
	f := flow{At: detecttest.At(at - 10*time.Hour), Src: src, Dst: dst, SrcPort: 40000, DstPort: 22, Flags: detecttest.SYN, Packets: 1, Bytes: 60}
	data := f.With(detecttest.Session).Later(5 * time.Second)
	data.Packets, data.Bytes = 40, 20000
	return []flow{f, data, data.Back(60, 80000)}
}

// hour gives the hour of the tests that begins so long after Wednesday's midnight.
func hour(at time.Duration) (from, to time.Time) {
	from = detecttest.At(at - 10*time.Hour).Truncate(time.Hour)
	return from, from.Add(time.Hour)
}

func crew(t *testing.T, s *detecttest.Stage) {
	works(t, s, jump, hss, byDay, weekdays...)
	works(t, s, "10.20.0.7", poi, always, week...)
	for i := range 4 {
		works(t, s, fmt.Sprintf("10.20.0.%d", 50+i), hss, byDay, weekdays...)
	}
}

func TestConformance(t *testing.T) {
	from, _ := hour(27 * time.Hour)
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: from, To: from.Add(3 * time.Hour),
		Allowed: func(s *detecttest.Stage) {
			crew(t, s)
			s.Flows(append(login(27*time.Hour, "10.20.0.7", poi), login(28*time.Hour, "203.0.113.66", hss)...)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			crew(t, s)
			flows := append(login(27*time.Hour, jump, hss), login(27*time.Hour+time.Minute, jump, mdf3)...)
			for i := range 4 {
				flows = append(flows, login(28*time.Hour, fmt.Sprintf("10.20.0.%d", 50+i), hss)...)
			}
			s.Flows(flows...)
		},
	})
}

func TestScenarios(t *testing.T) {
	const night = 3 * time.Hour
	open443 := func(flows []flow) []flow { // of a session that goes on: no SYN was seen
		return []flow{flows[1].With(detecttest.ACK | detecttest.PSH), flows[2].With(detecttest.ACK | detecttest.PSH)}
	}
	sampled := func(flows []flow) []flow {
		for i := range flows {
			flows[i].Sampling = 500
		}
		return flows
	}
	var together []flow
	for i := range 3 {
		together = append(together, login(night, fmt.Sprintf("10.20.0.%d", 50+i), hss)...)
	}
	onCall := offhours.DefaultConfig()
	onCall.OnCall = []offhours.OnCall{{Sources: []string{"jump-1"}, Schedule: "22:00-06:00 UTC"}}
	holiday := offhours.DefaultConfig()
	holiday.Holidays = []string{detecttest.At(9 * day).Format(time.DateOnly)}
	berlin := offhours.DefaultConfig()
	berlin.TimeZone = "Europe/Berlin"
	plain := offhours.DefaultConfig()
	cases := []struct {
		name  string
		cfg   offhours.Config
		at    time.Duration // the hour of the day
		flows []flow
		want  []string
	}{
		{"by night with a day's login", plain, night, login(night, jump, hss), []string{"off-hours-session high: jump-1 (10.20.0.5, management) opened SSH (tcp/22) to hss-1 of core-east at 03:00 UTC on %s, when it hardly ever works"}},
		{"by day", plain, 10 * time.Hour, login(10*time.Hour, jump, hss), nil},
		{"an hour late", plain, 17 * time.Hour, login(17*time.Hour, jump, hss), nil},
		{"three hours late", plain, 19 * time.Hour, login(19*time.Hour, jump, hss), []string{"off-hours-session high: jump-1 (10.20.0.5, management) opened SSH (tcp/22) to hss-1 of core-east at 19:00 UTC on %s, when it hardly ever works"}},
		{"a machine that works at all hours", plain, night, login(night, "10.20.0.7", hss), nil},
		{"without history", plain, night, login(night, "10.20.0.99", hss), nil},
		{"on call", onCall, night, login(night, jump, hss), nil},
		{"a holiday", holiday, 10 * time.Hour, login(10*time.Hour, jump, hss), []string{"off-hours-session high: jump-1 (10.20.0.5, management) opened SSH (tcp/22) to hss-1 of core-east at 10:00 UTC on %s, when it hardly ever works"}},
		{"in another time zone", berlin, night, login(night, "10.20.0.53", hss), []string{"off-hours-session high: 10.20.0.53 (management) opened SSH (tcp/22) to hss-1 of core-east at 04:00 CET on %s, when it hardly ever works"}},
		{"a session left open", plain, night, open443(login(night, jump, hss)), nil},
		{"told in one record", plain, night, login(night, "10.20.0.53", hss)[1:], []string{"off-hours-session high: 10.20.0.53 (management) opened SSH (tcp/22) to hss-1 of core-east at 03:00 UTC on %s, when it hardly ever works"}},
		{"tried in vain", plain, night, login(night, jump, hss)[:1], nil},
		{"sampled", plain, night, sampled(login(night, jump, hss)), nil},
		{"several at once", plain, night, together, []string{"off-hours-crew high: 3 systems of management administer protected systems at 03:00 UTC on %s, an hour at which none of them works"}},
	}
	// One database does for all: each case has a day of its own, a working day.
	stage := open(t)
	crew(t, stage)
	from := make([]time.Duration, len(cases))
	var all []flow
	next := 0
	for i, c := range cases {
		for ; !slices.Contains(weekdays, detecttest.At(time.Duration(next)*day).Weekday()); next++ {
		}
		if c.name == "a holiday" {
			next = max(next, 9)
		}
		from[i] = time.Duration(next) * day
		next++
		for _, f := range c.flows {
			all = append(all, f.Later(from[i]))
		}
	}
	stage.Flows(all...)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := offhours.New(c.cfg, detecttest.Inventory(t, detecttest.Operator))
			start, end := hour(from[i] + c.at)
			got := []string{}
			for _, f := range stage.Detect(d, start, end) {
				got = append(got, f.Rule+" "+f.Severity.String()+": "+f.Title)
				if stage.Rows(f.SQL) == 0 {
					t.Errorf("its query returns nothing: %s", f.SQL)
				}
			}
			want := []string{}
			for _, text := range c.want {
				want = append(want, fmt.Sprintf(text, start.Format("Monday, 2 January")))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReady says how many sources have habits.
func TestReady(t *testing.T) {
	stage := open(t)
	crew(t, stage)
	works(t, stage, "10.20.0.60", hss, []int{9}, time.Monday)
	learner, ok := detector(t).(detect.Learner)
	if !ok {
		t.Fatal("it does not say how far it is")
	}
	ready, err := learner.Ready(t.Context(), detecttest.At(0), stage.History())
	if err != nil {
		t.Fatal(err)
	}
	if len(ready) != 2 || ready[0].Have != 14 || ready[1].Have != 6 || ready[1].Need != 7 {
		t.Errorf("readiness %+v", ready)
	}
}
