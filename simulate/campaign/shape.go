package campaign

import "time"

// shape is how busy something is at each hour of the week (hour 0 is Monday's
// first, UTC), with a mean of 1.
type shape struct {
	hours [168]float64
	most  float64
}

func newShape(level func(day, hour int) float64) *shape {
	s := new(shape)
	sum := 0.0
	for h := range s.hours {
		s.hours[h] = level(h/24, h%24)
		sum += s.hours[h]
	}
	for h := range s.hours {
		s.hours[h] *= float64(len(s.hours)) / sum
		s.most = max(s.most, s.hours[h])
	}
	return s
}

// at is the level at a time, in Unix milliseconds.
func (s *shape) at(ms int64) float64 { return s.hours[hourOfWeek(ms)] }

// hourOfWeek counts from Monday, UTC: the Unix epoch was a Thursday.
func hourOfWeek(ms int64) int { return int((ms/3_600_000 + 3*24) % 168) }

// Days of shape: Saturday and Sunday.
func weekend(day int) bool { return day >= 5 }

// daily is how busy subscribers are at each full hour, in UTC: low at four in the
// morning and high at eight in the evening.
var daily = [24]float64{
	0.58, 0.44, 0.35, 0.31, 0.30, 0.32, 0.39, 0.49, 0.57, 0.62, 0.65, 0.67,
	0.70, 0.71, 0.72, 0.74, 0.77, 0.82, 0.89, 0.96, 1.00, 0.98, 0.90, 0.75,
}

// The shapes of the carrier's traffic.
type shapes struct {
	flat, people, night *shape
	// office are the shifts of people at work, some earlier than others; desk is
	// strictly within 08:00-18:00 of workdays; noc is a round-the-clock crew.
	office    []*shape
	desk, noc *shape
}

func newShapes() *shapes {
	s := &shapes{
		flat: newShape(func(int, int) float64 { return 1 }),
		people: newShape(func(day, hour int) float64 {
			if weekend(day) {
				return 0.85 * daily[(hour+23)%24]
			}
			return daily[hour]
		}),
		night: newShape(func(_, hour int) float64 {
			if hour >= 1 && hour < 5 {
				return 1
			}
			return 0.02
		}),
		desk: newShape(func(day, hour int) float64 {
			if weekend(day) || hour < 8 || hour >= 18 {
				return 0
			}
			return 1
		}),
		noc: newShape(func(day, hour int) float64 {
			if weekend(day) || hour < 7 || hour >= 19 {
				return 0.4
			}
			return 1
		}),
	}
	for early := -1; early <= 1; early++ {
		s.office = append(s.office, newShape(func(day, hour int) float64 {
			return atWork(day, hour+early)
		}))
	}
	return s
}

// atWork is how many people of a crew are at their desks.
func atWork(day, hour int) float64 {
	switch {
	case weekend(day):
		return 0
	case hour == 7:
		return 0.3
	case hour == 12:
		return 0.6
	case hour >= 8 && hour < 17:
		return 1
	case hour == 17:
		return 0.4
	case hour == 18:
		return 0.06
	}
	return 0
}

const (
	second = int64(time.Second / time.Millisecond)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)
