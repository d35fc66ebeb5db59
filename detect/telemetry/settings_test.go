package telemetry_test

import (
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
)

// with is flows changed.
func with(flows []flow, change func(*flow)) []flow {
	for i := range flows {
		change(&flows[i])
	}
	return flows
}

func TestSettings(t *testing.T) {
	long := func(d time.Duration) func(*flow) { return func(f *flow) { f.Begin = f.At.Add(-d) } }
	const to = 40 * minute
	for _, c := range []struct {
		name  string
		flows [][]flow
		want  []alerted
	}{
		{"the same sampling", [][]flow{samples(p1, old, to, 100)}, nil},
		{"sampled coarser", [][]flow{samples(p1, old, 20*minute, 100), samples(p1, 20*minute, to, 10000)},
			[]alerted{{"10:21", alert.High, "p1.east (10.30.0.3) samples 1 of 10000 packets since 2026-11-18 10:20:00 UTC, before 1 of 100"}}},
		{"sampled coarser by a seldom exporter, in the middle of a minute", [][]flow{with(sends(p1, old, 20*minute+30*time.Second, 20*time.Second), func(f *flow) { f.Sampling = 1 }),
			with(sends(p1, 20*minute+30*time.Second, to, 20*time.Second), func(f *flow) { f.Sampling = 64 })},
			[]alerted{{"10:21", alert.High, "p1.east (10.30.0.3) samples 1 of 64 packets since 2026-11-18 10:20:00 UTC, before 1 of 1"}}},
		{"sampled finer", [][]flow{samples(p1, old, 20*minute, 1000), samples(p1, 20*minute, to, 100)},
			[]alerted{{"10:21", alert.Low, "p1.east (10.30.0.3) samples 1 of 100 packets since 2026-11-18 10:20:00 UTC, before 1 of 1000"}}},
		{"and back again", [][]flow{samples(p1, old, 20*minute, 1000), samples(p1, 20*minute, 30*minute, 100), samples(p1, 30*minute, to, 1000)},
			[]alerted{{"10:21", alert.Low, "p1.east (10.30.0.3) samples 1 of 100 packets since 2026-11-18 10:20:00 UTC, before 1 of 1000"}}},
		{"it no longer says", [][]flow{samples(p1, old, 20*minute, 100), samples(p1, 20*minute, to, -1)}, nil},
		{"the last record of a minute", [][]flow{samples(p1, old, 20*minute+50*time.Second, 100), samples(p1, 20*minute+50*time.Second, to, 10000)},
			[]alerted{{"10:21", alert.Medium, "p1.east (10.30.0.3) samples 1 of 10000 packets since 2026-11-18 10:20:00 UTC, before 1 of 100"},
				{"10:22", alert.High, "p1.east (10.30.0.3) samples 1 of 10000 packets since 2026-11-18 10:20:00 UTC, before 1 of 100"}}},
		{"one sampler of several", [][]flow{samples(p1, old, to, 100), with(sends(p1, 20*minute, to, 100*time.Second), func(f *flow) { f.Sampling = 5000 })},
			[]alerted{{"10:21", alert.Medium, "p1.east (10.30.0.3) samples 1 of 5000 packets since 2026-11-18 10:20:00 UTC, before 1 of 100"},
				{"10:36", alert.High, "p1.east (10.30.0.3) samples 1 of 5000 packets since 2026-11-18 10:20:00 UTC, before 1 of 100"}}},
		{"under maintenance", [][]flow{samples(pe2, old, 65*minute, 100), samples(pe2, 65*minute, 70*minute, 10000)}, nil},
		{"under maintenance, and undone", [][]flow{samples(pe2, old, 65*minute, 100), samples(pe2, 65*minute, 90*minute, 10000), samples(pe2, 90*minute, 125*minute, 100)}, nil},
		{"under maintenance, and left so", [][]flow{samples(pe2, old, 65*minute, 100), samples(pe2, 65*minute, 125*minute, 10000)},
			[]alerted{{"12:00", alert.Medium, "pe2.east (10.30.0.2) samples 1 of 10000 packets since 2026-11-18 11:00:00 UTC, before 1 of 100"}}},
		{"a new exporter", [][]flow{samples(p1, old, to, 100), samples(fresh, 20*minute, to, 10000)}, nil},
		{"without TCP flags", [][]flow{steady(p1, old, 20*minute), with(steady(p1, 20*minute, to), func(f *flow) { f.Flags = 0 })},
			[]alerted{{"10:25", alert.Medium, "The flow records of p1.east (10.30.0.3) no longer say TCP flags"}}},
		{"without ports", [][]flow{steady(p1, old, 20*minute), with(steady(p1, 20*minute, to), func(f *flow) { f.SrcPort, f.DstPort = 0, 0 })},
			[]alerted{{"10:25", alert.High, "The flow records of p1.east (10.30.0.3) no longer say ports"}}},
		{"long flows cut later", [][]flow{with(steady(p1, -200*minute, 10*minute), long(60*time.Second)), with(steady(p1, 10*minute, to), long(1800*time.Second))},
			[]alerted{{"10:20", alert.Medium, "p1.east (10.30.0.3) cuts long flows otherwise: after about 34 minutes, before 64 seconds"}}},
		{"long flows cut sooner", [][]flow{with(steady(p1, -120*minute, 10*minute), long(300*time.Second)), with(steady(p1, 10*minute, to), long(60*time.Second))},
			[]alerted{{"10:20", alert.Low, "p1.east (10.30.0.3) cuts long flows otherwise: after about 64 seconds, before 6 minutes"}}},
		{"fewer long flows", [][]flow{with(steady(p1, -200*minute, 10*minute), long(60*time.Second)), with(steady(p1, 10*minute, to), long(20*time.Second)),
			with(sends(p1, 10*minute, to, minute), long(60*time.Second))}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			from, end := 15*minute, to
			for _, f := range c.flows {
				stage.Flows(f...)
				if last := f[len(f)-1].At; last.After(at(to)) {
					from, end = last.Sub(at(0)).Truncate(minute)-9*minute, last.Sub(at(0)).Truncate(minute)+minute
				}
			}
			check(t, stage, at(from), at(end), c.want)
		})
	}
}

