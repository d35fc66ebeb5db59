package offhours

import (
	"math/rand/v2"
	"testing"
	"time"
)

var monday = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)

// worker draws the sessions of somebody who works from one hour to another on working
// days, stays longer on some evenings, and is at work at any hour once in so many
// sessions.
func worker(random *rand.Rand, from, to int, perDay int, odd float64) func(day time.Time) []time.Time {
	return func(day time.Time) (all []time.Time) {
		if d := day.Weekday(); d == time.Saturday || d == time.Sunday {
			return nil
		}
		for range perDay {
			hour := from + random.IntN(to-from)
			if random.Float64() < 0.03 {
				hour = to // overtime
			}
			if random.Float64() < odd {
				hour = random.IntN(24)
			}
			all = append(all, day.Add(time.Duration(hour)*time.Hour+time.Duration(random.IntN(3600))*time.Second))
		}
		return all
	}
}

// follow runs the judgement over days, each session judged by what was before it, and
// returns how many hours were unusual.
func follow(cfg *Config, k *calendar, days int, sessions func(day time.Time) []time.Time) (unusual int, last *habit) {
	type event struct {
		at   time.Time
		slot slot
	}
	var past []event
	var h *habit
	for n := range days {
		day := monday.AddDate(0, 0, n)
		h = &habit{first: monday, sessions: map[slot]uint64{}}
		active := map[int]bool{}
		for _, e := range past {
			h.sessions[e.slot]++
			h.total++
			active[e.at.YearDay()] = true
		}
		h.activeDays = uint64(len(active))
		hours := map[int]bool{}
		for _, at := range sessions(day) {
			s := k.slot(at)
			used := map[int]bool{}
			for _, e := range past {
				if s.near(e.slot) {
					used[e.at.YearDay()] = true
				}
			}
			h.slotDays = uint64(len(used))
			if _, ok := cfg.judge(h, s, k.days(s.free, monday, day)); ok && n >= 14 && !hours[s.hour] {
				hours[s.hour] = true
				unusual++
			}
			past = append(past, event{at, s})
		}
	}
	return unusual, h
}

// TestQuiet follows a hundred people for eight weeks. Those who keep their hours, with
// overtime, are never a surprise. Where everybody works at any hour once in so many
// sessions, there are surprises; then the detector knows how often, and says it low.
func TestQuiet(t *testing.T) {
	cfg := DefaultConfig()
	k := cfg.calendar()
	for _, c := range []struct{ odd, most float64 }{{0, 0}, {0.002, 1.2}, {0.02, 4.5}} {
		random := rand.New(rand.NewPCG(1, 2))
		total, habits := 0, map[string]*habit{}
		for n := range 100 {
			unusual, h := follow(&cfg, k, 56, worker(random, 7+n%3, 16+n%3, 6+n%6, c.odd))
			total += unusual
			habits[string(rune('a'+n))] = h
		}
		perDay, known := float64(total)/42, surprises(habits, monday.AddDate(0, 0, 56))
		if perDay > c.most {
			t.Errorf("with %v odd sessions: %.2f surprises a day", c.odd, perDay)
		}
		if medium := known < often; medium != (perDay < often) {
			t.Errorf("with %v odd sessions: %.2f surprises a day, and %.2f are expected", c.odd, perDay, known)
		}
	}
}

// TestNight: who comes by night with the login of somebody who works by day is told,
// after two weeks and with fifty sessions; with more history the answer is surer.
func TestNight(t *testing.T) {
	cfg := DefaultConfig()
	k := cfg.calendar()
	night := slot{3, false}
	var before float64
	for _, weeks := range []int{2, 4, 8} {
		random := rand.New(rand.NewPCG(3, uint64(weeks)))
		_, h := follow(&cfg, k, 7*weeks, worker(random, 8, 17, 8, 0))
		h.slotDays = 0
		j, ok := cfg.judge(h, night, k.days(false, monday, monday.AddDate(0, 0, 7*weeks)))
		if !ok || j.confidence <= before {
			t.Errorf("after %d weeks: unusual %v, confidence %.3f, %.3f before", weeks, ok, j.confidence, before)
		}
		before = j.confidence
		if _, ok := cfg.judge(h, slot{10, false}, 10); ok {
			t.Errorf("after %d weeks ten in the morning is unusual", weeks)
		}
		if _, ok := cfg.judge(h, slot{18, false}, 10); ok {
			t.Errorf("after %d weeks an hour of overtime is unusual", weeks)
		}
	}
	if before < 0.95 {
		t.Errorf("after eight weeks the confidence is %.3f", before)
	}
}

// TestTooLittle: few sessions, or many of few days, are no habit.
func TestTooLittle(t *testing.T) {
	cfg := DefaultConfig()
	for name, h := range map[string]*habit{
		"49 sessions":          {total: 49, activeDays: 20, sessions: map[slot]uint64{{10, false}: 49}},
		"500 sessions, 9 days": {total: 500, activeDays: 9, sessions: map[slot]uint64{{10, false}: 500}},
		"three such nights":    {total: 5000, activeDays: 40, slotDays: 3, sessions: map[slot]uint64{{10, false}: 4997, {3, false}: 3}},
	} {
		if j, ok := cfg.judge(h, slot{3, false}, 40); ok {
			t.Errorf("%s: unusual %+v", name, j)
		}
	}
}

// TestClocks: hours are those of the time zone, over the change to winter time, and
// holidays are free.
func TestClocks(t *testing.T) {
	cfg := DefaultConfig()
	cfg.TimeZone, cfg.Holidays = "Europe/Berlin", []string{"2026-10-28"}
	k := cfg.calendar()
	if got := k.slot(time.Date(2026, 10, 23, 7, 30, 0, 0, time.UTC)); got != (slot{9, false}) {
		t.Errorf("Friday in summer time: %+v", got)
	}
	if got := k.slot(time.Date(2026, 10, 26, 7, 30, 0, 0, time.UTC)); got != (slot{8, false}) {
		t.Errorf("Monday in winter time: %+v", got)
	}
	if got := k.slot(time.Date(2026, 10, 28, 7, 30, 0, 0, time.UTC)); got != (slot{8, true}) {
		t.Errorf("a holiday: %+v", got)
	}
	from := time.Date(2026, 10, 19, 0, 0, 0, 0, time.UTC) // two weeks with a holiday
	to := from.AddDate(0, 0, 14)
	hours, dates := 0, map[uint16]bool{}
	for at := from; at.Before(to); at = at.Add(time.Hour) {
		dates[k.date(at)] = true
		if (slot{9, false}).near(k.slot(at)) {
			hours++
		}
	}
	if days := k.days(false, from, to); hours != 27 || days != 9 {
		t.Errorf("%d hours near nine on %d working days, want 27 on 9", hours, days)
	}
	if len(dates) != 15 { // it begins at two o'clock in the morning
		t.Errorf("%d dates, want 15", len(dates))
	}
}

func TestConfig(t *testing.T) {
	good := DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := DefaultConfig()
	bad.TimeZone, bad.Rare, bad.Holidays, bad.OnCall = "Mars", 0, []string{"25.12."}, []OnCall{{Schedule: "always"}}
	if err := bad.Validate(); err == nil || len(err.(interface{ Unwrap() []error }).Unwrap()) != 5 {
		t.Errorf("error %v, want five", err)
	}
}
