package intel

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
)

// Enricher fills the columns SrcIntel and DstIntel with "list:prefix" of the
// narrowest indicator that holds the address at that time.
type Enricher struct {
	cfg       Config
	logger    *slog.Logger
	metrics   *metrics
	reloading sync.Mutex
	current   atomic.Pointer[indicators]
	// changed has an item when the lists in force are to be remembered.
	changed chan struct{}
}

// New reads the lists. Its error names every bad line of them.
func New(cfg Config, logger *slog.Logger, reg prometheus.Registerer) (*Enricher, error) {
	e := &Enricher{cfg: cfg, logger: logger.With("component", "intel"), changed: make(chan struct{}, 1)}
	var err error
	if e.metrics, err = newMetrics(reg); err != nil {
		return nil, err
	}
	loaded, err := e.load()
	if err != nil {
		return nil, err
	}
	e.use(loaded)
	return e, nil
}

// Reload reads the same files again and puts them in force. If one of them is
// missing or has a bad line, all lists of before stay, and the error says so. Safe
// for concurrent use.
func (e *Enricher) Reload() error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	loaded, err := e.load()
	if err != nil {
		e.metrics.reloads.WithLabelValues("failed").Inc()
		return fmt.Errorf("the intelligence lists of before stay in force: %w", err)
	}
	e.metrics.reloads.WithLabelValues("ok").Inc()
	e.use(loaded)
	return nil
}

func (e *Enricher) use(loaded *indicators) {
	e.current.Store(loaded)
	select {
	case e.changed <- struct{}{}:
	default: // one is waiting, and will find these
	}
	for i, l := range e.cfg.Lists {
		e.metrics.indicators.WithLabelValues(l.Name).Set(float64(len(loaded.lists[i])))
		reasons, examples := summary(loaded.skipped[i])
		for _, reason := range skipReasons {
			e.metrics.skipped.WithLabelValues(l.Name, reason).Set(float64(reasons[reason]))
		}
		e.logger.Info("intelligence list read", "list", l.Name, "file", l.File, "indicators", len(loaded.lists[i]))
		if len(examples) > 0 {
			e.logger.Warn("parts of an intelligence list are not used", "list", l.Name, "parts", examples)
		}
	}
}

func (e *Enricher) load() (*indicators, error) {
	loaded := newIndicators(len(e.cfg.Lists))
	var all []error
	for i := range e.cfg.Lists {
		l := &e.cfg.Lists[i]
		data, err := os.ReadFile(l.File)
		if err != nil {
			all = append(all, fmt.Errorf("%s: read list %s: %w", setting(i), l.Name, err))
			continue
		}
		file, err := parse(l.File, l.Format, data)
		if err != nil {
			all = append(all, err)
			continue
		}
		loaded.lists[i], loaded.skipped[i] = l.indicators(file.entries), file.skipped
		loaded.add(loaded.lists[i], e.metrics.matches.WithLabelValues(l.Name))
	}
	loaded.finish()
	return loaded, errors.Join(all...)
}

// Name gives "intel".
func (e *Enricher) Name() string { return "intel" }

// Enrich marks both ends of every record of b; empty where no list names the end at the
// time when the record was received.
func (e *Enricher) Enrich(b *flow.Batch) {
	s := e.current.Load()
	s.mark(b.SrcAddr, b.ReceivedAt, b.SrcIntel)
	s.mark(b.DstAddr, b.ReceivedAt, b.DstIntel)
}

// Describe gives the description of an indicator in force, as "list:prefix" of the
// columns; empty where the list has none, or it is in force no more.
func (e *Enricher) Describe(text string) string {
	s := e.current.Load()
	if i, ok := s.byText[text]; ok {
		return s.all[i].Description
	}
	return ""
}
