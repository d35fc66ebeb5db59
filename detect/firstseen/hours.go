package firstseen

import (
	"context"
	"time"
)

// stay is some hours on end, counted from 1970; both belong to it.
type stay struct{ first, last int32 }

// hours are those in which something was seen, in order. What is there all the time is
// one stay, whatever the length of the history.
type hours []stay

// hourOf is the first hour that does not begin before t.
func hourOf(t time.Time) int32 {
	hour := int32(t.Unix() / 3600)
	if timeOf(hour).Before(t) {
		hour++
	}
	return hour
}

func timeOf(hour int32) time.Time { return time.Unix(int64(hour)*3600, 0).UTC() }

// add notes an hour that is not before those that are known.
func (h *hours) add(hour int32) {
	if n := len(*h); n > 0 && hour <= (*h)[n-1].last+1 {
		(*h)[n-1].last = hour
		return
	}
	*h = append(*h, stay{hour, hour})
}

// from is the first hour from since on.
func (h hours) from(since int32) (first int32, ok bool) {
	for _, s := range h {
		if s.last >= since {
			return max(s.first, since), true
		}
	}
	return 0, false
}

// after leaves those from since on.
func (h hours) after(since int32) hours {
	n := 0
	for n < len(h) && h[n].last < since {
		n++
	}
	if n == 0 {
		return h
	}
	return append(hours(nil), h[n:]...)
}

// sightings are the hours, before to, in which each of its keys was seen.
type sightings[K comparable] struct {
	to   int32
	seen map[K]hours
}

// begin forgets everything: nothing before since is read any more.
func (s *sightings[K]) begin(since int32) { s.to, s.seen = since, map[K]hours{} }

// chunk is how much of the history is read in one go, in hours: of more the rows take
// much memory.
const chunk = 24

// read makes them stand for the hours up to need, and, where those are complete as well,
// for as many as one query may read: up to end. more gives, hour by hour, who was seen
// in [from, to).
func (s *sightings[K]) read(ctx context.Context, need, end int32, more func(ctx context.Context, from, to time.Time, see func(K, time.Time)) error) error {
	for s.to < need {
		to := min(s.to+chunk, end)
		err := more(ctx, timeOf(s.to), timeOf(to), func(k K, at time.Time) {
			h := s.seen[k]
			h.add(hourOf(at))
			s.seen[k] = h
		})
		if err != nil {
			return err
		}
		s.to = to
	}
	return nil
}

// forget drops what was before since.
func (s *sightings[K]) forget(since int32) {
	s.to = max(s.to, since)
	for k, h := range s.seen {
		if left := h.after(since); len(left) > 0 {
			s.seen[k] = left
		} else {
			delete(s.seen, k)
		}
	}
}
