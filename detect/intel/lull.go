package intel

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tapwatch/detect"
)

// lull is a time in which no indicator came new. In a backtest, where all that will ever
// be known is stored, it spares asking every five minutes of stream time.
type lull struct {
	mu       sync.Mutex
	of       detect.History
	from, to time.Time
}

// covers tells whether it is known that nothing was learned in [start, end).
func (l *lull) covers(ctx context.Context, h detect.History, start, end time.Time) (bool, error) {
	complete := detect.StoredTo(h)
	if complete.Before(end) {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of != h || start.Before(l.from) || end.After(l.to) {
		var rows []struct {
			Next time.Time `ch:"next"`
			Some uint64    `ch:"some"`
		}
		err := h.Select(ctx, &rows, `SELECT min(learned_at) AS next, count() AS some FROM indicators
			WHERE learned_at >= {start:DateTime64(3)} AND learned_at < {end:DateTime64(3)}`, detect.Param("start", start), detect.Param("end", complete))
		if err != nil {
			return false, fmt.Errorf("look for the next indicator that came new: %w", err)
		}
		l.of, l.from, l.to = h, start, complete
		if rows[0].Some > 0 {
			l.to = rows[0].Next.UTC()
		}
	}
	return !end.After(l.to), nil
}
