package detect

import (
	"context"
	"sync"
	"time"
)

// SessionReader is what Stored reads from.
type SessionReader interface {
	Select(ctx context.Context, dest any, query string, args ...any) error
	SessionStore
}

// Stored is the History of what is stored, for windows in any order; it is at its best
// when they follow one another, as in a backtest: it reads an hour at a time and keeps
// the latest hours. Safe for concurrent use.
type Stored struct {
	store SessionReader

	mu    sync.Mutex
	hours map[time.Time]*storedHour
	used  uint64
	// complete is up to when everything received is stored; zero: nobody has said.
	complete time.Time
}

// storedHour is one hour of sessions.
type storedHour struct {
	ready    chan struct{}
	sessions []Session
	err      error
	used     uint64
}

// NewStored returns the history of the store.
func NewStored(store SessionReader) *Stored {
	return &Stored{store: store, hours: map[time.Time]*storedHour{}}
}

// CompleteTo says that everything received before to is stored, as in a backtest.
// Detectors may then read several windows in one go.
func (s *Stored) CompleteTo(to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete = to
}

// Complete is up to when everything received is stored, if somebody has said; else the
// zero time.
func (s *Stored) Complete() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.complete
}

// Select asks the store.
func (s *Stored) Select(ctx context.Context, dest any, query string, args ...any) error {
	return s.store.Select(ctx, dest, query, args...)
}

// Sessions gives the sessions of the window.
func (s *Stored) Sessions(ctx context.Context, w Window) ([]Session, error) {
	var all []Session
	for hour := align(w.Start, time.Hour); hour.Before(w.End); hour = hour.Add(time.Hour) {
		sessions, err := s.hour(ctx, hour)
		if err != nil {
			return nil, err
		}
		some := between(sessions, w)
		if len(all) == 0 {
			all = some[:len(some):len(some)] // most windows lie in one hour: nothing is copied
			continue
		}
		all = append(all, some...)
	}
	return all, nil
}

// keepHours is how many hours are kept: detectors may be some hours apart.
const keepHours = 6

func (s *Stored) hour(ctx context.Context, hour time.Time) ([]Session, error) {
	s.mu.Lock()
	s.used++
	h, known := s.hours[hour]
	if !known {
		h = &storedHour{ready: make(chan struct{})}
		s.hours[hour] = h
	}
	h.used = s.used
	s.evict()
	s.mu.Unlock()
	if !known {
		h.sessions, h.err = readSessions(ctx, s.store, Window{hour, hour.Add(time.Hour)})
		if h.err != nil {
			s.mu.Lock()
			delete(s.hours, hour)
			s.mu.Unlock()
		}
		close(h.ready)
	}
	select {
	case <-h.ready:
		return h.sessions, h.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// evict drops the hours used least lately.
func (s *Stored) evict() {
	for len(s.hours) > keepHours {
		var oldest time.Time
		var least uint64
		for at, h := range s.hours {
			if oldest.IsZero() || h.used < least {
				oldest, least = at, h.used
			}
		}
		delete(s.hours, oldest)
	}
}

// Forget drops what is kept: what is stored has changed.
func (s *Stored) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.hours)
}
