package inventory

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // schedules name time zones, and a small machine may know none
)

// Schedule is the part of a week in which a rule holds. The zero Schedule is
// always.
type Schedule struct {
	text     string
	days     [7]bool // by time.Weekday, the day on which the hours begin
	from, to int     // minutes of the day; to <= from: until then on the next day
	location *time.Location
}

const minutesPerDay = 24 * 60

// String gives the schedule as written in the file; empty for always.
func (s Schedule) String() string { return s.text }

// Contains tells whether the schedule holds at that time, by the clocks of its
// time zone. The minute of the end is not part of it.
func (s Schedule) Contains(at time.Time) bool {
	if s.location == nil {
		return true
	}
	local := at.In(s.location)
	minute := local.Hour()*60 + local.Minute()
	today := local.Weekday()
	if s.from < s.to {
		return s.days[today] && s.from <= minute && minute < s.to
	}
	yesterday := (today + 6) % 7
	return s.days[today] && s.from <= minute || s.days[yesterday] && minute < s.to
}

// localText tells a time as the clocks of the schedule's time zone do.
func (s Schedule) localText(at time.Time) string { return at.In(s.location).Format("Mon 15:04 MST") }

// ParseSchedule reads days, hours and a time zone, such as
// "Mon-Fri 07:00-19:00 Europe/Berlin", "Mon,Wed 22:00-02:00 UTC" (over midnight:
// the days are those on which the hours begin), "Sat-Sun UTC" (all day) and
// "07:00-19:00 UTC" (every day). Empty text is always.
func ParseSchedule(text string) (Schedule, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Schedule{}, nil
	}
	s := Schedule{text: strings.Join(words, " "), to: minutesPerDay}
	zone := words[len(words)-1]
	words = words[:len(words)-1]
	if err := s.parseZone(zone); err != nil {
		return Schedule{}, err
	}
	if len(words) == 0 || len(words) > 2 {
		return Schedule{}, fmt.Errorf("%q is no schedule: write days, hours and a time zone, as in Mon-Fri 07:00-19:00 Europe/Berlin", text)
	}
	hours := words[len(words)-1]
	if strings.Contains(hours, ":") {
		if err := s.parseHours(hours); err != nil {
			return Schedule{}, err
		}
		words = words[:len(words)-1]
	}
	return s, s.parseDays(words)
}

func (s *Schedule) parseZone(name string) (err error) {
	s.location, err = time.LoadLocation(name)
	switch {
	case strings.ContainsAny(name, ":,") || err != nil && !strings.Contains(name, "/"):
		return fmt.Errorf("%q is no time zone: end the schedule with one, such as UTC or Europe/Berlin", name)
	case err != nil:
		return fmt.Errorf("unknown time zone %q: use a name of the IANA time zone database, such as UTC or Europe/Berlin", name)
	case name == "Local":
		return fmt.Errorf("the time zone Local differs from machine to machine: name it, as in UTC or Europe/Berlin")
	}
	return nil
}

func (s *Schedule) parseHours(text string) error {
	from, to, found := strings.Cut(text, "-")
	var errFrom, errTo error
	s.from, errFrom = parseClock(from)
	s.to, errTo = parseClock(to)
	switch {
	case !found || errFrom != nil || errTo != nil || s.from == minutesPerDay:
		return fmt.Errorf("%q are no hours: write HH:MM-HH:MM, from 00:00 to 24:00", text)
	case s.from == s.to:
		return fmt.Errorf("%q is no time at all: for the whole day leave the hours out", text)
	}
	return nil
}

// parseClock gives the minute of the day of HH:MM, up to 24:00.
func parseClock(text string) (int, error) {
	if text == "24:00" {
		return minutesPerDay, nil
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err
}

// parseDays reads at most one word, such as Mon, Mon-Fri or Mon,Wed,Fri-Sat.
func (s *Schedule) parseDays(words []string) error {
	if len(words) == 0 {
		s.days = [7]bool{true, true, true, true, true, true, true}
		return nil
	}
	if len(words) > 1 {
		return fmt.Errorf("%q are no hours: write HH:MM-HH:MM, from 00:00 to 24:00", words[1])
	}
	for part := range strings.SplitSeq(words[0], ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, okFrom := weekday(first)
		to, okTo := weekday(last)
		if !okFrom || !okTo {
			return fmt.Errorf("%q are no days: use Mon, Tue, Wed, Thu, Fri, Sat and Sun, as in Mon-Fri or Mon,Wed", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			s.days[d] = true
			if d == to {
				break
			}
		}
	}
	return nil
}

// weekday reads an English weekday of three letters, whatever the case.
func weekday(text string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(text, d.String()[:3]) {
			return d, true
		}
	}
	return 0, false
}
