package detect

import (
	"context"
	"fmt"
	"time"
)

// StoredTo is up to when everything received is stored, if the history can say so: in a
// backtest that is the future of the window. Else it is the zero time. What lies beyond
// the window may be read along with it, to be judged when its time has come.
func StoredTo(h History) time.Time {
	if c, ok := h.(interface{ Complete() time.Time }); ok {
		return c.Complete()
	}
	return time.Time{}
}

// Ahead is up to when to read pair_hours where its hours up to end are needed: a day more
// where that is stored, which the next windows need not read.
func Ahead(h History, end time.Time) time.Time {
	ahead := align(StoredTo(h), time.Hour)
	if day := end.Add(24 * time.Hour); day.Before(ahead) {
		return day
	}
	if end.Before(ahead) {
		return ahead
	}
	return end
}

// Memory tells a detector that keeps what it has read of pair_hours whether that is still
// what is stored: tapwatch baseline rebuild makes hours anew while detectors run. The zero
// value has seen nothing. Not safe for concurrent use.
type Memory struct {
	of    History
	hours map[time.Time]time.Time // when each was stored
}

// Changed tells whether hours of [from, read) are others than those that the calls before
// saw, or h another history, and takes note of those of [from, end), which the caller
// reads next.
func (m *Memory) Changed(ctx context.Context, h History, from, read, end time.Time) (bool, error) {
	if !StoredTo(h).Before(end) {
		changed := m.of != h // nothing changes any more
		m.of = h
		return changed, nil
	}
	var rows []struct {
		Hour   time.Time `ch:"hour"`
		Stored time.Time `ch:"stored"`
	}
	err := h.Select(ctx, &rows, `SELECT hour, max(stored_at) AS stored FROM history_hours
		WHERE hour >= {from:DateTime64(3)} AND hour < {end:DateTime64(3)} GROUP BY hour`, Param("from", from), Param("end", end))
	if err != nil {
		return false, fmt.Errorf("read of which hours there is history: %w", err)
	}
	changed, known := m.of != h, 0
	now := make(map[time.Time]time.Time, len(rows))
	for _, r := range rows {
		hour := r.Hour.UTC()
		now[hour] = r.Stored
		if hour.Before(read) {
			known++
			changed = changed || !m.hours[hour].Equal(r.Stored)
		}
	}
	for hour := range m.hours {
		if !hour.Before(from) && hour.Before(read) {
			known--
		}
	}
	m.of, m.hours = h, now
	return changed || known != 0, nil
}
