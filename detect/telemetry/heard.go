package telemetry

import (
	"context"
	_ "embed"
	"math/bits"
	"net/netip"
	"time"
)

//go:embed heard.sql
var heardSQL string

// heardHour is when an exporter was heard in an hour.
type heardHour struct {
	slots [6]uint64 // the ten seconds of the hour, as bits
	// ends are the last moments before pauses, in milliseconds since the hour began,
	// ascending: of ten seconds that the next ten do not follow.
	ends []uint32
}

const slotMillis = uint32(slot / time.Millisecond)

// add takes a moment later than those before.
func (h *heardHour) add(mark uint32) {
	at := min(mark/slotMillis, slotsPerHour-1)
	h.slots[at/64] |= 1 << (at % 64)
	if n := len(h.ends); n > 0 && at-h.ends[n-1]/slotMillis <= 1 {
		h.ends[n-1] = mark
		return
	}
	h.ends = append(h.ends, mark)
}

// last is the last of the first n ten seconds of the hour in which it was heard.
func (h *heardHour) last(n int64) (at int64, ok bool) {
	n = min(n, slotsPerHour)
	for word := (n - 1) / 64; word >= 0 && n > 0; word-- {
		seen := h.slots[word]
		if rest := n - word*64; rest < 64 {
			seen &= 1<<rest - 1
		}
		if seen != 0 {
			return word*64 + int64(bits.Len64(seen)) - 1, true
		}
	}
	return 0, false
}

// exact is the last moment of the ten seconds, where a pause follows.
func (h *heardHour) exact(at int64) time.Duration {
	for _, end := range h.ends {
		if int64(end/slotMillis) == at {
			return time.Duration(end) * time.Millisecond
		}
	}
	return time.Duration(at) * slot
}

func (p *past) readHeard(ctx context.Context, now, complete time.Time, back time.Duration) error {
	type row struct {
		Exporter netip.Addr `ch:"exporter"`
		Hour     time.Time  `ch:"hour"`
		Marks    []uint32   `ch:"marks"`
	}
	add := func(r *row, _ time.Time) {
		hour, addr := hourOf(r.Hour), r.Exporter.Unmap()
		h := p.heard[hour][addr]
		if h == nil {
			h = &heardHour{}
			p.heard.set(hour, addr, h)
			p.known[addr] = true
		}
		for _, mark := range r.Marks {
			h.add(mark)
			p.heardMinute[hour] |= 1 << min(mark/60_000, 59)
		}
	}
	clear := func() {
		p.heard, p.heardMinute, p.known = grid[netip.Addr, *heardHour]{}, map[int64]uint64{}, map[netip.Addr]bool{}
	}
	trim := func(whole, _ time.Time) {
		if _, old := p.heard[hourOf(whole)-1]; old {
			p.heard.trim(hourOf(whole))
			p.known = map[netip.Addr]bool{}
			for _, row := range p.heard {
				for addr := range row {
					p.known[addr] = true
				}
			}
		}
		for h := range p.heardMinute {
			if h < hourOf(whole) {
				delete(p.heardMinute, h)
			}
		}
	}
	return read(ctx, p, &p.heardTo, now, complete, back, "when exporters were heard", heardSQL, clear, add, trim)
}

// lastSlot is the last ten seconds before t, and not before since, in which the
// exporter was heard, counted since 1970.
func (p *past) lastSlot(addr netip.Addr, t, since time.Time) (at int64, ok bool) {
	for h := hourOf(t.Add(-1)); h >= hourOf(since); h-- {
		if heard := p.heard[h][addr]; heard != nil {
			n := int64(t.Sub(atHour(h)) / slot)
			if at, ok = heard.last(n); ok {
				at += h * slotsPerHour
				return at, at >= since.Unix()/10
			}
		}
	}
	return 0, false
}

// exactly is the last moment of ten seconds after which the exporter paused.
func (p *past) exactly(addr netip.Addr, at int64) time.Time {
	h := at / slotsPerHour
	return atHour(h).Add(p.heard[h][addr].exact(at % slotsPerHour))
}

// between gives the ten seconds from a up to b in which the exporter was heard.
func (p *past) between(addr netip.Addr, a, b int64, yield func(at int64)) {
	for h := a / slotsPerHour; h*slotsPerHour < b; h++ {
		heard := p.heard[h][addr]
		if heard == nil {
			continue
		}
		for word, seen := range heard.slots {
			for ; seen != 0; seen &= seen - 1 {
				at := h*slotsPerHour + int64(word*64+bits.TrailingZeros64(seen))
				if at >= a && at < b {
					yield(at)
				}
			}
		}
	}
}

// listened is which share of the time from minute a up to b, by tens of minutes, the
// exporter was heard in.
func (p *past) listened(addr netip.Addr, a, b int64) float64 {
	const block = 10 // minutes
	blocks := map[int64]bool{}
	p.between(addr, a*6, b*6, func(at int64) { blocks[(at/6-a)/block] = true })
	return float64(len(blocks)) / float64((b-a+block-1)/block)
}

// firstSlot is the beginning of the first ten seconds in [from, to) in which the
// exporter was heard.
func (p *past) firstSlot(addr netip.Addr, from, to time.Time) (first time.Time, ok bool) {
	p.between(addr, from.Unix()/10, to.Unix()/10, func(at int64) {
		if !ok {
			first, ok = time.Unix(at*10, 0).UTC(), true
		}
	})
	return first, ok
}
