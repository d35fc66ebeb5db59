package inventory_test

import (
	"testing"
	"time"

	"tapwatch/inventory"
)

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		schedule, at string // at is RFC 3339
		want         bool
	}{
		{"", "2026-11-22T03:00:00Z", true},
		// 2026-11-23 is a Monday.
		{"Mon-Fri 07:00-19:00 UTC", "2026-11-23T06:59:59Z", false},
		{"Mon-Fri 07:00-19:00 UTC", "2026-11-23T07:00:00Z", true},
		{"Mon-Fri 07:00-19:00 UTC", "2026-11-23T18:59:59Z", true},
		{"Mon-Fri 07:00-19:00 UTC", "2026-11-23T19:00:00Z", false},
		{"Mon-Fri 07:00-19:00 UTC", "2026-11-28T12:00:00Z", false},
		{"mon,wed 07:00-19:00 UTC", "2026-11-25T12:00:00Z", true},
		{"mon,wed 07:00-19:00 UTC", "2026-11-24T12:00:00Z", false},
		{"Fri-Mon UTC", "2026-11-22T00:00:00Z", true},
		{"Fri-Mon UTC", "2026-11-24T00:00:00Z", false},
		{"Mon,Thu-Sat UTC", "2026-11-27T23:59:59Z", true},
		{"07:00-19:00 UTC", "2026-11-22T08:00:00Z", true},
		{"00:00-24:00 UTC", "2026-11-22T23:59:59Z", true},
		// Over midnight: the day is the one on which the hours begin.
		{"Fri 22:00-06:00 UTC", "2026-11-27T21:59:00Z", false},
		{"Fri 22:00-06:00 UTC", "2026-11-27T22:00:00Z", true},
		{"Fri 22:00-06:00 UTC", "2026-11-28T05:59:00Z", true},
		{"Fri 22:00-06:00 UTC", "2026-11-28T06:00:00Z", false},
		{"Fri 22:00-06:00 UTC", "2026-11-27T05:00:00Z", false},
		{"Sat 22:00-06:00 UTC", "2026-11-29T01:00:00Z", true},
		// Clocks of the zone, in winter and in summer.
		{"Mon-Fri 07:00-19:00 Europe/Berlin", "2026-11-23T06:00:00Z", true},
		{"Mon-Fri 07:00-19:00 Europe/Berlin", "2026-07-06T05:00:00Z", true},
		{"Mon-Fri 07:00-19:00 Europe/Berlin", "2026-07-06T04:59:00Z", false},
		{"Mon 00:00-01:00 America/Los_Angeles", "2026-11-23T08:30:00Z", true},
	} {
		s, err := inventory.ParseSchedule(c.schedule)
		if err != nil {
			t.Errorf("%q: %v", c.schedule, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Contains(at); got != c.want {
			t.Errorf("%q at %s: %v", c.schedule, c.at, got)
		}
		if s.String() != c.schedule {
			t.Errorf("%q became %q", c.schedule, s)
		}
	}
}

func TestBadSchedules(t *testing.T) {
	for text, want := range map[string]string{
		"Mon-Fri 07:00-19:00":            `"07:00-19:00" is no time zone: end the schedule with one, such as UTC or Europe/Berlin`,
		"Mon-Fri":                        `"Mon-Fri" is no time zone: end the schedule with one, such as UTC or Europe/Berlin`,
		"UTC":                            `"UTC" is no schedule: write days, hours and a time zone, as in Mon-Fri 07:00-19:00 Europe/Berlin`,
		"Mon 07:00-19:00 Europe/Bonn":    `unknown time zone "Europe/Bonn": use a name of the IANA time zone database, such as UTC or Europe/Berlin`,
		"Mon 07:00-19:00 Local":          `the time zone Local differs from machine to machine: name it, as in UTC or Europe/Berlin`,
		"Mon 7-19 UTC":                   `"7-19" are no hours: write HH:MM-HH:MM, from 00:00 to 24:00`,
		"Mon 07:00 UTC":                  `"07:00" are no hours: write HH:MM-HH:MM, from 00:00 to 24:00`,
		"Mon 07:00-25:00 UTC":            `"07:00-25:00" are no hours: write HH:MM-HH:MM, from 00:00 to 24:00`,
		"Mon 24:00-07:00 UTC":            `"24:00-07:00" are no hours: write HH:MM-HH:MM, from 00:00 to 24:00`,
		"Mon 07:00-07:00 UTC":            `"07:00-07:00" is no time at all: for the whole day leave the hours out`,
		"Monday 07:00-19:00 UTC":         `"Monday" are no days: use Mon, Tue, Wed, Thu, Fri, Sat and Sun, as in Mon-Fri or Mon,Wed`,
		"Mon, Wed 07:00-19:00 UTC":       `"Mon, Wed 07:00-19:00 UTC" is no schedule: write days, hours and a time zone, as in Mon-Fri 07:00-19:00 Europe/Berlin`,
		"Mon- 07:00-19:00 UTC":           `"Mon-" are no days: use Mon, Tue, Wed, Thu, Fri, Sat and Sun, as in Mon-Fri or Mon,Wed`,
		"Mon 07:00-19:00 ../../etc/zone": `unknown time zone "../../etc/zone": use a name of the IANA time zone database, such as UTC or Europe/Berlin`,
	} {
		if _, err := inventory.ParseSchedule(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}
