// Package intel marks the ends of flows that intelligence lists name.
//
// A list is a text file with one address or prefix a line. What follows after a
// space, a comma or a semicolon describes it; # begins a comment:
//
//	# seen in the advisory of August
//	198.51.100.7
//	203.0.113.0/24  command and control
//	2001:db8:bad::/48, staging
//
// A line that is none of this is an error with file and line. A list may be empty.
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
// narrowest indicator that holds the address.
type Enricher struct {
	cfg       Config
	logger    *slog.Logger
	metrics   *metrics
	reloading sync.Mutex
	current   atomic.Pointer[indicators]
}

// New reads the lists. Its error names every bad line of them.
func New(cfg Config, logger *slog.Logger, reg prometheus.Registerer) (*Enricher, error) {
	e := &Enricher{cfg: cfg, logger: logger.With("component", "intel")}
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
	for i, l := range e.cfg.Lists {
		e.metrics.indicators.WithLabelValues(l.Name).Set(float64(loaded.counts[i]))
		e.logger.Info("intelligence list read", "list", l.Name, "file", l.File, "indicators", loaded.counts[i])
	}
}

func (e *Enricher) load() (*indicators, error) {
	loaded := newIndicators(len(e.cfg.Lists))
	var all []error
	for i, l := range e.cfg.Lists {
		data, err := os.ReadFile(l.File)
		if err != nil {
			all = append(all, fmt.Errorf("%s: read list %s: %w", setting(i), l.Name, err))
			continue
		}
		entries, err := parse(l.File, data)
		if err != nil {
			all = append(all, err)
			continue
		}
		loaded.counts[i] = len(entries)
		loaded.add(l.Name, entries, e.metrics.matches.WithLabelValues(l.Name))
	}
	loaded.finish()
	return loaded, errors.Join(all...)
}

// Name gives "intel".
func (e *Enricher) Name() string { return "intel" }

// Enrich marks both ends of every record of b; empty where no list names the end.
func (e *Enricher) Enrich(b *flow.Batch) {
	s := e.current.Load()
	s.mark(b.SrcAddr, b.SrcIntel)
	s.mark(b.DstAddr, b.DstIntel)
}

// Describe gives the description of an indicator in force, as "list:prefix" of the
// columns; empty where the list has none, or it is in force no more.
func (e *Enricher) Describe(text string) string {
	s := e.current.Load()
	if i, ok := s.byText[text]; ok {
		return s.all[i].description
	}
	return ""
}
