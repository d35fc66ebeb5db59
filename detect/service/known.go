package service

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"tapwatch/detect"
)

//go:embed served.sql
var servedSQL string

//go:embed active.sql
var activeSQL string

// listener is a service of a system, by its name or, without one, its address. Port is
// the first of its range where the configuration makes one service of a range.
type listener struct {
	server   string
	protocol uint8
	port     uint16
}

// known keeps what the complete hours of the history say of listeners, so that each hour
// is read once. It is a memory of what no longer changes: emptied, it fills with the same.
type known struct {
	mu     sync.Mutex
	memory detect.Memory
	asked  asked
	served cursor[listener] // who served what
	active cursor[string]   // who was active at all
}

// asked is when, and of what, it was asked whether the history was made anew.
type asked struct {
	of   detect.History
	hour time.Time
}

// cursor is when each of its keys was seen last in the hours [from, to).
type cursor[K comparable] struct {
	from, to time.Time
	last     map[K]time.Time
}

// seen tells whether the key was seen in [since, c.to).
func (c *cursor[K]) seen(k K, since time.Time) bool {
	at, ok := c.last[k]
	return ok && !at.Before(since)
}

// move makes the cursor stand for the hours from since, or before it, up to until: read
// gives the hours of [from, to) that are missing.
func (c *cursor[K]) move(since, until time.Time, read func(from, to time.Time, last map[K]time.Time) error) error {
	if c.last == nil || c.to.After(until) || c.to.Before(since) || c.from.After(since) {
		*c = cursor[K]{from: since, to: since, last: map[K]time.Time{}}
	}
	if !c.to.Before(until) {
		return nil
	}
	if err := read(c.to, until, c.last); err != nil {
		*c = cursor[K]{}
		return err
	}
	c.to = until
	for k, at := range c.last {
		if at.Before(since) {
			delete(c.last, k) // so that it does not grow for ever
		}
	}
	c.from = since
	return nil
}

// servedRow is one listener in some hours.
type servedRow struct {
	Server   string    `ch:"server"`
	Protocol uint8     `ch:"protocol"`
	Port     uint16    `ch:"port"`
	Last     time.Time `ch:"last"`
}

// fresh tells which of the listeners are new at the hour: their system is known for long
// enough, and they did not serve in the history but for the latest hours.
func (d *Detector) fresh(ctx context.Context, hour time.Time, h detect.History, all []listener) (map[listener]bool, error) {
	since := hour.AddDate(0, 0, -d.cfg.HistoryDays)
	k := &d.known
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := (asked{h, hour}); k.asked != now { // in every window would be too often
		changed, err := k.memory.Changed(ctx, h, since, k.served.to, hour)
		if err != nil {
			return nil, err
		}
		if changed {
			k.served, k.active = cursor[listener]{}, cursor[string]{}
		}
		k.asked = now
	}
	err := k.served.move(since, hour.Add(-time.Duration(d.cfg.FreshHours)*time.Hour), func(from, to time.Time, last map[listener]time.Time) error {
		return read(ctx, h, servedSQL, from, to, func(r *servedRow) {
			l := d.listener(r.Server, r.Protocol, r.Port)
			last[l] = later(last[l], r.Last)
		})
	})
	if err != nil {
		return nil, err
	}
	err = k.active.move(since, hour.AddDate(0, 0, -d.cfg.WarmUpDays), func(from, to time.Time, last map[string]time.Time) error {
		return read(ctx, h, activeSQL, from, to, func(r *servedRow) { last[r.Server] = later(last[r.Server], r.Last) })
	})
	if err != nil {
		return nil, err
	}
	fresh := map[listener]bool{}
	for _, l := range all {
		if k.active.seen(l.server, since) && !k.served.seen(l, since) {
			fresh[l] = true
		}
	}
	return fresh, nil
}

func read(ctx context.Context, h detect.History, query string, from, to time.Time, take func(*servedRow)) error {
	var rows []servedRow
	if err := h.Select(ctx, &rows, query, detect.Param("start", from), detect.Param("end", to)); err != nil {
		return fmt.Errorf("read which services are known: %w", err)
	}
	for i := range rows {
		take(&rows[i])
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// listener gives the listener of a port, or of the range that it is in.
func (d *Detector) listener(server string, protocol uint8, port uint16) listener {
	for _, r := range d.ranges {
		if r.contain(port) {
			port = r.first
			break
		}
	}
	return listener{server, protocol, port}
}
