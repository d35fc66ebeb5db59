package detect

import (
	"context"
	"time"
)

// HistoryStore is a SessionStore of which history can be made anew.
type HistoryStore interface {
	SessionStore
	// StaleHours are the hours that do not stand for all stored records.
	StaleHours(ctx context.Context, from, to time.Time) ([]time.Time, error)
	// Followed is how far a detector has come live, and when that was saved.
	Followed(ctx context.Context, detector string) (end, saved time.Time, err error)
}

// rebuildRows is how many sessions are stored in one insert.
const rebuildRows = 100_000

// stillFollowed is how long ago a running tapwatch may have saved how far it has come.
const stillFollowed = 5 * time.Minute

// untouched is the end of what may be made anew, at most to: the hour in which a running
// tapwatch makes sessions is that one's.
func untouched(ctx context.Context, store HistoryStore, to time.Time) (time.Time, error) {
	end, saved, err := store.Followed(ctx, makerName)
	if err != nil || end.IsZero() || time.Since(saved) > stillFollowed {
		return to, err
	}
	if hour := align(end, time.Hour); hour.Before(to) {
		return hour, nil
	}
	return to, nil
}

// Rebuild makes the sessions and the pairs of the whole hours in [from, to) anew from
// the stored records, but those that a running tapwatch is about to make. progress, if
// not nil, is told what is done, from time to time.
func Rebuild(ctx context.Context, store HistoryStore, from, to time.Time, progress func(done time.Time)) error {
	to, err := untouched(ctx, store, to)
	if err != nil || !from.Before(to) {
		return err
	}
	if err := store.ForgetSessions(ctx, from, to); err != nil {
		return err
	}
	f, err := primed(ctx, store, from)
	if err != nil {
		return err
	}
	var pending []Session
	for day := from; day.Before(to); {
		end := align(day, 24*time.Hour).Add(24 * time.Hour)
		if end.After(to) {
			end = to
		}
		err := foldPanes(ctx, store, f, day, end, func(_ time.Time, sessions []Session) error {
			pending = append(pending, sessions...)
			if len(pending) < rebuildRows {
				return nil
			}
			err := store.WriteSessions(ctx, pending, "")
			pending = pending[:0]
			return err
		})
		if err != nil {
			return err
		}
		if err := store.WriteSessions(ctx, pending, ""); err != nil {
			return err
		}
		pending = pending[:0]
		if err := store.FinishHours(ctx, day, end); err != nil {
			return err
		}
		if progress != nil {
			progress(end)
		}
		day = end
	}
	return nil
}

// Complete makes those hours of [from, to) anew that do not stand for all stored
// records, and returns how many those were. The bounds are moved to whole hours.
func Complete(ctx context.Context, store HistoryStore, from, to time.Time, progress func(done time.Time)) (hours int, err error) {
	from, to = align(from, time.Hour), align(to.Add(time.Hour-1), time.Hour)
	if to, err = untouched(ctx, store, to); err != nil {
		return 0, err
	}
	stale, err := store.StaleHours(ctx, from, to)
	if err != nil {
		return 0, err
	}
	for i := 0; i < len(stale); {
		n := 1 // hours that follow one another are made together
		for i+n < len(stale) && stale[i+n].Equal(stale[i].Add(time.Duration(n)*time.Hour)) {
			n++
		}
		if err := Rebuild(ctx, store, stale[i], stale[i].Add(time.Duration(n)*time.Hour), progress); err != nil {
			return hours, err
		}
		hours += n
		i += n
	}
	return hours, nil
}
