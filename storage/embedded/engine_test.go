package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

func TestMain(m *testing.M) {
	embedded.Main()
	if dir := os.Getenv(parentEnv); dir != "" {
		os.Exit(runParent(dir))
	}
	testkit.Main(m)
}

// running is an engine of the test's own.
type running struct {
	*embedded.Engine
	cancel context.CancelFunc
	done   chan error
}

// run starts an engine and waits until it answers; the test's end stops it.
func run(t *testing.T, cfg embedded.Config) *running {
	t.Helper()
	engine, err := embedded.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{engine, cancel, make(chan error, 1)}
	go func() { r.done <- engine.Run(ctx) }()
	t.Cleanup(r.stop(t))
	if err := engine.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// stop gives a function that ends the engine; it may be called again.
func (r *running) stop(t *testing.T) func() {
	return func() {
		r.cancel()
		if err := <-r.done; err != nil {
			t.Errorf("Run = %v", err)
		}
		r.done <- nil
	}
}

// kill ends the engine's process and gives its number, when the supervisor has seen it.
func kill(t *testing.T, engine *running) (pid int) {
	t.Helper()
	pid = engine.State().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the engine has ended", func() bool { return !exists(pid) })
	return pid
}

func config(t *testing.T) embedded.Config {
	cfg := embedded.DefaultConfig()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	return cfg
}

func exists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestEngineKeepsItsDataOverARestart(t *testing.T) {
	cfg := config(t)
	first := run(t, cfg)
	s := testkit.Open(t, first.Writer())
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	do(t, s, "INSERT INTO flows (bytes) VALUES (7)")
	do(t, s, "SYSTEM FLUSH LOGS")
	state := first.State()
	if got, ok := embedded.Running(cfg.DataDir); !ok || got != state {
		t.Errorf("Running = %+v, %t, want %+v", got, ok, state)
	}
	first.stop(t)()
	if exists(state.PID) {
		t.Errorf("the engine, process %d, outlives Run", state.PID)
	}
	if got, ok := embedded.Running(cfg.DataDir); ok {
		t.Errorf("Running after the stop = %+v", got)
	}

	second := run(t, cfg)
	again := second.State()
	again.PID = state.PID
	if again != state {
		t.Errorf("passwords or ports changed over the restart: %+v, before %+v", again, state)
	}
	s = testkit.Open(t, second.Writer())
	if got := count(t, s, "SELECT sum(bytes) FROM flows"); got != 7 {
		t.Errorf("sum(bytes) after the restart = %d, want 7", got)
	}
	do(t, s, "SYSTEM FLUSH LOGS")
	if got := count(t, s, "SELECT count() FROM system.query_log WHERE query LIKE 'INSERT INTO flows%VALUES%'"); got == 0 {
		t.Error("query_log lost the insert over the restart")
	}
}

func do(t *testing.T, s *storage.Store, statement string) {
	t.Helper()
	if err := s.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, s *storage.Store, query string) uint64 {
	t.Helper()
	var n uint64
	if err := s.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Every row that was acknowledged is there after a crash, and clients get on.
func TestEngineComesBackAfterACrash(t *testing.T) {
	engine := run(t, config(t))
	reg := prometheus.NewRegistry()
	if err := engine.Register(reg); err != nil {
		t.Fatal(err)
	}
	s := testkit.Open(t, engine.Writer())
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	acknowledged := uint64(0)
	for crash := range 3 {
		for range 20 {
			do(t, s, "INSERT INTO flows (bytes, watched) VALUES (1, true)")
			acknowledged++
		}
		pid := kill(t, engine)
		testkit.Eventually(t, "a new engine answers", func() bool {
			return engine.State().PID != pid && s.Ping(t.Context()) == nil
		})
		for _, table := range []string{"flows", "watched_flows"} {
			if got := count(t, s, "SELECT count() FROM "+table); got != acknowledged {
				t.Errorf("after crash %d %s has %d rows, want %d", crash+1, table, got, acknowledged)
			}
		}
	}
	want := "# HELP tapwatch_embedded_restarts_total How often the embedded ClickHouse was started again after it died.\n" +
		"# TYPE tapwatch_embedded_restarts_total counter\ntapwatch_embedded_restarts_total 3\n" +
		"# HELP tapwatch_embedded_up 1 while the embedded ClickHouse answers.\n" +
		"# TYPE tapwatch_embedded_up gauge\ntapwatch_embedded_up 1\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tapwatch_embedded_restarts_total", "tapwatch_embedded_up"); err != nil {
		t.Error(err)
	}
}

// Signals that reach all processes of tapwatch do not end the engine under its
// clients; the end of Run does.
func TestEngineIgnoresSignals(t *testing.T) {
	engine := run(t, config(t))
	pid := engine.State().PID
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	s := testkit.Open(t, engine.Writer())
	for range 20 {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("the engine is in process group %d (error %v), want its own, %d", group, err, pid)
	}
	if now := engine.State().PID; now != pid {
		t.Errorf("the engine is process %d, was %d: a signal ended it", now, pid)
	}
}

func TestOnlyOneEngineOnADirectory(t *testing.T) {
	cfg := config(t)
	run(t, cfg)
	second, err := embedded.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	err = second.Run(t.Context())
	var inUse *embedded.InUseError
	if !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
		t.Fatalf("Run of a second engine = %v", err)
	}
	want := fmt.Sprintf("the data directory %s is in use by process %d: stop it first, or set another storage.embedded.data_dir", cfg.DataDir, os.Getpid())
	if err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := second.Ready(t.Context()); !errors.As(err, &inUse) {
		t.Errorf("Ready of a second engine = %v", err)
	}
}

func TestConfiguredPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg := config(t)
	cfg.HTTPPort = uint16(listener.Addr().(*net.TCPAddr).Port)
	engine, err := embedded.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	err = engine.Run(t.Context())
	if want := fmt.Sprintf("port %d of storage.embedded.http_port cannot be used: ", cfg.HTTPPort); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Run = %v, want %s…", err, want)
	}
}

func TestConfiguredPortsAreUsed(t *testing.T) {
	cfg := config(t)
	for _, port := range []*uint16{&cfg.TCPPort, &cfg.HTTPPort} {
		free, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*port = uint16(free.Addr().(*net.TCPAddr).Port)
		if err := free.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := run(t, cfg).State()
	if s.TCPPort != cfg.TCPPort || s.HTTPPort != cfg.HTTPPort {
		t.Errorf("ports %d and %d, want %d and %d", s.TCPPort, s.HTTPPort, cfg.TCPPort, cfg.HTTPPort)
	}
}

// Nothing of a data directory is readable by others.
func TestDataDirectoryIsPrivate(t *testing.T) {
	cfg := config(t)
	engine := run(t, cfg)
	for path, want := range map[string]os.FileMode{
		"": 0o700, "engine.json": 0o600, "users.xml": 0o600, "config.xml": 0o600, "lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(cfg.DataDir, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %q is %o, want %o", path, got, want)
		}
	}
	for _, file := range []string{"users.xml", "config.xml", "log/engine.log"} {
		data, err := os.ReadFile(filepath.Join(cfg.DataDir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{engine.Writer().Password, engine.Reader().Password} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s has a password in clear", file)
			}
		}
	}
}

func TestEngineThatCannotStart(t *testing.T) {
	cfg := config(t)
	cfg.Library = filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(cfg.Library, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := embedded.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	err = engine.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "load the ClickHouse library") {
		t.Errorf("Run with a broken library = %v", err)
	}
	if err := engine.Ready(t.Context()); err == nil {
		t.Error("Ready after a failed Run = nil")
	}
}

func TestReadyEndsWithItsContext(t *testing.T) {
	engine, err := embedded.New(config(t), testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := engine.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ready of an engine that does not run = %v", err)
	}
}