func TestProtocol(t *testing.T) {
	stage := open(t)
	stage.Flows(steady(p1, old, 40*minute)...)
	// Batches of the tests say no protocol, and the tables are what the detector reads.
	exec(t, stage, "ALTER TABLE exporter_minute DELETE WHERE true SETTINGS mutations_sync = 2")
	exec(t, stage, `INSERT INTO exporter_minute (at, exporter, export_protocol, sampling_interval, flows, inserted_on)
		SELECT toDateTime('2026-11-18 09:00:00', 'UTC') + number * 60, toIPv6('10.30.0.3'), if(number < 80, 'ipfix', 'netflow5'), 1, 6, today() FROM numbers(100)`)
	check(t, stage, at(15*minute), at(40*minute), []alerted{
		{"10:21", alert.Medium, "p1.east (10.30.0.3) exports as NetFlow v5 since 2026-11-18 10:20:00 UTC, before as IPFIX"},
	})
}

func exec(t *testing.T, stage *detecttest.Stage, query string) {
	t.Helper()
	if err := stage.Store().Exec(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestLoss(t *testing.T) {
	good := counts{datagrams: 100, records: 1000}
	bad := counts{datagrams: 90, lost: 10, records: 900}
	type exporter struct {
		addr        string
		usual, then counts
	}
	burst := func(s *detecttest.Stage) { count(s, 3*minute, p1, counts{lost: 1000}) }
	for _, c := range []struct {
		name      string
		exporters []exporter
		more      func(*detecttest.Stage)
		from      time.Duration
		want      []alerted
	}{
		{"nothing is lost", []exporter{{p1, good, good}}, nil, 0, nil},
		{"a tenth of the datagrams", []exporter{{p1, good, bad}}, nil, 0,
			[]alerted{{"10:12", alert.Medium, "10 % of what p1.east (10.30.0.3) exports is lost"}}},
		{"a tenth of the records", []exporter{{p1, good, counts{datagrams: 90, records: 900, lostRecords: 100}}}, nil, 0,
			[]alerted{{"10:12", alert.Medium, "10 % of what p1.east (10.30.0.3) exports is lost"}}},
		{"most of it", []exporter{{p1, good, counts{datagrams: 40, lost: 60, records: 400}}}, nil, 0,
			[]alerted{{"10:12", alert.High, "60 % of what p1.east (10.30.0.3) exports is lost"}}},
		{"the collector drops it", []exporter{{p1, good, counts{datagrams: 90, lost: 10, records: 900, queueFull: 10}}}, nil, 0,
			[]alerted{{"10:12", alert.Low, "10 % of what p1.east (10.30.0.3) exports is lost"}}},
		{"it always loses so much", []exporter{{p1, bad, bad}}, nil, 0, nil},
		{"one burst", []exporter{{p1, good, good}}, burst, 0, nil},
		{"all of them lose", []exporter{{pe1, good, bad}, {p1, good, bad}, {fresh, good, bad}}, nil, 0,
			[]alerted{{"10:12", alert.Medium, "The exports of 3 of 3 routers are lost in part: the collector or the way to it"}}},
		{"under maintenance", []exporter{{pe2, good, bad}}, nil, 65 * minute, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			for _, x := range c.exporters {
				countAll(t, stage, x.addr, x.usual, c.from-120*minute, c.from)
				countAll(t, stage, x.addr, x.then, c.from, c.from+25*minute)
			}
			if c.more != nil {
				c.more(stage)
			}
			check(t, stage, at(c.from), at(c.from+25*minute), c.want)
		})
	}
}

// countAll stores the same counts for each minute.
func countAll(t *testing.T, s *detecttest.Stage, exporter string, c counts, from, to time.Duration) {
	t.Helper()
	err := s.Store().Exec(t.Context(), `INSERT INTO exporter_health (at, collector, exporter, datagrams, lost_datagrams, records, lost_records, restarts, dropped)
		SELECT {at:DateTime64(3)} + number * 60 + 30, 'test', {exporter:IPv6}, {datagrams:UInt64}, {lost:UInt64}, {records:UInt64}, {lost_records:UInt64}, {restarts:UInt64}, map('queue_full', {full:UInt64})
		FROM numbers({minutes:UInt64})`,
		detect.Param("at", at(from)), detect.Param("exporter", exporter), detect.Param("datagrams", c.datagrams), detect.Param("lost", c.lost),
		detect.Param("records", c.records), detect.Param("lost_records", c.lostRecords), detect.Param("restarts", c.restarts),
		detect.Param("full", c.queueFull), detect.Param("minutes", uint64((to-from)/minute)))
	if err != nil {
		t.Fatal(err)
	}
}
