package telemetry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
)

const (
	logServer  = "10.20.0.30"
	logServer2 = "10.20.0.31"
	hour       = time.Hour
	days       = 24 * time.Hour
)

// logs are syslog messages of a router, as an exporter saw them.
func logs(device, server, exporter string, from, to, every time.Duration) (all []flow) {
	for d := from; d < to; d += every {
		all = append(all, flow{At: at(d), Exporter: exporter, Src: device, Dst: server, SrcPort: 514, DstPort: 514, Protocol: 17, Packets: 1})
	}
	return all
}

// rest is what else a router sends.
func rest(device, exporter string, from, to time.Duration) (all []flow) {
	for d := from; d < to; d += 3 * minute {
		all = append(all, flow{At: at(d), Exporter: exporter, Src: device, Dst: "10.20.0.40", SrcPort: 161, DstPort: 40000, Protocol: 17, Packets: 1})
	}
	return all
}

func TestLogs(t *testing.T) {
	const (
		begin = -3 * days
		stop  = 30 * minute
		to    = 70 * minute
	)
	silent := "pe1.east (10.30.0.1) sends no syslog any more since 2026-11-18 10:30:00 UTC"
	other := "10.30.0.77"
	for _, c := range []struct {
		name  string
		flows [][]flow
		want  []alerted
	}{
		{"logs go on", [][]flow{logs(pe1, logServer, p1, begin, to, minute), rest(pe1, p1, begin, to)}, nil},
		{"logs stop", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), rest(pe1, p1, begin, to)},
			[]alerted{{"10:50", alert.High, silent}}},
		{"logs stop, and come back", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), logs(pe1, logServer, p1, 55*minute, to, minute), rest(pe1, p1, begin, to)},
			[]alerted{{"10:50", alert.High, silent}, {"10:56", alert.Low, "pe1.east (10.30.0.1) sends syslog again: none were seen since 2026-11-18 10:30:00 UTC"}}},
		{"all of it stops", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), rest(pe1, p1, begin, stop), steady(p1, old, to)}, nil},
		{"the only router that saw it stops", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), rest(pe1, fresh, begin, to)},
			[]alerted{{"10:34", alert.High, "p1.east (10.30.0.3) stopped sending flows at 2026-11-18 10:29:00 UTC"}}},
		{"another server of the carrier takes over", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), logs(pe1, logServer2, p1, stop, to, minute), rest(pe1, p1, begin, to)}, nil},
		{"a foreign server takes over", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), logs(pe1, "203.0.113.66", p1, stop, to, minute), rest(pe1, p1, begin, to)},
			[]alerted{{"10:50", alert.Critical, silent}}},
		{"nobody's logs reach the server", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), rest(pe1, p1, begin, to),
			logs(other, logServer, p1, begin, stop, minute), rest(other, p1, begin, to)},
			[]alerted{{"10:50", alert.Medium, "No system's syslog reaches 10.20.0.30 any more"}}},
		{"it logs by day only", [][]flow{byDay(begin, 0), rest(pe1, p1, begin, to), rest(pe1, p1, to, 15*hour)}, nil},
		{"the exporter samples coarser", [][]flow{logs(pe1, logServer, p1, begin, stop, minute), rest(pe1, p1, begin, stop),
			with(rest(pe1, p1, stop, to), func(f *flow) { f.Sampling = 100 })},
			[]alerted{{"10:31", alert.High, "p1.east (10.30.0.3) samples 1 of 100 packets since 2026-11-18 10:30:00 UTC, before 1 of 1"}}},
		{"seldom", [][]flow{logs(pe1, logServer, p1, begin, stop, 4*hour), rest(pe1, p1, begin, to)}, nil},
		{"only since yesterday", [][]flow{logs(pe1, logServer, p1, -10*hour, stop, minute), rest(pe1, p1, begin, to)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			for _, f := range c.flows {
				stage.Flows(f...)
			}
			from, end := 25*minute, to
			if c.name == "it logs by day only" {
				from, end = 8*hour, 9*hour
			}
			compare(t, c.want, once(observe(t, stage, at(from), at(end))))
		})
	}
}

