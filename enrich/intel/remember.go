package intel

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v7"

	"tapwatch/flow"
)

// Memory knows what the lists held and since when. *storage.Store satisfies it.
type Memory interface {
	// LearnIndicators notes that the lists hold just these indicators at that time, and
	// says how many of them are new to it, and how many it had that they hold no more.
	LearnIndicators(ctx context.Context, lists []string, held []flow.Indicator, at time.Time) (learned, withdrawn int, err error)
}

// Settles is how long after an indicator was learned it is stored for certain. Detection
// looks back for it after that time, so that no moment passes unseen.
const Settles = time.Minute

// noteTimeout bounds one attempt to store what was learned, well within Settles.
const noteTimeout = Settles / 2

// Note stores which indicators are in force, as learned now.
func (e *Enricher) Note(ctx context.Context, m Memory) error {
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	current := e.current.Load()
	var lists []string
	var held []flow.Indicator
	for i, l := range e.cfg.Lists {
		lists = append(lists, l.Name)
		held = append(held, current.lists[i]...)
	}
	if len(lists) == 0 {
		return nil
	}
	learned, withdrawn, err := m.LearnIndicators(ctx, lists, held, time.Now())
	if err == nil && learned+withdrawn > 0 {
		e.logger.Info("intelligence lists remembered", "learned", learned, "withdrawn", withdrawn, "indicators", len(held))
	}
	return err
}

// Remember notes what is in force now and after each reload, until ctx ends. What fails is
// tried again with growing pauses.
func (e *Enricher) Remember(ctx context.Context, m Memory) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, time.Minute
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.changed:
		}
		for pause.Reset(); ; {
			err := e.Note(ctx, m)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return nil
			}
			wait := pause.NextBackOff()
			e.logger.Error("intelligence lists not remembered: flows of the past are not matched yet", "error", err, "retry_in", wait)
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				timer.Stop()
				return nil
			case <-timer.C:
			}
		}
	}
}
