package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/telemetry"
	"tapwatch/internal/config"
	"tapwatch/inventory"
)

// Rules are what decides which alerts are raised: the detectors' settings and the
// inventory.
type Rules struct {
	// Inventory is the inventory file; empty: nothing is protected or allowed.
	Inventory string       `yaml:"inventory"`
	Detect    DetectConfig `yaml:"detect"`
	// Only are the detectors to run; empty: all.
	Only []string `yaml:"-"`
}

// Rules are those of the configuration.
func (c *Config) Rules() Rules { return Rules{Inventory: c.Inventory, Detect: c.Detect} }

// LoadRules reads a file with the keys detect and inventory of a configuration. What it
// does not say is as in base.
func LoadRules(base Rules, file string) (Rules, error) {
	rules := base
	rules.Inventory = ""
	if err := config.ReadFile(file, &rules); err != nil {
		return base, err
	}
	switch {
	case rules.Inventory == "":
		rules.Inventory = base.Inventory
	case !filepath.IsAbs(rules.Inventory):
		rules.Inventory = filepath.Join(filepath.Dir(file), rules.Inventory)
	}
	return rules, nil
}

// Validate reports every bad value with its key.
func (r *Rules) Validate() error {
	names := []string{}
	for _, d := range detectors(r.Detect, new(inventory.Live)) {
		names = append(names, d.Name())
	}
	var all []error
	for _, name := range r.Only {
		if !slices.Contains(names, name) {
			all = append(all, fmt.Errorf("no detector is named %q: there are %s", name, strings.Join(names, ", ")))
		}
	}
	return errors.Join(append(all, config.Under("detect", r.Detect.validate()))...)
}

// detectors are those that are to run.
func (r *Rules) detectors(inv *inventory.Live) []detect.Detector {
	return slices.DeleteFunc(detectors(r.Detect, inv), func(d detect.Detector) bool {
		return len(r.Only) > 0 && !slices.Contains(r.Only, d.Name())
	})
}

// live reads the inventory.
func (r *Rules) live() (*inventory.Live, error) {
	c := Config{Inventory: r.Inventory}
	return c.loadInventory()
}

// historyBefore is how much history before a backtest the detectors learn from, at most.
const historyBefore = 60 * 24 * time.Hour

// Period is the time of which watched flows are stored; zero times if there are none.
func Period(ctx context.Context, db *Database) (from, to time.Time, err error) {
	var rows []struct {
		From  time.Time `ch:"from"`
		To    time.Time `ch:"to"`
		Count uint64    `ch:"rows"`
	}
	err = db.Select(ctx, &rows, "SELECT min(received_at) AS from, max(received_at) AS to, count() AS rows FROM watched_flows")
	if err != nil || rows[0].Count == 0 {
		return time.Time{}, time.Time{}, err
	}
	return rows[0].From.UTC(), rows[0].To.UTC(), nil
}

// Rebuild makes the history that detectors learn from of the stored flows of [from, to):
// where it does not stand for all of them, or with all set in any case. It returns how
// many hours it made.
func Rebuild(ctx context.Context, db *Database, from, to time.Time, all bool, progress func(done time.Time)) (hours int, err error) {
	if !all {
		return detect.Complete(ctx, db.Store, from, to, progress)
	}
	from, to = from.Truncate(time.Hour), to.Add(time.Hour-1).Truncate(time.Hour)
	return int(to.Sub(from) / time.Hour), detect.Rebuild(ctx, db.Store, from, to, progress)
}

// Backtest runs the detectors under the rules over what is stored of [from, to), and
// returns the alerts that they raise. What is missing of the history is made first.
func Backtest(ctx context.Context, db *Database, rules Rules, from, to time.Time, progress func(done time.Time)) ([]alert.Alert, error) {
	begin, _, err := Period(ctx, db)
	if err != nil {
		return nil, err
	}
	if begin.IsZero() {
		return nil, errors.New("no flows of protected systems are stored: a backtest has nothing to look at")
	}
	if since := from.Add(-historyBefore); begin.Before(since) {
		begin = since
	}
	if _, err := Rebuild(ctx, db, begin, to, false, nil); err != nil {
		return nil, err
	}
	inv, err := rules.live()
	if err != nil {
		return nil, err
	}
	approvals, err := db.Approvals(ctx, to)
	if err != nil {
		return nil, err
	}
	inv.Approve(allowed(approvals, to))
	test := detect.Backtest{
		Detectors: rules.detectors(inv), History: detect.NewStored(db.Store), Window: rules.Detect.Window,
		Parallel: rules.Detect.Parallel, Hold: holder(inv.Load), Progress: progress,
	}
	found, err := test.Run(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return alert.FoldFindings(found), nil
}

// holder tells whether a maintenance window holds a finding back. Telemetry looks to that
// itself: an outage that outlasts its window is to be told when that ends.
func holder(inv func() *inventory.Inventory) func(*alert.Finding) bool {
	return func(f *alert.Finding) bool {
		if f.Detector == telemetry.Name {
			return false
		}
		v := inv()
		for _, p := range []alert.Party{f.Asset, f.Peer} {
			if p.Zone == "" && p.Asset == "" {
				continue
			}
			if _, held := v.UnderMaintenance(f.FirstSeen, inventory.Subject{Zone: p.Zone, Asset: p.Asset}); held {
				return true
			}
		}
		return false
	}
}

// Changes are what other rules make of the alerts of a time.
type Changes struct {
	Added   []alert.Alert `json:"added"`
	Removed []alert.Alert `json:"removed"`
	// Changed are those of which the severity changes, as they become.
	Changed []Change `json:"changed"`
	Same    int      `json:"same"`
}

// Change is an alert whose severity was another.
type Change struct {
	alert.Alert
	Was alert.Severity `json:"was"`
}

// Compare tells what becomes of the alerts before under other rules.
func Compare(before, after []alert.Alert) Changes {
	old := make(map[string]*alert.Alert, len(before))
	for i := range before {
		old[before[i].ID] = &before[i]
	}
	var c Changes
	for _, a := range after {
		was := old[a.ID]
		delete(old, a.ID)
		switch {
		case was == nil:
			c.Added = append(c.Added, a)
		case was.Severity != a.Severity:
			c.Changed = append(c.Changed, Change{a, was.Severity})
		default:
			c.Same++
		}
	}
	for _, a := range old {
		c.Removed = append(c.Removed, *a)
	}
	slices.SortFunc(c.Removed, func(a, b alert.Alert) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.ID, b.ID))
	})
	return c
}

// ParseMoment reads a moment on the command line: RFC 3339, a date, or how long before
// now, such as 36h or 7d.
func ParseMoment(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days+"\n", "%d\n", &n); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no moment: write 2026-11-22, 2026-11-22T15:04 (UTC), or how long ago: 36h, 7d", text)
}
