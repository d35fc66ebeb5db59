package volume

import (
	"context"
	"net/netip"
	"time"
)

const (
	// settled is how long ago something must have been to count as a habit: an intruder
	// of this week does not make one.
	settled = 156 * time.Hour // a week less half a day
	// receivers is how many networks are looked at.
	receivers = 5
)

// withoutHabits takes away what networks got that are used to getting as much: in the
// same hours of the week before, or on two days before that week. What remains is judged
// again.
func (s *scene) withoutHabits(ctx context.Context, c *kase, u unusual) (unusual, bool, error) {
	var habits []netip.Prefix
	for _, to := range u.to[:min(len(u.to), receivers)] {
		hours, err := s.habit(ctx, u.key, to.network, to.peak/2, s.since, c.last.Add(-settled))
		if err != nil {
			return u, false, err
		}
		if habitual(hours, c.last) {
			habits = append(habits, to.network)
		}
	}
	if len(habits) == 0 {
		return u, true, nil
	}
	u, ok := s.judge(c, u.key, u.allowed, habits)
	return u, ok, nil
}

// habitual tells whether the hours make a habit of what happens at a time: two days of
// them, or the same day of the week within two hours.
func habitual(hours []time.Time, at time.Time) bool {
	days := map[time.Time]bool{}
	for _, h := range hours {
		days[h.Truncate(day)] = true
		apart := at.Sub(h) % (7 * day)
		if apart <= 2*time.Hour+59*time.Minute || apart >= 7*day-2*time.Hour {
			return true
		}
	}
	return len(days) >= 2
}
