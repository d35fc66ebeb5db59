package offhours

import (
	"math"
	"time"

	"tapwatch/detect/baseline"
)

// slot is an hour of the day, on working days or on free ones.
type slot struct {
	hour int
	free bool
}

func (k *calendar) slot(at time.Time) slot { return slot{at.In(k.location).Hour(), k.free(at)} }

// date counts the days from 1970 to the one that it is then.
func (k *calendar) date(at time.Time) uint16 {
	year, month, day := at.In(k.location).Date()
	return uint16(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// near tells whether the other is the slot or an hour beside it.
func (s slot) near(other slot) bool {
	apart := (other.hour - s.hour + 24) % 24
	return other.free == s.free && (apart <= 1 || apart == 23)
}

// days counts the working days, or the free ones, of [from, to).
func (k *calendar) days(free bool, from, to time.Time) (n int) {
	local := from.In(k.location)
	for d := time.Date(local.Year(), local.Month(), local.Day(), 12, 0, 0, 0, k.location); d.Before(to); d = d.AddDate(0, 0, 1) {
		if k.free(d) == free {
			n++
		}
	}
	return n
}

// habit is when a source opened sessions before.
type habit struct {
	first time.Time // the first of them
	// sessions by slot; total is their sum, activeDays on how many days they were.
	sessions   map[slot]uint64
	total      uint64
	activeDays uint64
	// slotDays is on how many days the slot in question, or an hour beside it, was used.
	slotDays uint64
}

// around is how many sessions were in the slot or an hour beside it.
func (h *habit) around(s slot) (n uint64) {
	for d := -1; d <= 1; d++ {
		n += h.sessions[slot{(s.hour + d + 24) % 24, s.free}]
	}
	return n
}

// rank is how many sessions were in slots that are used as little as that one, or less:
// of their density the tail, so that one who now and then works at any hour of the
// night is not a surprise each time (highest density regions: Hyndman, "Computing and
// Graphing Highest Density Regions", The American Statistician 50, 1996). For a slot
// that was never used those count that were used once: their share estimates that of
// all slots never seen (Good, "The Population Frequencies of Species and the Estimation
// of Population Parameters", Biometrika 40, 1953).
func (h *habit) rank(s slot) (n uint64) {
	limit := max(h.around(s), 1)
	for x, sessions := range h.sessions {
		if h.around(x) <= limit {
			n += sessions
		}
	}
	return n
}

// judgement is how unusual a slot is for a source.
type judgement struct {
	slot slot
	// inSlot of all sessions were in the slot or beside it, in slots as rare as that
	// asRare, on slotDays of likeDays days of the kind.
	inSlot, asRare, all, slotDays uint64
	likeDays                      int
	// confidence that less than Rare of the sessions belong there, and that it is used
	// on less than one in ten such days.
	confidence float64
	rarity     float64
}

// usedDays is the share of days below which an hour counts as not used.
const usedDays = 0.1

// judge tells how unusual the slot is; ok is false where it is not, or where too little
// is known.
//
// Both bounds are posterior probabilities under Jeffreys' prior Beta(½, ½) of a
// binomial share (Brown, Cai, DasGupta, "Interval Estimation for a Binomial
// Proportion", Statistical Science 16, 2001): with k of n seen, P(share < x) =
// Iₓ(k+½, n−k+½). The second counts days, since the sessions of one evening are no
// independent draws.
func (c *Config) judge(h *habit, s slot, likeDays int) (j judgement, ok bool) {
	j = judgement{slot: s, inSlot: h.around(s), asRare: h.rank(s), all: h.total, slotDays: h.slotDays, likeDays: likeDays}
	if h.total < c.Sessions || h.activeDays < c.Days || h.slotDays >= c.HabitDays {
		return j, false
	}
	n := float64(h.total)
	if float64(j.inSlot) >= c.Rare*n || float64(j.asRare) >= c.Rare*n {
		return j, false
	}
	j.rarity = (float64(j.asRare) + 0.5) / (n + 1)
	j.confidence = min(below(c.Rare, float64(j.inSlot), n), below(usedDays, float64(j.slotDays), float64(max(likeDays, int(j.slotDays)))))
	return j, j.confidence >= 0.5
}

// below is the probability that a share of which k of n were seen is below x.
func below(x, k, n float64) float64 { return math.Exp(baseline.LogIncompleteBeta(k+0.5, n-k+0.5, x)) }

// alone counts the sessions that no other of the source is near to, in its whole
// history: the hours at which it was seen once and never again.
func (h *habit) alone() (n uint64) {
	for s, sessions := range h.sessions {
		if sessions == 1 && h.around(s) == 1 {
			n++
		}
	}
	return n
}

// surprises is how many such sessions all sources together open in a day. Among many
// people somebody works at an odd hour every now and then; by the same estimate of Good
// that is how often this detector has a reason to speak where nothing is wrong.
func surprises(habits map[string]*habit, at time.Time) float64 {
	var n uint64
	first := at
	for _, h := range habits {
		n += h.alone()
		if h.first.Before(first) {
			first = h.first
		}
	}
	return float64(n) / max(at.Sub(first).Hours()/24, 1)
}
