// Package e2e tests tapwatch as a whole, on the real engine, with real exporters and
// in a real browser.
package e2e

import (
	"context"
	"testing"
	"time"

	"tapwatch/internal/app"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// configuration is the defaults on free ports of the loopback address and a
// database of the test's own.
func configuration(t *testing.T) app.Config {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Collector.Listen = []string{"127.0.0.1:0"}
	cfg.Collector.FlushInterval = 50 * time.Millisecond
	cfg.Collector.HealthInterval = time.Second
	cfg.Collector.StateFile = "" // each test starts anew, and writes nothing here
	cfg.Storage.Batch.Interval = 50 * time.Millisecond
	cfg.Storage.Spool.Dir = t.TempDir()
	cfg.Console.Listen = "127.0.0.1:0"
	useDatabase(&cfg, testkit.Database(t))
	return cfg
}

// useDatabase makes cfg name an external server.
func useDatabase(cfg *app.Config, at storage.Endpoint) {
	cfg.Storage.ClickHouse = storage.ClickHouse{
		Addresses: at.Addresses, Database: at.Database, Username: at.Username, Password: at.Password,
	}
}

// running is an App that runs until its test ends or stop is called.
type running struct {
	*app.App
	app.Addresses
	stop func() error
}

// start runs an App and waits until it is ready.
func start(t *testing.T, cfg app.Config) *running {
	t.Helper()
	a, err := app.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan app.Addresses, 1), make(chan error, 1)
	a.OnReady = func(at app.Addresses) { ready <- at }
	go func() { ended <- a.Run(ctx) }()
	r := &running{App: a}
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	select {
	case r.Addresses = <-ready:
	case err := <-ended:
		stopped = true
		t.Fatalf("ended at once: %v", err)
	}
	return r
}

// totals are what a question about flows sums up.
type totals struct {
	Flows   uint64 `ch:"flows"`
	Bytes   uint64 `ch:"bytes"`
	Packets uint64 `ch:"packets"`
}

func sumFlows(t *testing.T, s *storage.Store, where string) totals {
	t.Helper()
	var rows []totals
	query := "SELECT count() AS flows, sum(bytes) AS bytes, sum(packets) AS packets FROM flows WHERE " + where
	if err := s.Select(t.Context(), &rows, query); err != nil {
		t.Fatal(err)
	}
	return rows[0]
}
