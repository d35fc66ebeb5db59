package volume_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/volume"
)

const (
	hss     = "10.40.1.10"
	mdf3    = "10.66.0.30"
	partner = "203.0.113.67"
	vps     = "198.51.100.13"
	archive = "192.0.2.200"
	lemf    = "192.0.2.70"

	mb  = 1_000_000
	day = 24 * time.Hour
)

type flow = detecttest.Flow

// at is a moment of the tests' time, which begins on Wednesday, 2026-11-18 10:00 UTC;
// the history lies before that.
func at(d time.Duration) time.Time { return detecttest.At(d) }

// upload is what src sends dst within one record each way, a tenth of it comes back.
func upload(when time.Time, src, dst string, bytes float64) []flow {
	f := flow{At: when, Begin: when.Add(-time.Minute), Src: src, Dst: dst, SrcPort: 40000, DstPort: 443, Flags: detecttest.Session,
		Packets: uint64(bytes/1000) + 5, Bytes: uint64(bytes)}
	return []flow{f, f.Back(uint64(bytes/1000)+5, uint64(bytes/10)+400)}
}

// habits are so many days before the tests' time in which the subscriber database sends a partner 4 MB in each
// busy hour and 0.5 MB at night, by the hour of the day; on Sundays at three it sends
// 600 MB to an archive that no rule names.
func habits(seed uint64, n int) (all []flow) {
	random := rand.New(rand.NewPCG(seed, 1))
	for when := at(-time.Duration(n) * day).Truncate(time.Hour); when.Before(at(0)); when = when.Add(time.Hour) {
		busy := 0.5 + 3.5*math.Max(0, math.Sin(float64(when.Hour()-6)*math.Pi/14))
		all = append(all, upload(when.Add(20*time.Minute), hss, partner, busy*mb*math.Exp(0.2*random.NormFloat64()))...)
		if when.Weekday() == time.Sunday && when.Hour() == 3 {
			all = append(all, backup(when)...)
		}
	}
	return all
}

// backup is what goes to the archive on a Sunday from three o'clock on.
func backup(three time.Time) (all []flow) {
	for i := range 12 {
		all = append(all, upload(three.Add(time.Duration(5*i+2)*time.Minute), hss, archive, 50*mb)...)
	}
	return all
}

// over are records of a transfer that goes on for so many five minutes.
func over(from time.Time, n int, src, dst string, each float64) (all []flow) {
	for i := range n {
		all = append(all, upload(from.Add(time.Duration(i)*5*time.Minute+2*time.Minute), src, dst, each)...)
	}
	return all
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(4 * time.Hour),
		Allowed: func(s *detecttest.Stage) { s.Flows(habits(1, 9)...) },
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(habits(2, 9)...)
			s.Flows(over(at(30*time.Minute), 30, hss, vps, 5*mb)...)
		},
	})
}

// scenario is what one system does after a quiet fortnight.
type scenario struct {
	name string
	// does are the records, as if the system were the subscriber database.
	does     []flow
	from, to time.Time
	// severity is the worst, want a part of the first title; empty for nothing.
	severity alert.Severity
	want     string
}

func scenarios() []scenario {
	sunday := at(4*day - 7*time.Hour) // the next one, 3 o'clock
	return []scenario{
		{"an upload of an hour and a half", over(at(0), 18, hss, vps, 5*mb), at(0), at(3 * time.Hour), alert.High, "in 2 hours to 198.51.100.13 (NL, AS64501 Example VPS)"},
		{"too little", over(at(0), 18, hss, vps, 1*mb), at(0), at(3 * time.Hour), 0, ""},
		{"fast and short", over(at(0), 2, hss, vps, 80*mb), at(0), at(20 * time.Minute), alert.High, "in 10 minutes to 198.51.100.13"},
		{"in one window, little", over(at(0), 1, hss, vps, 80*mb), at(0), at(3 * time.Hour), 0, ""},
		{"in one window, very much", over(at(0), 1, hss, vps, 700*mb), at(0), at(time.Hour), alert.High, "700 MB"},
		{"the Sunday's backup", backup(sunday), sunday, sunday.Add(3 * time.Hour), 0, ""},
		{"at the hour of the Sunday's backup, to somebody else", backupTo(sunday, vps), sunday, sunday.Add(3 * time.Hour), alert.High, vps},
		{"the backup on a Friday, after two on Sundays", backup(sunday.Add(5 * day)), sunday.Add(5 * day), sunday.Add(3*time.Hour + 5*day), 0, ""},
		{"half as much more to the partner", over(at(0), 12, hss, partner, 0.2*mb), at(0), at(2 * time.Hour), 0, ""},
		{"to very many who ask", crowd(at(0)), at(0), at(2 * time.Hour), alert.Low, "to 120 networks"},
	}
}

