package detect

import (
	"context"
	"fmt"
	"time"
)

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
	if stored, ok := h.(*Stored); ok && !stored.Complete().Before(end) {
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
