package detecttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Store is a fresh database. *storage.Store satisfies it.
type Store interface {
	Select(ctx context.Context, dest any, query string, args ...any) error
	Exec(ctx context.Context, query string, args ...any) error
	detect.HistoryStore
}

// Writer stores flows. *storage.Writer satisfies it.
type Writer interface {
	Run(ctx context.Context) error
	Write(ctx context.Context, b *flow.Batch) error
	Flush(ctx context.Context) error
}

// Enricher tags flows. enrich.Chain satisfies it.
type Enricher interface{ Enrich(b *flow.Batch) }

// Stage stores flows as the pipeline does and lets a detector look at them.
type Stage struct {
	t       testing.TB
	store   Store
	writer  Writer
	enrich  Enricher
	windows time.Duration
	// history is made anew when flows have come since, from first to last.
	history     *detect.Stored
	stale       bool
	first, last time.Time
}

// NewStage returns a stage on the store, whose writer it runs until the test ends.
func NewStage(t testing.TB, store Store, writer Writer, enrich Enricher) *Stage {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- writer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop the writer: %v", err)
		}
	})
	return &Stage{t: t, store: store, writer: writer, enrich: enrich, windows: 10 * time.Second, history: detect.NewStored(store)}
}

// Store gives the database.
func (s *Stage) Store() Store { return s.store }

// Flows tags and stores flows.
func (s *Stage) Flows(flows ...Flow) {
	s.t.Helper()
	if len(flows) == 0 {
		return
	}
	b := Batch(s.t, flows...)
	s.enrich.Enrich(b)
	ctx := s.t.Context()
	if err := s.writer.Write(ctx, b); err != nil {
		s.t.Fatal(err)
	}
	if err := s.writer.Flush(ctx); err != nil {
		s.t.Fatal(err)
	}
	for i := range flows {
		if at := flows[i].At; s.first.IsZero() || at.Before(s.first) {
			s.first = at
		}
		if at := flows[i].At; at.After(s.last) {
			s.last = at
		}
	}
	s.stale = true
}

// History gives the history that detectors look at, made of all flows so far.
func (s *Stage) History() *detect.Stored {
	s.t.Helper()
	if s.stale {
		from, to := s.first.Truncate(time.Hour), s.last.Truncate(time.Hour).Add(time.Hour)
		if err := detect.Rebuild(s.t.Context(), s.store, from, to, nil); err != nil {
			s.t.Fatal(err)
		}
		s.history.Forget()
		s.stale = false
	}
	return s.history
}

// Health stores the collector's counts of an exporter, as it does every minute.
func (s *Stage) Health(at time.Time, exporter string) {
	s.t.Helper()
	err := s.store.Exec(s.t.Context(), "INSERT INTO exporter_health (at, collector, exporter) VALUES ({at:DateTime64(3)}, 'test', {exporter:IPv6})",
		detect.Param("at", at), detect.Param("exporter", exporter))
	if err != nil {
		s.t.Fatal(err)
	}
}

// every is how long the detector's windows are: its own, else ten seconds.
func (s *Stage) every(d detect.Detector) time.Duration {
	if every := d.Every(); every > 0 {
		return every
	}
	return s.windows
}

// Detect runs the detector over its windows that cover [from, to), in order, and
// returns all findings.
func (s *Stage) Detect(d detect.Detector, from, to time.Time) []alert.Finding {
	s.t.Helper()
	var all []alert.Finding
	for w := range detect.Windows(from, to, s.every(d)) {
		all = append(all, s.Window(d, w)...)
	}
	return all
}

// Window runs the detector over one window.
func (s *Stage) Window(d detect.Detector, w detect.Window) []alert.Finding {
	s.t.Helper()
	findings, err := d.Detect(s.t.Context(), w, s.History())
	if err != nil {
		s.t.Fatalf("%s in the window from %s: %v", d.Name(), w.Start, err)
	}
	return findings
}

// Rows is how many rows the query returns, run as it is.
func (s *Stage) Rows(query string) uint64 {
	s.t.Helper()
	var rows []struct {
		Count uint64 `ch:"rows"`
	}
	if err := s.store.Select(s.t.Context(), &rows, "SELECT count() AS rows FROM (\n"+query+"\n)"); err != nil {
		s.t.Fatalf("%v\nin the query\n%s", err, query)
	}
	return rows[0].Count
}

// Inventory reads an inventory from its YAML text.
func Inventory(t testing.TB, yaml string) func() *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Parse("inventory.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return func() *inventory.Inventory { return inv }
}

// Titles are the titles of findings, sorted, each once.
func Titles(findings []alert.Finding) []string {
	titles := []string{}
	for _, f := range findings {
		titles = append(titles, f.Severity.String()+": "+f.Title)
	}
	slices.Sort(titles)
	return slices.Compact(titles)
}
