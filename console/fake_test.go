package console_test

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/console"
	"tapwatch/hunts"
)

// store keeps alerts in memory and answers as storage does: the latest version of
// each alert.
type store struct {
	mu      sync.Mutex
	version uint64
	alerts  map[string]alert.Alert
	err     error
	// queries are those asked, for tests of what the console asks.
	queries []alert.Query
}

func newStore() *store { return &store{alerts: map[string]alert.Alert{}} }

// put stores a change and gives it back with its version.
func (s *store) put(a alert.Alert) alert.Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	a.Version = s.version
	s.alerts[a.ID] = a
	return a
}

func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// await waits for so many queries more.
func (s *store) await(t testing.TB, more int) {
	t.Helper()
	asked := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.queries)
	}
	until := asked() + more
	for deadline := time.Now().Add(20 * time.Second); asked() < until; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody asks for alerts")
		}
	}
}

func (s *store) Alert(_ context.Context, id string) (alert.Alert, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.alerts[id]
	return a, ok, s.err
}

func (s *store) Alerts(_ context.Context, q alert.Query) ([]alert.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, q)
	if s.err != nil {
		return nil, s.err
	}
	var found []alert.Alert
	for _, a := range s.alerts {
		if selected(q, a) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b alert.Alert) int {
		if q.AfterVersion > 0 {
			return cmp.Compare(a.Version, b.Version)
		}
		return cmp.Compare(b.Version, a.Version)
	})
	return found[:min(len(found), cmp.Or(q.Limit, 100))], nil
}

func selected(q alert.Query, a alert.Alert) bool {
	return a.Severity >= q.MinSeverity && a.Version > q.AfterVersion &&
		(q.BeforeVersion == 0 || a.Version < q.BeforeVersion) &&
		(q.Detector == "" || q.Detector == a.Detector) &&
		(q.Zone == "" || q.Zone == a.Asset.Zone) &&
		(q.Country == "" || q.Country == a.Peer.Country) &&
		(q.Since.IsZero() || a.LastSeen.After(q.Since)) &&
		strings.Contains(strings.ToLower(a.Title), strings.ToLower(q.Text))
}

// exporters answers with what it is given.
type exporters struct {
	mu  sync.Mutex
	all []console.ExporterStatus
	err error
}

func (e *exporters) set(all ...console.ExporterStatus) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = all
}

func (e *exporters) Exporters(context.Context) ([]console.ExporterStatus, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all), e.err
}

// fixture is a console over fakes.
type fixture struct {
	cfg       console.Config
	alerts    *store
	feed      *alert.Feed
	exporters *exporters
	hunts     []hunts.Hunt
	hunter    *hunter
	registry  *prometheus.Registry
	checks    []console.Check
	streams   func(string) []netip.AddrPort
	now       func() time.Time
}

func newFixture() *fixture {
	cfg := console.DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	return &fixture{cfg: cfg, alerts: newStore(), feed: alert.NewFeed(), exporters: &exporters{}, hunts: hunts.All(), hunter: &hunter{}, registry: prometheus.NewRegistry()}
}

func (f *fixture) server(t testing.TB) *console.Server { return f.serverWith(t, f.feed) }

// serverWith is server with another feed.
func (f *fixture) serverWith(t testing.TB, feed console.Feed) *console.Server {
	return f.serverOver(t, f.alerts, feed)
}

// serverOver is server with other alerts and another feed.
func (f *fixture) serverOver(t testing.TB, alerts console.Alerts, feed console.Feed) *console.Server {
	t.Helper()
	s, err := console.New(f.cfg, console.Deps{
		Alerts: alerts, Feed: feed, Exporters: f.exporters, Hunts: f.hunts, Hunter: f.hunter, Gatherer: f.registry, Checks: f.checks, Now: f.now, Streams: f.streams,
		Collector: func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.10:2055")} },
	}, slog.New(slog.NewTextHandler(io.Discard, nil)), f.registry)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// publish stores an alert and tells the feed, as the recorder does.
func (f *fixture) publish(a alert.Alert) alert.Alert {
	a = f.alerts.put(a)
	f.feed.Publish(a)
	return a
}

// start runs the console and gives its base URL and what stops it. The test stops
// it in any case.
func (f *fixture) start(t testing.TB) (base string, stop func()) {
	t.Helper()
	s := f.server(t)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	f.cfg.Listen = s.Addr().String() // a restart takes the same port
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return "http://" + s.Addr().String(), stop
}

// subscribedFeed runs a function right after each subscription.
type subscribedFeed struct {
	console.Feed
	subscribed func()
}

func (f subscribedFeed) Subscribe() (<-chan alert.Alert, func()) {
	c, unsubscribe := f.Feed.Subscribe()
	f.subscribed()
	return c, unsubscribe
}
