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
		(q.IDs == nil || slices.Contains(q.IDs, a.ID)) &&
		(q.Silenced == alert.WithSilenced || (len(alert.Silencing(q.Silences, &a)) > 0) == (q.Silenced == alert.OnlySilenced)) &&
		strings.Contains(strings.ToLower(a.Title), strings.ToLower(q.Text))
}

func (s *store) CountAlerts(ctx context.Context, q alert.Query) (uint64, error) {
	q.Limit = 1 << 30
	found, err := s.Alerts(ctx, q)
	return uint64(len(found)), err
}

// Incidents makes incidents of the alerts that are there, each of one episode.
func (s *store) Incidents(_ context.Context, q alert.IncidentQuery) ([]alert.Incident, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	var episodes []alert.Episode
	for _, a := range s.alerts {
		episodes = append(episodes, alert.Episode{Alert: a})
	}
	found := alert.Incidents(episodes, alert.Grouping{Gap: 24 * time.Hour})
	found = slices.DeleteFunc(found, func(in alert.Incident) bool {
		left := func(id string) bool { a := s.alerts[id]; return len(alert.Silencing(q.Silences, &a)) == 0 }
		holds := func(id string) bool { return slices.Contains(q.Alerts, id) }
		return in.Severity < q.MinSeverity || q.IDs == nil && in.AbsorbedInto != "" || q.IDs != nil && !slices.Contains(q.IDs, in.ID) ||
			q.Alerts != nil && !slices.ContainsFunc(in.AlertIDs, holds) || !q.Since.IsZero() && in.LastSeen.Before(q.Since) ||
			q.BeforeID != "" && cmp.Or(in.LastSeen.Truncate(time.Millisecond).Compare(q.Before), strings.Compare(in.ID, q.BeforeID)) >= 0 ||
			q.Silenced != alert.WithSilenced && slices.ContainsFunc(in.AlertIDs, left) == (q.Silenced == alert.OnlySilenced)
	})
	slices.SortFunc(found, func(a, b alert.Incident) int {
		return cmp.Or(b.LastSeen.Truncate(time.Millisecond).Compare(a.LastSeen.Truncate(time.Millisecond)), strings.Compare(b.ID, a.ID))
	})
	return found[:min(len(found), cmp.Or(q.Limit, 100))], nil
}

func (s *store) CountIncidents(ctx context.Context, q alert.IncidentQuery) (uint64, error) {
	q.Limit = 1 << 30
	found, err := s.Incidents(ctx, q)
	return uint64(len(found)), err
}

// quiet keeps silences and approvals in memory.
type quiet struct {
	mu        sync.Mutex
	silences  []alert.Silence
	approvals []alert.Approval
	budget    *alert.Budget
	now       func() time.Time
	err       error
}

func (q *quiet) at() time.Time {
	if q.now != nil {
		return q.now()
	}
	return time.Now()
}

func (q *quiet) InForce() ([]alert.Silence, []alert.Approval) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(q.silences), func(s alert.Silence) bool { return !s.InForce(q.at()) }),
		slices.DeleteFunc(slices.Clone(q.approvals), func(a alert.Approval) bool { return !a.InForce(q.at()) })
}

func (q *quiet) Budget() (alert.Budget, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.budget == nil {
		return alert.Budget{}, false
	}
	return *q.budget, true
}

func (q *quiet) Silences(context.Context, time.Time) ([]alert.Silence, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.silences), q.err
}

func (q *quiet) Approvals(context.Context, time.Time) ([]alert.Approval, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.approvals), q.err
}

func (q *quiet) SaveSilence(_ context.Context, s alert.Silence) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.silences = append([]alert.Silence{s}, slices.DeleteFunc(q.silences, func(o alert.Silence) bool { return o.ID == s.ID })...)
	}
	return q.err
}

func (q *quiet) SaveApproval(_ context.Context, a alert.Approval) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.approvals = append([]alert.Approval{a}, slices.DeleteFunc(q.approvals, func(o alert.Approval) bool { return o.ID == a.ID })...)
	}
	return q.err
}

func (q *quiet) ApprovalsYAML() string { return "# approvals\n" }

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
	quiet     *quiet
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
	return &fixture{cfg: cfg, alerts: newStore(), feed: alert.NewFeed(), exporters: &exporters{}, quiet: &quiet{}, hunts: hunts.All(), hunter: &hunter{}, registry: prometheus.NewRegistry()}
}

func (f *fixture) server(t testing.TB) *console.Server { return f.serverWith(t, f.feed) }

// serverWith is server with another feed.
func (f *fixture) serverWith(t testing.TB, feed console.Feed) *console.Server {
	return f.serverOver(t, f.alerts, feed)
}

// alertStore is what storage is to the console.
type alertStore interface {
	console.Alerts
	console.Incidents
}

// serverOver is server with other alerts and another feed.
func (f *fixture) serverOver(t testing.TB, alerts alertStore, feed console.Feed) *console.Server {
	t.Helper()
	s, err := console.New(f.cfg, console.Deps{
		Alerts: alerts, Incidents: alerts, Quiet: f.quiet, IncidentGap: 24 * time.Hour, Feed: feed, Exporters: f.exporters, Hunts: f.hunts, Hunter: f.hunter, Gatherer: f.registry, Checks: f.checks, Now: f.now, Streams: f.streams,
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
