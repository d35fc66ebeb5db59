package detect

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"tapwatch/flow"
)

// SessionStore keeps watched flow records, and the sessions made of them.
type SessionStore interface {
	// ReadWatched hands on the watched records received in [from, to), in that order.
	ReadWatched(ctx context.Context, from, to time.Time, take func(*flow.Batch) error) error
	// ReadSessions hands on the sessions of the panes that begin in [from, to), in order.
	ReadSessions(ctx context.Context, from, to time.Time, take func([]flow.Session) error) error
	// WriteSessions stores sessions; those stored before with the same token are left
	// alone.
	WriteSessions(ctx context.Context, sessions []flow.Session, token string) error
	// FinishHour makes the rows of pair_hours of the hour that begins then, and notes it
	// as made.
	FinishHour(ctx context.Context, hour time.Time) error
	// FinishHours is FinishHour for whole hours in [from, to) that were forgotten before.
	FinishHours(ctx context.Context, from, to time.Time) error
	// HourMade tells whether the hour is noted as made, and whether records of it were
	// stored since.
	HourMade(ctx context.Context, hour time.Time) (made, stale bool, err error)
	// ForgetSessions deletes the sessions and pairs of the whole hours in [from, to).
	ForgetSessions(ctx context.Context, from, to time.Time) error
}

// foldPanes makes the sessions of the whole panes in [from, to) and hands those of each pane
// on, also when there are none.
func foldPanes(ctx context.Context, store SessionStore, f *Folder, from, to time.Time, take func(pane time.Time, sessions []Session) error) error {
	pane, end := from.UnixMilli(), to.UnixMilli()
	step := Pane.Milliseconds()
	finish := func(until int64) error { // the panes before until
		for ; pane < until; pane += step {
			if err := take(milli(pane), f.Pane(pane)); err != nil {
				return err
			}
		}
		return nil
	}
	err := store.ReadWatched(ctx, from, to, func(b *flow.Batch) error {
		for row := range b.Len() {
			at := b.ReceivedAt[row] - b.ReceivedAt[row]%step
			if err := finish(at); err != nil {
				return err
			}
			f.Add(b, row, at)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return finish(end)
}

// primed gives a folder that has seen the horizon before from.
func primed(ctx context.Context, store SessionStore, from time.Time) (*Folder, error) {
	f := NewFolder()
	err := foldPanes(ctx, store, f, from.Add(-Horizon), from, func(time.Time, []Session) error { return nil })
	if err != nil {
		return nil, err
	}
	return f, nil
}

// FoldSessions makes the sessions of the whole panes in [from, to) from the stored
// records and hands those of each pane on that has some.
func FoldSessions(ctx context.Context, store SessionStore, from, to time.Time, take func(pane time.Time, sessions []Session) error) error {
	f, err := primed(ctx, store, from)
	if err != nil {
		return err
	}
	return foldPanes(ctx, store, f, from, to, func(pane time.Time, sessions []Session) error {
		if len(sessions) == 0 {
			return nil
		}
		return take(pane, sessions)
	})
}

// token tells sessions with another content apart, so that what is made again is stored
// once, by this process after a crash or by another one.
func token(sessions []Session) string {
	h := fnv.New128a()
	for i := range sessions {
		digest(h, &sessions[i])
	}
	return fmt.Sprintf("sessions/%d/%x", sessions[0].Pane.Unix(), h.Sum(nil))
}

func digest(h hash.Hash, s *Session) {
	var b []byte
	asset, peer := s.AssetAddr.As16(), s.PeerAddr.As16()
	b = append(append(b, asset[:]...), peer[:]...)
	for _, n := range []uint64{
		uint64(s.AssetPort), uint64(s.PeerPort), uint64(s.Protocol), s.Flows, s.BytesIn, s.BytesOut, s.PacketsIn, s.PacketsOut,
		uint64(s.FirstSeen.UnixMilli()), uint64(s.LastSeen.UnixMilli()), uint64(s.StartedAt.UnixMilli()), uint64(len(s.Sightings)),
	} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	_, _ = h.Write(b) // a hash does not fail
}

// recent keeps the sessions of the latest panes, so that live detectors need not read
// them. Not safe for concurrent use.
type recent struct {
	from, to time.Time // whole panes, [from, to)
	sessions []Session
}

// maxRecent bounds how many sessions are kept.
const maxRecent = 200_000

// add adds the sessions of the next pane.
func (r *recent) add(pane time.Time, sessions []Session) {
	if !pane.Equal(r.to) {
		*r = recent{from: pane}
	}
	r.to = pane.Add(Pane)
	// Readers hold parts of the slice, which end where it ended: what is appended is behind
	// them.
	r.sessions = append(r.sessions, sessions...)
	since := r.to.Add(-2 * time.Hour)
	if len(r.sessions) > maxRecent {
		since = r.to.Add(-10 * time.Minute)
	}
	if r.from.Before(since.Add(-10 * time.Minute)) {
		r.sessions = from(r.sessions, since)
		r.from = since
	}
}

// of gives the sessions of the window, and whether it has them.
func (r *recent) of(w Window) ([]Session, bool) {
	if r.from.IsZero() || w.Start.Before(r.from) || w.End.After(r.to) {
		return nil, false
	}
	return slices.Clip(between(r.sessions, w)), true
}

// between gives the sessions of the window of sessions in the order of panes.
func between(sessions []Session, w Window) []Session {
	after := from(sessions, w.Start)
	return after[:len(after)-len(from(after, w.End))]
}

// from gives the sessions of the panes from at on.
func from(sessions []Session, at time.Time) []Session {
	lo, hi := 0, len(sessions)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if sessions[mid].Pane.Before(at) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return sessions[lo:]
}

// readSessions reads the sessions of the window from the store.
func readSessions(ctx context.Context, store SessionStore, w Window) ([]Session, error) {
	var all []Session
	err := store.ReadSessions(ctx, w.Start, w.End, func(some []Session) error {
		if len(all)+len(some) > math.MaxInt32 {
			return fmt.Errorf("more than %d sessions in a window", math.MaxInt32)
		}
		all = append(all, some...)
		return nil
	})
	return all, err
}
