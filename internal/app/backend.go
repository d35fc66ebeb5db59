package app

import (
	"cmp"
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

// backend stands between the parts that listen from the first moment (collector,
// console) and the store, which may take a while to be reached: sockets are bound
// and errors told before ClickHouse answers.
type backend struct {
	chain enrich.Chain
	feed  *alert.Feed
	open  atomic.Pointer[opened]

	// recording makes versions reach the feed in the order they were given;
	// published is the latest that did.
	recording sync.Mutex
	published uint64
}

// opened is what exists once ClickHouse answers.
type opened struct {
	store  *storage.Store
	writer *storage.Writer
}

func (b *backend) opened() (*opened, error) {
	if o := b.open.Load(); o != nil {
		return o, nil
	}
	return nil, errNotReady
}

// ready says whether ClickHouse answers (console.Check).
func (b *backend) ready(ctx context.Context) error {
	o, err := b.opened()
	if err != nil {
		return err
	}
	return o.store.Ping(ctx)
}

// Write enriches a batch in place and hands it to the writer (collector.Sink).
func (b *backend) Write(ctx context.Context, batch *flow.Batch) error {
	o, err := b.opened()
	if err != nil {
		return err
	}
	b.chain.Enrich(batch)
	return o.writer.Write(ctx, batch)
}

// WriteHealth stores what the collector counted (collector.HealthSink).
func (b *backend) WriteHealth(ctx context.Context, health []flow.Health) error {
	o, err := b.opened()
	if err != nil {
		return err
	}
	return o.store.InsertHealth(ctx, health)
}

// Alerts lists alerts (console.Alerts).
func (b *backend) Alerts(ctx context.Context, q alert.Query) ([]alert.Alert, error) {
	o, err := b.opened()
	if err != nil {
		return nil, err
	}
	return o.store.Alerts(ctx, q)
}

// Alert gives one alert (console.Alerts).
func (b *backend) Alert(ctx context.Context, id string) (alert.Alert, bool, error) {
	o, err := b.opened()
	if err != nil {
		return alert.Alert{}, false, err
	}
	return o.store.Alert(ctx, id)
}

// Record stores findings and publishes the alerts they belong to
// (detect.Recorder).
func (b *backend) Record(ctx context.Context, findings []alert.Finding) error {
	o, err := b.opened()
	if err != nil {
		return err
	}
	b.recording.Lock()
	defer b.recording.Unlock()
	if err := o.store.InsertFindings(ctx, findings, time.Now()); err != nil {
		return err
	}
	changed, err := o.alertsOf(ctx, findings)
	if err != nil {
		return err
	}
	for _, a := range changed {
		if a.Version > b.published { // a finding seen before changes nothing
			b.feed.Publish(a)
			b.published = a.Version
		}
	}
	return nil
}

// alertsOf gives the alerts that the findings belong to, the first changed first.
func (o *opened) alertsOf(ctx context.Context, findings []alert.Finding) ([]alert.Alert, error) {
	seen := map[string]bool{}
	var all []alert.Alert
	for _, f := range findings {
		if seen[f.ID] {
			continue
		}
		seen[f.ID] = true
		a, ok, err := o.store.Alert(ctx, f.ID)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b alert.Alert) int { return cmp.Compare(a.Version, b.Version) })
	return all, nil
}
