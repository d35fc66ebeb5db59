// Package telemetry finds what blinds flow monitoring: routers that stop exporting
// flows, lose them, thin them out, leave interfaces or fields out, and systems whose
// logs fall silent. An intruder who switches such off is not seen by any other
// detector. See README.md.
package telemetry

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "telemetry"

// The rules of the detector, as alerts name them.
const (
	// ruleSilent: one exporter fell silent while others were heard.
	ruleSilent = "exporter-silent"
	// ruleAllSilent: none is heard any more, and the collector is alive.
	ruleAllSilent = "all-exporters-silent"
	// ruleLoss: much of what an exporter sends is lost.
	ruleLoss = "export-loss"
	// ruleSampling: an exporter samples otherwise than before.
	ruleSampling = "sampling-changed"
	// ruleProtocol: it exports by another protocol.
	ruleProtocol = "export-protocol-changed"
	// ruleFields: its records lack what they used to carry.
	ruleFields = "fields-missing"
	// ruleTimeout: it cuts long flows at another length.
	ruleTimeout = "active-timeout-changed"
	// ruleInterfaces: interfaces are gone from what it exports.
	ruleInterfaces = "interfaces-vanished"
	// ruleLogs: a system sends no logs any more.
	ruleLogs = "logs-silent"
	// ruleServer: nobody's logs are seen on their way to a server any more.
	ruleServer = "log-server-silent"
)

const (
	// every is how often is judged, whatever the windows are.
	every = time.Minute
	// settle is how much later than flows the collector's counts may be stored.
	settle = 2 * time.Minute
	// together is how far apart exporters may fall silent and count as one outage.
	together = time.Minute
)

// Detector is the telemetry detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory

	mu   sync.Mutex
	past *past // of the history that was asked last
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "telemetry".
func (*Detector) Name() string { return Name }

// Every returns one minute.
func (*Detector) Every() time.Duration { return every }

// scene is what is judged at one moment.
type scene struct {
	*past
	w   detect.Window
	h   detect.History
	now time.Time
	inv *inventory.Inventory
	// quiet are the exporters that may have fallen silent; count is how many were heard
	// in the history, newest the ten seconds in which the latest of all was.
	quiet  []exporter
	count  int
	newest int64
}

// Detect judges at each full minute of the window what has changed. An alert that
// lasts yields a finding when it begins, at every Config.Repeat and, where that can
// be told, when it is over.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []alert.Finding
	for now := w.Start.Truncate(every).Add(every); !now.After(w.End); now = now.Add(every) {
		found, err := d.judge(ctx, w, now.UTC(), h)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return latest(all), nil
}

// latest keeps of several findings of one identity the latest.
func latest(all []alert.Finding) []alert.Finding {
	at := map[string]int{}
	kept := all[:0:0]
	for _, f := range all {
		if i, seen := at[f.ID]; seen {
			f.FirstSeen = kept[i].FirstSeen
			f.Severity = max(f.Severity, kept[i].Severity)
			kept[i] = f
			continue
		}
		at[f.ID] = len(kept)
		kept = append(kept, f)
	}
	return kept
}

// judge judges at one full minute.
func (d *Detector) judge(ctx context.Context, w detect.Window, now time.Time, h detect.History) ([]alert.Finding, error) {
	if d.past == nil || !same(d.past.of, h) {
		d.past = newPast(h)
	}
	s := &scene{past: d.past, w: w, h: h, now: now, inv: d.inventory()}
	if err := d.read(ctx, s.past, now); err != nil {
		return nil, err
	}
	s.quiet, s.count, s.newest = s.past.quiet(now, d.cfg.Silence, d.cfg.History)
	var all []alert.Finding
	for _, rule := range []func(context.Context, *scene) ([]alert.Finding, error){
		d.silent, d.returned, d.lossy, d.settings, d.timeouts, d.vanished, d.unlogged,
	} {
		found, err := rule(ctx, s)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(found, func(a, b alert.Finding) int { return strings.Compare(a.ID, b.ID) })
		all = append(all, found...)
	}
	return all, nil
}

// read brings the past up to now.
func (d *Detector) read(ctx context.Context, p *past, now time.Time) error {
	complete := detect.StoredTo(p.of)
	for _, step := range []struct {
		read func(context.Context, time.Time, time.Time, time.Duration) error
		back time.Duration
	}{
		{p.readHeard, d.cfg.History + d.cfg.History},
		{p.readHealth, d.cfg.History},
		{p.readExports, d.cfg.Habits + d.cfg.History},
		{p.readDurations, d.cfg.History},
		{p.readDevices, d.cfg.Habits + d.cfg.History},
	} {
		if err := step.read(ctx, now, complete, step.back); err != nil {
			return err
		}
	}
	if interfacesDue(now) {
		return p.readInterfaces(ctx, now, complete, d.cfg.Habits+d.cfg.History)
	}
	return nil
}

// held tells whether a maintenance window holds alerts about the exporter back.
func (s *scene) held(addr netip.Addr, at time.Time) bool {
	_, held := s.inv.UnderMaintenance(at, inventory.Subject{Exporter: addr})
	return held
}
