package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"tapwatch/storage"
	"tapwatch/storage/embedded/gateway"
)

// Engine supervises one ClickHouse. Safe for concurrent use; Run is called once.
type Engine struct {
	cfg     Config
	dataDir string
	library string
	log     *slog.Logger
	metrics *metrics

	ready chan struct{} // closed when the engine answers for the first time
	ended chan struct{} // closed when Run returns
	mu    sync.Mutex
	state State
	err   error // what Run returned
}

// New checks the configuration and finds the library. It touches no file.
func New(cfg Config, logger *slog.Logger) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	library, err := FindLibrary(cfg.Library)
	if err != nil {
		return nil, err
	}
	dataDir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	return &Engine{
		cfg: cfg, dataDir: dataDir, library: library,
		log:     logger.With("component", "embedded"),
		metrics: newMetrics(),
		ready:   make(chan struct{}), ended: make(chan struct{}),
	}, nil
}

// Run runs the engine until ctx ends, starting it again whenever it dies, and then
// stops it: it returns when no child is left. It fails if the data directory is in
// use or cannot be written, or if the engine does not come up at first.
func (e *Engine) Run(ctx context.Context) error {
	err := e.run(ctx)
	e.mu.Lock()
	e.err = err
	e.mu.Unlock()
	close(e.ended)
	return err
}

func (e *Engine) run(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(e.dataDir, logFolder), 0o700); err != nil {
		return fmt.Errorf("create the data directory: %w", err)
	}
	held, err := lock(ctx, e.dataDir)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer held.Close()
	state, err := loadState(e.dataDir)
	if err != nil {
		return err
	}
	public, err := state.listen(e.cfg)
	if err != nil {
		return err
	}
	// What a run that was killed has left there must not be taken for this one.
	if err := e.publish(state); err != nil {
		return errors.Join(err, public.Close())
	}
	front := gateway.New(public.native, public.web, e.policy(state), e.metrics.gateway, e.log)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return front.Run(ctx) })
	group.Go(func() error { return ignoreEnd(ctx, e.supervise(ctx, held, front, state)) })
	return group.Wait()
}

// policy lets the two users into databases that exist.
func (e *Engine) policy(state State) gateway.Policy {
	return gateway.Policy{
		Secret: state.identity().Secret,
		Passwords: map[string]string{
			state.Writer.Username: state.Writer.Password,
			state.Reader.Username: state.Reader.Password,
		},
		Database: e.hasDatabase,
	}
}

// builtinDatabases exist without a file.
var builtinDatabases = []string{"default", "system", "information_schema", "INFORMATION_SCHEMA"}

// hasDatabase looks the database up where the engine keeps its definition.
func (e *Engine) hasDatabase(name string) bool {
	return slices.Contains(builtinDatabases, name) ||
		isFile(filepath.Join(e.dataDir, dataFolder, "metadata", escapeFileName(name)+".sql"))
}

// ignoreEnd makes an error that follows from the end of ctx none.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil
	}
	return err
}

// Ready returns when the engine has answered for the first time. An error means
// that Run ended before, and why, or that ctx did.
func (e *Engine) Ready(ctx context.Context) error {
	select {
	case <-e.ready:
		return nil
	default:
	}
	select {
	case <-e.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the embedded engine: %w", context.Cause(ctx))
	case <-e.ended:
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		return errors.New("the embedded engine was stopped before it was ready")
	}
	return e.err
}

// State is how to reach the engine. It is complete once Ready has returned nil, and
// then only its PID changes.
func (e *Engine) State() State {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state
}

// Writer is the endpoint of the user that may do everything; see State.
func (e *Engine) Writer() storage.Endpoint { return e.State().WriterEndpoint() }

// Reader is the endpoint of the user that may read only; see State.
func (e *Engine) Reader() storage.Endpoint { return e.State().ReaderEndpoint() }