// byDay are logs from 8 to 18 o'clock.
func byDay(from, to time.Duration) (all []flow) {
	for d := from; d < to+9*hour; d += minute {
		if h := at(d).Hour(); h >= 8 && h < 18 {
			all = append(all, logs(pe1, logServer, p1, d, d+minute, minute)...)
		}
	}
	return all
}

// through are flows through interfaces of pe1, of a protected system or not.
func through(exporter string, in uint32, watched bool, from, to, every time.Duration) (all []flow) {
	for d := from; d < to; d += every {
		f := flow{At: at(d), Exporter: exporter, Src: "100.64.0.1", Dst: "203.0.113.66", SrcPort: 40000, DstPort: 443, Flags: detecttest.Session, InIf: in}
		if watched {
			f = watches(exporter, d)
			f.InIf = in
		}
		all = append(all, f)
	}
	return all
}

func TestInterfaces(t *testing.T) {
	const (
		begin = -3 * days
		stop  = 30 * minute
		to    = 55 * minute
	)
	other := through(pe1, 5, false, begin, to, minute)
	title := "pe1.east (10.30.0.1) no longer exports 1 interface: 10"
	for _, c := range []struct {
		name  string
		flows [][]flow
		want  []alerted
	}{
		{"all go on", [][]flow{other, through(pe1, 10, true, begin, to, minute)}, nil},
		{"one of three goes down", [][]flow{other, through(pe1, 6, false, begin, to, minute), through(pe1, 10, false, begin, stop, minute)},
			[]alerted{{"10:50", alert.Low, title}}},
		{"the one toward lawful intercept goes down", [][]flow{other, through(pe1, 10, true, begin, stop, minute), through(p1, 1, true, begin, stop, minute), steady(p1, old, to)},
			[]alerted{{"10:50", alert.Medium, title}}},
		{"its traffic goes on elsewhere", [][]flow{other, through(pe1, 10, true, begin, stop, minute), through(p1, 1, true, begin, to, minute)},
			[]alerted{{"10:50", alert.High, title}}},
		{"they are numbered anew", [][]flow{through(pe1, 5, false, begin, stop, minute), through(pe1, 105, false, stop, to, minute), through(pe1, 6, false, begin, to, minute)},
			[]alerted{{"10:50", alert.Low, "pe1.east (10.30.0.1) no longer exports 1 interface: 5"}}},
		{"one that is seldom used", [][]flow{other, through(pe1, 10, false, begin, stop, 6*hour)}, nil},
		{"one of an exporter under maintenance", [][]flow{through(pe2, 5, false, begin, 90*minute, minute), through(pe2, 10, false, begin, 40*minute, minute)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			for _, f := range c.flows {
				stage.Flows(f...)
			}
			from, end := 25*minute, to
			if c.want == nil {
				from, end = 60*minute, 75*minute // maintenance
			}
			if c.name == "all go on" || c.name == "one that is seldom used" {
				from, end = 25*minute, to
			}
			var found []alert.Finding
			for _, f := range once(observe(t, stage, at(from), at(end))) {
				if f.Asset.Addr.String() != p1 {
					found = append(found, f)
				}
			}
			compare(t, c.want, found)
		})
	}
}

func TestReady(t *testing.T) {
	stage := open(t)
	stage.Flows(steady(pe1, -30*minute, 20*minute)...)
	stage.Flows(samples(p1, -5*hour, 20*minute, -1)...)
	stage.Flows(logs(pe1, logServer, p1, -3*days, 20*minute, 10*minute)...)
	learner := detector(t).(detect.Learner)
	ready, err := learner.Ready(t.Context(), at(20*minute), &history{Store: stage.Store()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range ready {
		got = append(got, r.What)
	}
	want := []string{
		"silence of pe1.east (10.30.0.1)", "active timeout of pe1.east (10.30.0.1)", "loss of pe1.east (10.30.0.1)",
		"active timeout of p1.east (10.30.0.3)", "loss of p1.east (10.30.0.3)", "logs of systems",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readiness (-want +got):\n%s", diff)
	}
	if r := ready[0]; r.Have != float64(49)+50.0/60 || r.Need != 60 || r.Unit != "minutes" {
		t.Errorf("silence: %+v", r)
	}
	if r := ready[len(ready)-1]; r.Have != 1 || r.Need != 1 {
		t.Errorf("logs: %+v", r)
	}
}
