package detect

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// makerName is what the maker's progress is kept under.
const makerName = "sessions"

// maker makes the sessions of each pane once its records are all stored, and the hours
// of pairs once their sessions are: what all detectors look at. It is also their
// History. One goroutine at a time runs batch; the rest is safe for concurrent use.
type maker struct {
	store  Store
	logger *slog.Logger
	errors prometheus.Counter
	made   prometheus.Counter

	// folder has seen everything up to next; nil: it is to be made anew.
	folder *Folder
	next   time.Time
	// entered is the hour for which enter has looked; anew says that what it found there
	// was forgotten.
	entered time.Time
	anew    bool

	mu      sync.RWMutex
	recent  recent
	behind  recent        // what was read last for a detector that is behind
	done    time.Time     // next, for others
	changed chan struct{} // closed, and made anew, when done changes
}

// changes gives a channel that is closed when more is made.
func (m *maker) changes() <-chan struct{} {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.changed
}

// until is the end of the last pane that is made; zero before the first.
func (m *maker) until() time.Time {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.done
}

// Select asks the store.
func (m *maker) Select(ctx context.Context, dest any, query string, args ...any) error {
	return m.store.Select(ctx, dest, query, args...)
}

// Sessions gives the latest from memory, and others from the store.
func (m *maker) Sessions(ctx context.Context, w Window) ([]Session, error) {
	m.mu.RLock()
	sessions, ok := m.recent.of(w)
	if !ok {
		sessions, ok = m.behind.of(w)
	}
	ahead := Window{w.Start, w.Start.Add(readAhead)}
	if ahead.End.After(m.done) {
		ahead.End = m.done
	}
	m.mu.RUnlock()
	if ok {
		return sessions, nil
	}
	if !w.End.Before(ahead.End) {
		return readSessions(ctx, m.store, w)
	}
	// A detector that catches up asks for the next window soon.
	sessions, err := readSessions(ctx, m.store, ahead)
	if err != nil {
		return nil, err
	}
	read := recent{from: ahead.Start, to: ahead.End, sessions: sessions}
	m.mu.Lock()
	m.behind = read
	m.mu.Unlock()
	sessions, _ = read.of(w)
	return sessions, nil
}

// readAhead is how much is read at once for a detector that catches up.
const readAhead = 10 * time.Minute

// batch makes the sessions of the next panes that end by complete, an hour's at most.
// start is where one begins that has never run.
func (m *maker) batch(ctx context.Context, complete, start time.Time) (more bool, err error) {
	if complete.IsZero() {
		return false, nil
	}
	if err := m.resume(ctx, complete, start); err != nil {
		return false, err
	}
	if !complete.After(m.next) {
		return false, nil
	}
	before := m.next
	if ready, err := m.enter(ctx, complete); !ready || err != nil {
		if err != nil {
			m.errors.Inc()
		}
		return m.next.After(before), err
	}
	hourEnd := align(m.next, time.Hour).Add(time.Hour)
	end := align(complete, Pane)
	if end.After(hourEnd) {
		end, more = hourEnd, true
	}
	if !end.After(m.next) {
		return false, nil
	}
	if err := m.make(ctx, end); err != nil {
		m.folder = nil // it may have seen more than was stored
		m.errors.Inc()
		return false, err
	}
	return more, nil
}

// enter looks, before the first pane of an hour and after each start, whether somebody
// else has made the hour: a backtest, or another tapwatch. What stands for all records is
// left as it is; other things are forgotten and made here. ready tells that the next pane
// is to be made.
func (m *maker) enter(ctx context.Context, complete time.Time) (ready bool, err error) {
	hour := align(m.next, time.Hour)
	if m.entered.Equal(hour) {
		return true, nil
	}
	made, stale, err := m.store.HourMade(ctx, hour)
	if err != nil {
		return false, err
	}
	end := hour.Add(time.Hour)
	switch {
	case !made:
		m.anew = false
	case !stale && !complete.Before(end):
		m.logger.Info("the sessions of an hour were there", "hour", hour)
		m.folder = nil
		if err := m.store.SaveProgress(ctx, makerName, end); err != nil {
			return false, err
		}
		m.reached(end)
		return false, nil
	default:
		m.logger.Info("the sessions of an hour are made anew", "hour", hour)
		m.folder = nil
		if err := m.store.ForgetSessions(ctx, hour, end); err != nil {
			return false, err
		}
		if err := m.store.RewindProgress(ctx, makerName, hour); err != nil {
			return false, err
		}
		m.anew, m.next = true, hour
		m.mu.Lock()
		m.recent, m.behind = recent{}, recent{}
		m.mu.Unlock()
	}
	m.entered = hour
	return true, nil
}

// make makes the sessions up to end, and the hour's pairs where it ends there.
func (m *maker) make(ctx context.Context, end time.Time) error {
	var err error
	if m.folder == nil {
		if m.folder, err = primed(ctx, m.store, m.next); err != nil {
			return err
		}
	}
	err = foldPanes(ctx, m.store, m.folder, m.next, end, func(pane time.Time, sessions []Session) error {
		if len(sessions) > 0 {
			if err := m.store.WriteSessions(ctx, sessions, m.token(sessions)); err != nil {
				return err
			}
			m.made.Add(float64(len(sessions)))
		}
		m.mu.Lock()
		m.recent.add(pane, sessions)
		m.mu.Unlock()
		return nil
	})
	if err != nil {
		return err
	}
	if hour := align(end, time.Hour); hour.Equal(end) {
		finish := m.store.FinishHour
		if m.anew {
			finish = func(ctx context.Context, hour time.Time) error { return m.store.FinishHours(ctx, hour, end) }
		}
		if err := finish(ctx, hour.Add(-time.Hour)); err != nil {
			return err
		}
	}
	if err := m.store.SaveProgress(ctx, makerName, end); err != nil {
		return err
	}
	m.reached(end)
	return nil
}

// token is that of sessions of a pane; in an hour that is made anew there is none, for
// the same may have been stored, and forgotten.
func (m *maker) token(sessions []Session) string {
	if m.anew {
		return ""
	}
	return token(sessions)
}

func (m *maker) reached(end time.Time) {
	m.next = end
	m.mu.Lock()
	m.done = end
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
}

// resume finds where the maker goes on, the first time it is called, and goes back when
// the clock turns out to have been ahead.
func (m *maker) resume(ctx context.Context, complete, start time.Time) error {
	if m.next.IsZero() {
		end, err := m.store.Progress(ctx, makerName)
		if err != nil {
			return fmt.Errorf("read how far sessions are made: %w", err)
		}
		if end.IsZero() {
			end = align(start, time.Hour) // hours are whole
			m.logger.Info("sessions are made", "from", end)
		}
		m.reached(end.UTC())
	}
	if m.next.Sub(complete) <= maxAhead {
		return nil
	}
	end := align(complete, Pane)
	m.errors.Inc()
	m.logger.Error("the clock was ahead: sessions are made from now on", "had_come_to", m.next, "from", end)
	if err := m.store.RewindProgress(ctx, makerName, end); err != nil {
		return err
	}
	m.folder = nil
	m.mu.Lock()
	m.recent, m.behind = recent{}, recent{}
	m.mu.Unlock()
	m.reached(end)
	return nil
}
