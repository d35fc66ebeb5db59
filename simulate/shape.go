package simulate

import "time"

// hourly is how busy people are at each full hour of a weekday, in UTC: the shape
// that broadband carriers see, low at four in the morning and high at eight in the
// evening.
func hourly() [24]float64 {
	return [24]float64{
		0.58, 0.44, 0.35, 0.31, 0.30, 0.32, 0.39, 0.49, 0.57, 0.62, 0.65, 0.67,
		0.70, 0.71, 0.72, 0.74, 0.77, 0.82, 0.89, 0.96, 1.00, 0.98, 0.90, 0.75,
	}
}

// Weekends wake later and do less.
const (
	weekendDelay = 90 * time.Minute
	weekendLevel = 0.92
)

// activity is how busy people are at a time, 1 in the busiest hour of the week.
func activity(second int64) float64 {
	t := time.Unix(second, 0).UTC()
	level := 1.0
	if weekend(t) {
		t, level = t.Add(-weekendDelay), weekendLevel
	}
	hours := hourly()
	into := float64(t.Minute()*60+t.Second()) / 3600
	return level * (hours[t.Hour()]*(1-into) + hours[(t.Hour()+1)%24]*into)
}

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// officeHours is well within the hours in which the inventory allows people to
// administer the lawful-intercept site, so that what starts in them ends in time.
func officeHours(second int64) bool {
	t := time.Unix(second, 0).UTC()
	minute := t.Hour()*60 + t.Minute()
	return !weekend(t) && minute >= 7*60+10 && minute < 18*60+50
}

// backupHour is when configurations are archived.
func backupHour(second int64) bool { return time.Unix(second, 0).UTC().Hour() == 2 }
