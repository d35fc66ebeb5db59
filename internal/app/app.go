// Package app wires tapwatch together: the configuration of the whole, what runs
// in which order, and what every subcommand shares.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tapwatch/alert"
	"tapwatch/collector"
	"tapwatch/console"
	"tapwatch/detect"
	"tapwatch/hunts"
	"tapwatch/inventory"
	"tapwatch/storage"
)

// App is the running whole: `tapwatch run`.
type App struct {
	cfg       Config
	logger    *slog.Logger
	registry  *prometheus.Registry
	inventory *inventory.Live
	enrich    *enrichment
	backend   *backend
	quiet     *quiet
	hunter    *hunter
	collector *collector.Collector
	console   *console.Server
	// stopping says that Run was told to stop.
	stopping atomic.Bool

	// OnReady is called once everything runs, with where it listens.
	OnReady func(Addresses)
}

// Addresses say where a running App listens.
type Addresses struct {
	Collector []netip.AddrPort // UDP
	// Streams are those for IPFIX over "tcp", "tls" and "dtls".
	Streams map[string][]netip.AddrPort
	Console netip.AddrPort
	// Reader is the store as hunters reach it, read-only.
	Reader storage.Endpoint
}

// New builds the parts and reads the files that the configuration names. It
// starts nothing.
func New(cfg Config, logger *slog.Logger) (*App, error) {
	a := &App{cfg: cfg, logger: logger, registry: prometheus.NewRegistry(), OnReady: func(Addresses) {}}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := cfg.missing(); err != nil {
		return nil, err
	}
	var err error
	if a.inventory, err = cfg.loadInventory(); err != nil {
		return nil, err
	}
	if a.enrich, err = newEnrichment(cfg.Enrich, a.inventory, logger, a.registry); err != nil {
		return nil, err
	}
	a.backend = &backend{chain: a.enrich.chain, feed: alert.NewFeed()}
	if a.quiet, err = newQuiet(cfg.Alert, a.backend.opened, a.inventory, logger, a.registry); err != nil {
		return nil, err
	}
	a.backend.recorder.raised = a.quiet.raised
	a.hunter = &hunter{logger: logger}
	a.collector, err = collector.New(cfg.Collector, protocols(), listedExporters{a.inventory}, a.backend, a.backend, logger, a.registry)
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	a.console, err = a.newConsole()
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return a, nil
}

// ConsoleAddr is where the console listens, once Run has bound it.
func (a *App) ConsoleAddr() netip.AddrPort { return a.console.Addr() }

// Feed hands out alerts as they change.
func (a *App) Feed() *alert.Feed { return a.backend.feed }

// Run binds the sockets, starts the parts and works until ctx ends; then it stops
// them in the reverse order, so that what was received is stored.
func (a *App) Run(ctx context.Context) (err error) {
	defer context.AfterFunc(ctx, func() { a.stopping.Store(true) })()
	life := newLifecycle()
	defer func() { err = errors.Join(err, life.stop()) }()
	if err := a.collector.Listen(); err != nil {
		return err
	}
	life.onStop("sockets", a.collector.Close) // for a collector that never came to run
	if err := a.console.Listen(); err != nil {
		return err
	}

	// The console serves from the start: /readyz says what is not ready yet.
	life.start("console", a.console.Run)
	// Flows are collected from the start too; they wait in memory and in the spool. The
	// writer is to stop before the database that is opened after it.
	writer, err := storage.NewWriter(a.cfg.writer(), a.logger, a.registry)
	if err != nil {
		return err
	}
	a.backend.writer.Store(writer)
	ingest := life.fork()
	defer func() { err = errors.Join(err, ingest.stop()) }()
	ingest.start("writer", writer.Run)
	ingest.start("collector", a.collector.Run)

	db, err := a.openDatabase(ctx, life)
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while ClickHouse could not be reached
		}
		return err
	}
	writer.Attach(db.Store)
	a.backend.store.Store(db.Store)
	a.hunter.at.Store(&db.Reader)
	life.onStop("hunts", a.hunter.close)

	// Approvals are in force before anything is detected.
	if err := life.until(ctx, a.quiet.refresh); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	life.start("quiet", a.quiet.run)
	incidents := newIncidents(a.cfg.Alert, db.Store, a.inventory, a.logger)
	recorded := incidents.recorded
	a.backend.recorded.Store(&recorded)
	life.start("incidents", incidents.run)

	// The collector is asked first: what it has handed on by then is the writer's.
	watermark := func() time.Time { return earlier(a.collector.Watermark(), writer.Watermark()) }
	engine, err := detect.New(a.cfg.Detect.Config, detectors(a.cfg.Detect, a.inventory), db.Store, a.backend, watermark, a.logger, a.registry)
	if err != nil {
		return err
	}
	engine.Hold = holder(a.inventory.Load)
	life.start("intelligence", func(ctx context.Context) error { return a.enrich.intel.Remember(ctx, db.Store) })
	life.start("detect", engine.Run)
	a.OnReady(Addresses{Collector: a.collector.Addrs(), Streams: a.streams(), Console: a.console.Addr(), Reader: db.Reader})
	return life.wait(ctx)
}

func (a *App) openDatabase(ctx context.Context, life *lifecycle) (*Database, error) {
	at, err := locateOwn(ctx, life, a.cfg.Storage, a.logger, a.registry)
	if err != nil {
		return nil, err
	}
	return openDatabase(ctx, life, at, a.cfg.Storage.Retention, a.logger)
}

func (a *App) streams() map[string][]netip.AddrPort {
	all := map[string][]netip.AddrPort{}
	for _, transport := range []string{"tcp", "tls", "dtls"} {
		if addrs := a.collector.StreamAddrs(transport); len(addrs) > 0 {
			all[transport] = addrs
		}
	}
	return all
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (a *App) newConsole() (*console.Server, error) {
	deps := console.Deps{
		Alerts:    a.backend,
		Incidents: a.backend,
		Quiet:     a.quiet,
		Feed:      a.backend.feed,
		Exporters: exporterStatuses{a.backend, a.inventory, a.cfg.Collector.HealthInterval},
		Gatherer:  a.registry,
		Collector: a.collector.Addrs,
		Streams:   a.collector.StreamAddrs,
		Checks:    []console.Check{{Name: "clickhouse", Ready: a.backend.ready}},
		Hunts:     hunts.All(),
		Hunter:    a.hunter,

		IncidentGap: a.cfg.Alert.IncidentGap,
	}
	return console.New(a.cfg.Console, deps, a.logger, a.registry)
}
