package volume

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/ledger"
	"tapwatch/inventory"
)

//go:embed book.sql
var bookSQL string

// book keeps what systems sent in the hours of the history, so that each hour is read
// once. It is a memory of what no longer changes: emptied, it fills with the same.
type book struct {
	mu sync.Mutex
	// inv is the inventory by whose rules the amounts are parted, memory tells whether
	// the hours [from, to) are still those that were read.
	inv      *inventory.Inventory
	memory   detect.Memory
	from, to time.Time
	// pages are the systems, heard the hours of which anything is known.
	pages map[ledger.Key]*page
	heard map[int32]bool
}

// page is one system's hours in which it was active, ascending.
type page []entry

// entry is what a system sent where it leaves in an hour, counted from 1970: what no rule
// of the inventory allows, and the rest.
type entry struct {
	hour          int32
	free, allowed float64
}

func hourOf(t time.Time) int32 { return int32(t.Unix() / 3600) }

// at finds the hour's place.
func (p page) at(hour int32) (i int, found bool) {
	return slices.BinarySearchFunc(p, hour, func(e entry, hour int32) int { return int(e.hour - hour) })
}

// sent is what a system sent in an hour.
func (p page) sent(hour time.Time, allowed bool) float64 {
	i, found := p.at(hourOf(hour))
	if !found {
		return 0
	}
	if allowed {
		return p[i].allowed
	}
	return p[i].free
}

// since is the first hour from a time on in which the system was active.
func (p page) since(t time.Time) (first time.Time, ok bool) {
	i, _ := p.at(hourOf(t))
	if i == len(p) {
		return first, false
	}
	return time.Unix(int64(p[i].hour)*3600, 0).UTC(), true
}

// chunk is how much of the history is read in one go: of more the rows take much memory.
const chunk = 24 * time.Hour

// read makes the book stand for the hours from since, or before it, up to end, or after
// it.
func (b *book) read(ctx context.Context, s *scene, since, end time.Time) error {
	if b.from.After(since) || b.to.Before(since) {
		b.clear(since)
	}
	if b.to.Before(end) {
		end = detect.Ahead(s.h, end)
	} else {
		end = b.to
	}
	changed, err := b.memory.Changed(ctx, s.h, since, b.to, end)
	if err != nil {
		return err
	}
	if changed || b.inv != s.inv {
		b.clear(since)
		b.inv = s.inv
	}
	for b.to.Before(end) {
		until := b.to.Add(chunk)
		if until.After(end) {
			until = end
		}
		if err := b.add(ctx, s, b.to, until); err != nil {
			return err
		}
		b.to = until
	}
	if b.from.Before(since.Add(-chunk)) {
		b.forget(since)
	}
	return nil
}

// clear empties the book; what is read next begins at from.
func (b *book) clear(from time.Time) {
	b.from, b.to, b.pages, b.heard = from, from, map[ledger.Key]*page{}, map[int32]bool{}
}

func (b *book) add(ctx context.Context, s *scene, from, to time.Time) error {
	var rows []struct {
		At     time.Time  `ch:"at"`
		Name   string     `ch:"from_name"`
		Addr   netip.Addr `ch:"from_addr"`
		To     netip.Addr `ch:"receiver"`
		Over   uint8      `ch:"over"`
		Port   uint16     `ch:"service"`
		Opened string     `ch:"opened_by"`
		Serves bool       `ch:"serves"`
		Sent   uint64     `ch:"sent_bytes"`
	}
	err := s.h.Select(ctx, &rows, ledger.Query(bookSQL), ledger.Protected(s.inv), detect.Param("since", from), detect.Param("end", to))
	if err != nil {
		return fmt.Errorf("add up what systems sent: %w", err)
	}
	law := ledger.NewLaw(s.inv) // its answers of one chunk, not of weeks
	for i := range rows {
		r := &rows[i]
		m := ledger.Move{
			At: r.At.UTC(), FromName: r.Name, FromAddr: r.Addr.Unmap(), ToAddr: r.To.Unmap(),
			Protocol: r.Over, Port: r.Port, Opened: r.Opened, FromServes: r.Serves, Sent: r.Sent,
		}
		hour := hourOf(m.At)
		b.heard[hour] = true
		p := b.pages[m.From()]
		if p == nil {
			p = new(page)
			b.pages[m.From()] = p
		}
		if last := len(*p) - 1; last < 0 || (*p)[last].hour != hour {
			*p = append(*p, entry{hour: hour})
		}
		e := &(*p)[len(*p)-1]
		switch {
		case m.Sent == 0:
		case law.Rule(&m) != "":
			e.allowed += float64(m.Sent)
		default:
			e.free += float64(m.Sent)
		}
	}
	return nil
}

// senders are the systems that sent at least so much in an hour.
func (b *book) senders(hour time.Time, least float64) []ledger.Key {
	var keys []ledger.Key
	for k, p := range b.pages {
		if p.sent(hour, false)+p.sent(hour, true) >= least {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, ledger.Key.Compare)
	return keys
}

// forget drops what was before since.
func (b *book) forget(since time.Time) {
	first := hourOf(since)
	for k, p := range b.pages {
		i, _ := p.at(first)
		if i == len(*p) {
			delete(b.pages, k)
		} else {
			*p = slices.Clone((*p)[i:])
		}
	}
	for hour := range b.heard {
		if hour < first {
			delete(b.heard, hour)
		}
	}
	b.from = since
}
