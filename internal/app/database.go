package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// endpoints say how to reach the store: with every right, and read-only.
type endpoints struct {
	writer, reader storage.Endpoint
	// started says that the engine is this process's own.
	started bool
}

// locate finds the store that the configuration names: the external servers, or
// the embedded engine that another tapwatch on this machine already runs on the
// same directory, or else an engine of its own, started as a part of life.
func locate(ctx context.Context, life *lifecycle, cfg StorageConfig, logger *slog.Logger, reg prometheus.Registerer) (endpoints, error) {
	if len(cfg.ClickHouse.Addresses) == 0 {
		if running, ok := embedded.Running(cfg.Embedded.DataDir); ok {
			return endpoints{writer: cfg.made(running.WriterEndpoint()), reader: running.ReaderEndpoint()}, nil
		}
	}
	return locateOwn(ctx, life, cfg, logger, reg)
}

// made gives the endpoint of an embedded engine with how its tables are to be made.
func (c *StorageConfig) made(at storage.Endpoint) storage.Endpoint {
	at.Partition = c.Partition
	return at
}

// locateOwn is locate for the tapwatch that collects: it refuses a directory on
// which another one runs, for two of them would detect and store side by side
// without knowing of each other.
func locateOwn(ctx context.Context, life *lifecycle, cfg StorageConfig, logger *slog.Logger, reg prometheus.Registerer) (endpoints, error) {
	if external := cfg.ClickHouse; len(external.Addresses) > 0 {
		return endpoints{writer: cfg.Config.WriterEndpoint(), reader: external.ReaderEndpoint()}, nil
	}
	engine, err := embedded.New(cfg.Embedded, logger)
	if err != nil {
		return endpoints{}, err
	}
	if err := engine.Register(reg); err != nil {
		return endpoints{}, err
	}
	life.start("engine", engine.Run)
	if err := life.until(ctx, engine.Ready); err != nil {
		return endpoints{}, err
	}
	return endpoints{writer: cfg.made(engine.Writer()), reader: engine.Reader(), started: true}, nil
}

// Database is an open store with its tables up to date.
type Database struct {
	*storage.Store
	// Reader is how hunters reach it, read-only.
	Reader storage.Endpoint
}

// openDatabase opens the store at the endpoints and migrates it; life closes it.
func openDatabase(ctx context.Context, life *lifecycle, at endpoints, keep storage.Retention, logger *slog.Logger) (*Database, error) {
	store, err := openStore(ctx, life, at.writer, logger)
	if err != nil {
		return nil, err
	}
	err = life.until(ctx, func(ctx context.Context) error { return store.Migrate(ctx, keep) })
	return &Database{store, at.reader}, err
}

// openStore opens a store; life closes it.
func openStore(ctx context.Context, life *lifecycle, at storage.Endpoint, logger *slog.Logger) (store *storage.Store, err error) {
	err = life.until(ctx, func(ctx context.Context) (err error) {
		store, err = storage.Open(ctx, at, logger)
		return err
	})
	if err == nil {
		life.onStop("store", store.Close)
	}
	return store, err
}

// WithDatabase opens the store that cfg names, brings its tables up to date, calls
// f and closes it. It starts the embedded engine where no other tapwatch runs one.
func WithDatabase(ctx context.Context, cfg StorageConfig, logger *slog.Logger, f func(*Database) error) (err error) {
	life := newLifecycle()
	defer func() { err = errors.Join(err, life.stop()) }()
	at, err := locate(ctx, life, cfg, logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, life, at, cfg.Retention, logger)
	if err != nil {
		return err
	}
	return f(db)
}

// readerPatience is how long WithReader waits for a store that does not answer.
const readerPatience = 15 * time.Second

// WithReader is WithDatabase for a hunter: f reads as the read-only user. A data
// directory that is not there is an error, not a new one.
func WithReader(ctx context.Context, cfg StorageConfig, logger *slog.Logger, f func(*storage.Reader) error) (err error) {
	if err := cfg.exists(); err != nil {
		return err
	}
	life := newLifecycle()
	defer func() { err = errors.Join(err, life.stop()) }()
	// Who asks a question wants to know soon that nobody answers.
	opening, cancel := context.WithTimeoutCause(ctx, readerPatience, errors.New("gave up"))
	defer cancel()
	at, err := locate(opening, life, cfg, logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	if at.started { // nobody else has brought the tables up to date
		if _, err := openDatabase(opening, life, at, cfg.Retention, logger); err != nil {
			return err
		}
	}
	store, err := openStore(opening, life, at.reader, logger)
	if err != nil {
		return err
	}
	reader, err := storage.NewReader(opening, store, at.reader)
	if err != nil {
		return err
	}
	return f(reader)
}

// exists says what is wrong if there is no store to read.
func (c *StorageConfig) exists() error {
	if len(c.ClickHouse.Addresses) > 0 {
		return nil
	}
	if _, err := os.Stat(c.Embedded.DataDir); err != nil {
		return fmt.Errorf("nothing is stored in %s (storage.embedded.data_dir): call this in the folder in which tapwatch runs, or name its configuration with --config", c.Embedded.DataDir)
	}
	return nil
}
