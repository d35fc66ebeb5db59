package app

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"tapwatch/alert"
	"tapwatch/inventory"
	"tapwatch/storage"
)

// incidents keeps the stored incidents up to date with the stored findings. Recording
// does not wait for it: an alert is told at once, and its incident a moment later.
type incidents struct {
	gap       time.Duration
	store     *storage.Store
	inventory *inventory.Live
	logger    *slog.Logger
	// wake says that findings were recorded.
	wake chan struct{}
	// upTo is the version up to which findings are in incidents.
	upTo uint64
}

const (
	// gather is how long findings are gathered before incidents are made of them.
	gather = time.Second
	// overlap is how far before the last stored incident findings are looked at again
	// after a start: the process may have ended between two inserts.
	overlap = time.Hour
)

func newIncidents(cfg alert.Config, store *storage.Store, inv *inventory.Live, logger *slog.Logger) *incidents {
	return &incidents{gap: cfg.IncidentGap, store: store, inventory: inv, logger: logger.With("component", "alert"), wake: make(chan struct{}, 1)}
}

// recorded says that findings were stored.
func (in *incidents) recorded() {
	select {
	case in.wake <- struct{}{}:
	default: // it knows
	}
}

// run makes incidents until ctx ends.
func (in *incidents) run(ctx context.Context) error {
	retry := time.NewTicker(refreshEvery)
	defer retry.Stop()
	for begun := false; ; {
		var err error
		if !begun {
			err = in.begin(ctx)
			begun = err == nil
		}
		if err == nil {
			err = in.update(ctx)
		}
		if err != nil && ctx.Err() == nil {
			in.logger.Error("cannot make incidents", "error", err, "retry_in", refreshEvery)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-in.wake:
		case <-retry.C: // also for what failed, and what other tapwatch stored
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(gather):
		}
	}
}

// begin finds out how far incidents have come.
func (in *incidents) begin(ctx context.Context) error {
	upTo, err := in.store.IncidentsUpTo(ctx)
	if err != nil {
		return err
	}
	back := uint64(overlap.Microseconds()) // versions are in microseconds
	in.upTo = upTo - min(upTo, back)
	return nil
}

// update makes incidents of the findings stored since it last did.
func (in *incidents) update(ctx context.Context) error {
	newest, err := in.store.NewestVersion(ctx)
	if err != nil || newest <= in.upTo {
		return err
	}
	inv := in.inventory.Load()
	upTo, err := in.store.UpdateIncidents(ctx, in.upTo, alert.Grouping{
		Gap:    in.gap,
		Shared: func(peer netip.Addr) bool { return inv.Shared(peer) },
	})
	if err == nil {
		in.upTo = upTo
	}
	return err
}
