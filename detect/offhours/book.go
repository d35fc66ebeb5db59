package offhours

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"tapwatch/detect"
)

//go:embed book.sql
var bookSQL string

// book keeps in which hours of the history sources opened sessions, so that each hour is
// read once. It is a memory of what no longer changes: emptied, it fills with the same.
type book struct {
	mu sync.Mutex
	// memory tells whether the hours [from, to) are still those that were read.
	memory   detect.Memory
	from, to int32
	pages    map[string]page // by source
}

// page is one source's hours in which it opened sessions, ascending.
type page []entry

// entry is how many sessions a source opened in an hour, counted from 1970, and what day
// and hour that was where people work. A history has many: it is small.
type entry struct {
	sessions uint64
	hour     int32
	date     uint16
	clock    uint8
	free     bool
}

func (e *entry) slot() slot { return slot{int(e.clock), e.free} }

// hourOf counts the hours from 1970 to the first that begins at t or later.
func hourOf(t time.Time) int32 { return int32((t.Unix() + 3599) / 3600) }

// begin is when the hour begins.
func begin(hour int32) time.Time { return time.Unix(int64(hour)*3600, 0).UTC() }

// between are the source's hours in [from, to).
func (p page) between(from, to int32) page {
	at := func(hour int32) int {
		i, _ := slices.BinarySearchFunc(p, hour, func(e entry, hour int32) int { return int(e.hour - hour) })
		return i
	}
	return p[at(from):at(to)]
}

// slotDays is on how many days the slot or an hour beside it was used.
func (p page) slotDays(s slot) uint64 {
	dates := map[uint16]bool{}
	for i := range p {
		if s.near(p[i].slot()) {
			dates[p[i].date] = true
		}
	}
	return uint64(len(dates))
}

// habit is what the hours, of which there is one at least, say of the source.
func (p page) habit() *habit {
	h := &habit{first: begin(p[0].hour), sessions: map[slot]uint64{}}
	dates := map[uint16]bool{}
	for i := range p {
		e := &p[i]
		h.sessions[e.slot()] += e.sessions
		h.total += e.sessions
		dates[e.date] = true
	}
	h.activeDays = uint64(len(dates))
	return h
}

// habits are when all sources opened sessions in [from, to), which the book holds.
func (b *book) habits(from, to int32) map[string]*habit {
	all := map[string]*habit{}
	for source, p := range b.pages {
		if past := p.between(from, to); len(past) > 0 {
			all[source] = past.habit()
		}
	}
	return all
}

// chunk is how many hours are read in one go: more of them take much memory.
const chunk = 7 * 24

// read makes the book hold the hours [from, to), and maybe others.
func (b *book) read(ctx context.Context, d *Detector, h detect.History, from, to int32) error {
	if b.from > from || b.to < from {
		b.clear(from)
	}
	if b.to < to {
		to = int32(detect.Ahead(h, begin(to)).Unix() / 3600)
	}
	changed, err := b.memory.Changed(ctx, h, begin(b.from), begin(b.to), begin(max(b.to, to)))
	if err != nil {
		return err
	}
	if changed {
		b.clear(from)
	}
	for b.to < to {
		until := min(b.to+chunk, to)
		if err := b.add(ctx, d, h, b.to, until); err != nil {
			return err
		}
		b.to = until
	}
	if b.from < from-24 {
		b.forget(from)
	}
	return nil
}

// clear empties the book; what is read next begins at from.
func (b *book) clear(from int32) { b.from, b.to, b.pages = from, from, map[string]page{} }

// row is how many sessions a source opened in an hour.
type row struct {
	Hour     time.Time `ch:"hour"`
	Source   string    `ch:"source"`
	Sessions uint64    `ch:"sessions"`
}

// add reads the hours [from, to), which follow those that are known.
func (b *book) add(ctx context.Context, d *Detector, h detect.History, from, to int32) error {
	var rows []row
	err := h.Select(ctx, &rows, bookSQL, detect.Param("since", begin(from)), detect.Param("end", begin(to)), detect.Param("ports", d.cfg.Ports))
	if err != nil {
		return fmt.Errorf("read who opened sessions: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		s := d.calendar.slot(r.Hour)
		b.pages[r.Source] = append(b.pages[r.Source], entry{
			sessions: r.Sessions, hour: hourOf(r.Hour), date: d.calendar.date(r.Hour), clock: uint8(s.hour), free: s.free,
		})
	}
	return nil
}

// forget drops what was before from.
func (b *book) forget(from int32) {
	for source, p := range b.pages {
		if rest := p.between(from, b.to); len(rest) > 0 {
			b.pages[source] = slices.Clone(rest)
		} else {
			delete(b.pages, source)
		}
	}
	b.from = from
}
