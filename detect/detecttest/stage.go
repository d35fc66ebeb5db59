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
	detect.History
	Exec(ctx context.Context, query string, args ...any) error
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
	return &Stage{t: t, store: store, writer: writer, enrich: enrich, windows: 10 * time.Second}
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

// Detect runs the detector over the ten-second windows that cover [from, to), in
// order, and returns all findings.
func (s *Stage) Detect(d detect.Detector, from, to time.Time) []alert.Finding {
	s.t.Helper()
	var all []alert.Finding
	for w := range detect.Windows(from, to, s.windows) {
		all = append(all, s.Window(d, w)...)
	}
	return all
}

// Window runs the detector over one window.
func (s *Stage) Window(d detect.Detector, w detect.Window) []alert.Finding {
	s.t.Helper()
	findings, err := d.Detect(s.t.Context(), w, s.store)
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
