package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tapwatch/alert"
	"tapwatch/enrich"
	"tapwatch/flow"
	"tapwatch/storage"
)

// errNotReady is what the console's API answers until ClickHouse can be reached.
var errNotReady = errors.New("ClickHouse cannot be reached yet")

// backend stands between the parts that work from the first moment (collector,
// console) and the store, which may take a while to be reached: flows are taken and
// errors told before ClickHouse answers.
type backend struct {
	chain  enrich.Chain
	feed   *alert.Feed
	writer atomic.Pointer[storage.Writer] // set before the collector runs
	store  atomic.Pointer[storage.Store]  // set once ClickHouse answers

	recorder recorder
	// recorded is called after findings were stored; nil: by nobody.
	recorded atomic.Pointer[func()]
}

func (b *backend) opened() (*storage.Store, error) {
	if s := b.store.Load(); s != nil {
		return s, nil
	}
	return nil, errNotReady
}

// ready says whether ClickHouse answers (console.Check).
func (b *backend) ready(ctx context.Context) error {
	store, err := b.opened()
	if err != nil {
		return err
	}
	return store.Ping(ctx)
}

// Write enriches a batch in place and hands it to the writer (collector.Sink).
func (b *backend) Write(ctx context.Context, batch *flow.Batch) error {
	b.chain.Enrich(batch)
	return b.writer.Load().Write(ctx, batch)
}

// WriteHealth stores what the collector counted (collector.HealthSink).
func (b *backend) WriteHealth(ctx context.Context, health []flow.Health) error {
	store, err := b.opened()
	if err != nil {
		return err
	}
	return store.InsertHealth(ctx, health)
}

// Alerts lists alerts (console.Alerts).
func (b *backend) Alerts(ctx context.Context, q alert.Query) ([]alert.Alert, error) {
	store, err := b.opened()
	if err != nil {
		return nil, err
	}
	return store.Alerts(ctx, q)
}

// Alert gives one alert (console.Alerts).
func (b *backend) Alert(ctx context.Context, id string) (alert.Alert, bool, error) {
	store, err := b.opened()
	if err != nil {
		return alert.Alert{}, false, err
	}
	return store.Alert(ctx, id)
}

// CountAlerts counts alerts (console.Alerts).
func (b *backend) CountAlerts(ctx context.Context, q alert.Query) (uint64, error) {
	store, err := b.opened()
	if err != nil {
		return 0, err
	}
	return store.CountAlerts(ctx, q)
}

// Incidents lists incidents (console.Incidents).
func (b *backend) Incidents(ctx context.Context, q alert.IncidentQuery) ([]alert.Incident, error) {
	store, err := b.opened()
	if err != nil {
		return nil, err
	}
	return store.Incidents(ctx, q)
}

// CountIncidents counts incidents (console.Incidents).
func (b *backend) CountIncidents(ctx context.Context, q alert.IncidentQuery) (uint64, error) {
	store, err := b.opened()
	if err != nil {
		return 0, err
	}
	return store.CountIncidents(ctx, q)
}

// Record stores findings and publishes the alerts that changed (detect.Recorder).
func (b *backend) Record(ctx context.Context, findings []alert.Finding) error {
	store, err := b.opened()
	if err != nil {
		return err
	}
	if f := b.recorded.Load(); f != nil {
		defer (*f)()
	}
	return b.recorder.record(ctx, store, b.feed, findings)
}

// findingStore is what a recorder needs of the store. *storage.Store satisfies it.
type findingStore interface {
	InsertFindings(ctx context.Context, findings []alert.Finding, storedAt time.Time) error
	NewestVersion(ctx context.Context) (uint64, error)
	Alerts(ctx context.Context, q alert.Query) ([]alert.Alert, error)
}

// publishPage is how many changed alerts are read at once.
const publishPage = 2000

// recorder stores findings and publishes every change of an alert once, in the
// order of versions. The zero recorder is ready. Safe for concurrent use.
type recorder struct {
	mu sync.Mutex
	// published is the version up to which everything is published; 0 before the
	// first call, which takes what is stored by then as published.
	published uint64
	// raised is called with each alert that this recorder raised, before that is
	// published; nil: nobody wants to know.
	raised func(*alert.Alert)
	// storing are the times, in milliseconds, at which findings were stored whose alerts
	// are not all published: an alert that was raised then is one of this recorder.
	storing []int64
}

// record stores findings, then publishes what the store has of later versions than
// the last published: the alerts of these findings, and those that an earlier call
// stored but failed to publish.
func (r *recorder) record(ctx context.Context, store findingStore, feed *alert.Feed, findings []alert.Finding) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.published == 0 {
		newest, err := store.NewestVersion(ctx)
		if err != nil {
			return err
		}
		r.published = max(newest, 1) // 0 would select without regard to versions
	}
	at := time.Now()
	r.storing = append(r.storing, at.UnixMilli())
	if err := store.InsertFindings(ctx, findings, at); err != nil {
		return err
	}
	for {
		changed, err := store.Alerts(ctx, alert.Query{AfterVersion: r.published, Limit: publishPage})
		if err != nil {
			return err
		}
		for _, a := range changed {
			if r.raised != nil && slices.Contains(r.storing, a.RaisedAt.UnixMilli()) {
				r.raised(&a)
			}
			feed.Publish(a)
			r.published = a.Version
		}
		if len(changed) < publishPage {
			r.storing = r.storing[:0]
			return nil
		}
	}
}