// crowd are 120 networks that fetch a megabyte in each of two times five minutes.
func crowd(from time.Time) (all []flow) {
	for i := range 240 {
		ask := flow{At: from.Add(time.Duration(i/120)*5*time.Minute + time.Minute), Src: fmt.Sprintf("198.18.%d.7", i%120), Dst: hss, SrcPort: 50000, DstPort: 443,
			Flags: detecttest.Session, Packets: 200, Bytes: 20_000}
		all = append(all, ask, ask.Back(1000, mb))
	}
	return all
}

// of are the records as those of another address of the core.
func of(addr string, flows []flow) []flow {
	all := slices.Clone(flows)
	for i := range all {
		if all[i].Src == hss {
			all[i].Src = addr
		}
		if all[i].Dst == hss {
			all[i].Dst = addr
		}
	}
	return all
}

// TestScenarios has a system for each case, all with the same habits.
func TestScenarios(t *testing.T) {
	cases := scenarios()
	stage := open(t)
	addr := func(i int) string { return fmt.Sprintf("10.40.7.%d", i+1) }
	for i, c := range cases {
		stage.Flows(of(addr(i), habits(uint64(i), 15))...)
		stage.Flows(of(addr(i), c.does)...)
	}
	stage.Flows(over(at(0), 30, "10.40.9.9", vps, 20*mb)...) // a system that is new is not judged
	found := map[string][]alert.Finding{}
	for i, c := range cases {
		for _, f := range stage.Detect(detector(t), c.from, c.to) {
			if f.Asset.Addr.String() == addr(i) {
				found[c.name] = append(found[c.name], f)
			} else if f.Asset.Addr.String() == "10.40.9.9" {
				t.Errorf("found %q about a system that is new", f.Title)
			}
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t, stage, found[c.name]) })
	}
}

func (c *scenario) check(t *testing.T, stage *detecttest.Stage, found []alert.Finding) {
	if c.want == "" || len(found) == 0 {
		if len(found) > 0 || c.want != "" {
			t.Fatalf("found %q, want %q", detecttest.Titles(found), c.want)
		}
		return
	}
	worst := alert.Severity(0)
	for _, f := range found {
		worst = max(worst, f.Severity)
		if f.ID != found[0].ID {
			t.Errorf("another alert for the same thing: %s", f.Title)
		}
		if rows := stage.Rows(f.SQL); rows != f.Flows {
			t.Errorf("the finding counts %d flows, its query shows %d", f.Flows, rows)
		}
	}
	if worst != c.severity || !slices.ContainsFunc(found, func(f alert.Finding) bool { return strings.Contains(f.Title, c.want) }) {
		t.Errorf("found %q, want %s about %s", detecttest.Titles(found), c.severity, c.want)
	}
	last := found[len(found)-1]
	t.Logf("%s\n%s\n- %s\n- %s", last.Title, last.Summary, strings.Join(last.Reasons, "\n- "), strings.Join(last.NextSteps, "\n- "))
}

func backupTo(three time.Time, to string) (all []flow) {
	for _, f := range backup(three) {
		if f.Dst == archive {
			f.Dst = to
		} else {
			f.Src = to
		}
		all = append(all, f)
	}
	return all
}

func TestConfig(t *testing.T) {
	good := volume.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := volume.Config{AllowedBytes: 1, Bytes: 2_000_000}
	want := "history: 0s does not do: use whole days, 168h to 2160h\nwarm_up: 0s does not do: use 24h to history\nonce_bytes: 0 is below bytes\n" +
		"allowed_bytes: 1 is below bytes; 0 for never\nscore: 0 does not do: use 3 to 20\nfloor: 0 does not do: use 0.05 to 2\nshift: 0 does not do: use more than 0, at most 2"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}
