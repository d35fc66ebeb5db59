package offhours

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"tapwatch/detect"
)

// past is a history of so many sessions an hour, without a database.
type past struct {
	detect.History
	rows   []row
	stored time.Time // when all hours were
	// complete is up to when everything is stored, if somebody has said.
	complete time.Time
	read     int // how many hours of sessions were asked for
}

// office are people who work by day, and on a rare night, over the end of summer time.
func office(seed uint64, days int) *past {
	random := rand.New(rand.NewPCG(seed, 1))
	p := &past{stored: monday}
	for at := monday.AddDate(0, 0, -days); at.Before(monday.AddDate(0, 0, 100)); at = at.Add(time.Hour) {
		for n := range 12 {
			often := 0.0005
			if at.Hour() >= 7+n%3 && at.Hour() < 16 && at.Weekday()%6 != 0 {
				often = 0.8
			}
			if random.Float64() < often {
				p.rows = append(p.rows, row{Hour: at, Source: fmt.Sprint("admin-", n), Sessions: 1 + random.Uint64N(3)})
			}
		}
	}
	return p
}

func (p *past) Complete() time.Time { return p.complete }

// Select gives the rows between the query's bounds; nothing else is asked.
func (p *past) Select(_ context.Context, dest any, _ string, args ...any) error {
	from, to := bound(args[0]), bound(args[1])
	switch dest := dest.(type) {
	case *[]row:
		p.read += int(to.Sub(from).Hours())
		*dest = p.between(from, to)
	case *[]struct {
		Hour   time.Time `ch:"hour"`
		Stored time.Time `ch:"stored"`
	}:
		for at := from; at.Before(to); at = at.Add(time.Hour) {
			*dest = append(*dest, struct {
				Hour   time.Time `ch:"hour"`
				Stored time.Time `ch:"stored"`
			}{at, p.stored})
		}
	default:
		return fmt.Errorf("a query for %T", dest)
	}
	return nil
}

func (p *past) between(from, to time.Time) (some []row) {
	for _, r := range p.rows {
		if !r.Hour.Before(from) && r.Hour.Before(to) {
			some = append(some, r)
		}
	}
	return some
}

func bound(arg any) time.Time {
	seconds, err := strconv.ParseFloat(arg.(driver.NamedValue).Value.(string), 64)
	if err != nil {
		panic(err)
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// window is an hour so long after the first Monday.
func window(after time.Duration) detect.Window {
	return detect.Window{Start: monday.Add(after), End: monday.Add(after + time.Hour)}
}

// days are the windows of the days [from, to).
func days(from, to int) (all []detect.Window) {
	for w := window(time.Duration(from) * 24 * time.Hour); w.Start.Before(monday.AddDate(0, 0, to)); w = (detect.Window{Start: w.End, End: w.End.Add(time.Hour)}) {
		all = append(all, w)
	}
	return all
}

func backwards(all []detect.Window) []detect.Window {
	slices.Reverse(all)
	return all
}

// TestBook: what a detector remembers of windows before, whatever their order, says the
// same as the history itself, and as a detector that remembers nothing.
func TestBook(t *testing.T) {
	cfg := DefaultConfig()
	cfg.TimeZone, cfg.Holidays, cfg.History = "Europe/Berlin", []string{"2026-10-28"}, 21*24*time.Hour
	one, other := office(1, 21), office(2, 21)
	d := New(cfg, nil)
	surprised := 0
	for _, step := range []struct {
		name    string
		history *past
		before  func()
		windows []detect.Window
		read    int // hours; -1: any number
	}{
		{"in order, over the end of summer time", one, nil, days(21, 60), 21*24 + 39*24},
		{"the last day again", one, nil, days(59, 60), 21*24 + 24},
		{"far behind", one, nil, days(62, 63), 3 * 24},
		{"after a gap that is longer than the history", one, nil, days(90, 92), 21*24 + 2*24},
		{"backwards", one, nil, backwards(days(40, 42)), -1},
		{"another history", other, nil, days(42, 43), 21*24 + 24},
		{"hours made anew", other, func() { *other = *office(3, 21); other.stored = monday.Add(time.Hour) }, days(43, 44), 21*24 + 24},
		{"the first again", one, nil, days(42, 43), 21*24 + 24},
		{"all being stored, a day ahead", one, func() { one.complete = monday.AddDate(0, 0, 60) }, days(70, 71), 21*24 + 24},
		{"and before its end", one, nil, days(50, 52), 21*24 + 25 + 25},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.before != nil {
				step.before()
			}
			step.history.read = 0
			read := 0
			for _, w := range step.windows {
				unusual, perDay, err := d.unusual(t.Context(), w, step.history)
				if err != nil {
					t.Fatal(err)
				}
				read = step.history.read
				surprised += len(unusual)
				checkPast(t, d, step.history, w)
				if w.Start.Hour()%6 != 3 && len(unusual) == 0 {
					continue // a fresh detector reads everything
				}
				again, perDayAgain, err := New(cfg, nil).unusual(t.Context(), w, step.history)
				if err != nil {
					t.Fatal(err)
				}
				step.history.read = read
				if diff := cmp.Diff(again, unusual, cmp.AllowUnexported(judgement{}, slot{})); diff != "" || perDay != perDayAgain {
					t.Fatalf("window from %v: %v surprises a day, want %v (-fresh +after others):\n%s", w.Start, perDay, perDayAgain, diff)
				}
			}
			if step.read >= 0 && read != step.read {
				t.Errorf("%d hours were read, want %d", read, step.read)
			}
		})
	}
	if surprised < 5 {
		t.Errorf("only %d were unusual: that shows nothing", surprised)
	}
}

// checkPast holds the book against the rows of the history before the window.
func checkPast(t *testing.T, d *Detector, p *past, w detect.Window) {
	t.Helper()
	since := w.Start.Add(-d.cfg.History)
	s, k := d.calendar.slot(w.Start), d.calendar
	want, wantDays := map[string]*habit{}, map[string]uint64{}
	dates, near := map[string]bool{}, map[string]bool{}
	for _, r := range p.between(since, w.Start) {
		h := want[r.Source]
		if h == nil {
			h = &habit{first: r.Hour, sessions: map[slot]uint64{}}
			want[r.Source] = h
		}
		h.sessions[k.slot(r.Hour)] += r.Sessions
		h.total += r.Sessions
		date := r.Source + r.Hour.In(k.location).Format(time.DateOnly)
		if !dates[date] {
			dates[date] = true
			h.activeDays++
		}
		x := k.slot(r.Hour)
		if beside := x.hour == s.hour || x.hour == (s.hour+1)%24 || x.hour == (s.hour+23)%24; beside && x.free == s.free && !near[date] {
			near[date] = true
			wantDays[r.Source]++
		}
	}
	from, to := hourOf(since), hourOf(w.Start)
	if diff := cmp.Diff(want, d.book.habits(from, to), cmp.AllowUnexported(habit{}, slot{})); diff != "" {
		t.Fatalf("habits before %v (-want +got):\n%s", w.Start, diff)
	}
	for source, page := range d.book.pages {
		if got := page.between(from, to).slotDays(s); got != wantDays[source] {
			t.Fatalf("%s used the slot of %v on %d days, want %d", source, w.Start, got, wantDays[source])
		}
		if first := page[0].hour; first < from-24 {
			t.Fatalf("what %s did in the hour of %v is not forgotten at %v", source, begin(first), w.Start)
		}
	}
}
