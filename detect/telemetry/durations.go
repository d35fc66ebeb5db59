package telemetry

import (
	"context"
	_ "embed"
	"math"
	"net/netip"
	"time"
)

//go:embed durations.sql
var durationsSQL string

// spans counts the longer records of an exporter by how long they are: bucket b holds
// those of at least 2^(b/2) seconds and less than 2^((b+1)/2).
type spans [41]uint64

// long gives the shortest duration of the bucket.
func long(bucket int) time.Duration {
	return time.Duration(math.Exp2(float64(bucket)/2) * float64(time.Second)).Round(time.Second)
}

func (s *spans) join(other *spans) {
	if other == nil {
		return
	}
	for i, n := range other {
		s[i] += n
	}
}

// from is how many records are in the bucket or a longer one.
func (s *spans) from(bucket int) (n uint64) {
	for _, k := range s[max(0, bucket):] {
		n += k
	}
	return n
}

// cut is the bucket in which an active timeout cuts the records, by the pile that
// stands there: the longest bucket that, with the one before, holds a tenth of the
// records and beyond which there is next to nothing. ok is false where there is none.
func (s *spans) cut() (bucket int, ok bool) {
	all := s.from(0)
	for b := len(s) - 1; b > 0; b-- {
		if s.from(b+1)*200 > all {
			return 0, false // there are long ones without a pile
		}
		if (s[b]+s[b-1])*10 >= all && s[b]*40 >= all {
			return b, all > 0
		}
	}
	return 0, false
}

// tenMinutes is the unit of durations, in minutes.
const tenMinutes = 10

func (p *past) readDurations(ctx context.Context, now, complete time.Time, back time.Duration) error {
	type row struct {
		Exporter netip.Addr `ch:"exporter"`
		Start    time.Time  `ch:"start"`
		Bucket   uint8      `ch:"bucket"`
		Flows    uint64     `ch:"flows"`
	}
	count := func(g grid[netip.Addr, *spans], at int64, addr netip.Addr, r *row) {
		s := g[at][addr]
		if s == nil {
			s = new(spans)
			g.set(at, addr, s)
		}
		s[min(int(r.Bucket), len(s)-1)] += r.Flows
	}
	add := func(r *row, fine time.Time) {
		addr := r.Exporter.Unmap()
		count(p.longHours, hourOf(r.Start), addr, r)
		if !r.Start.Before(fine) {
			count(p.longSlots, minuteOf(r.Start)/tenMinutes, addr, r)
		}
	}
	clear := func() { p.longHours, p.longSlots = grid[netip.Addr, *spans]{}, grid[netip.Addr, *spans]{} }
	trim := func(whole, fine time.Time) {
		p.longHours.trim(hourOf(whole))
		p.longSlots.trim(minuteOf(fine) / tenMinutes)
	}
	return read(ctx, p, &p.durationsTo, now, complete, back, "how long records are", durationsSQL, clear, add, trim)
}
