package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/inventory"
	"tapwatch/storage"
)

// quiet keeps in memory what people decided about alerts, puts approvals in force, and
// holds the alerts of a day against the budget (console.Quiet). Other tapwatch on the
// same store make silences and approvals too: it looks again every few seconds.
type quiet struct {
	cfg       alert.Config
	opened    func() (*storage.Store, error)
	inventory *inventory.Live
	logger    *slog.Logger
	metrics   quietMetrics

	now        atomic.Pointer[decided]
	refreshing sync.Mutex // held while what is in memory is read anew
	// counted is the newest version when the alerts of the day were counted, at countedAt.
	counted   uint64
	countedAt time.Time
}

// decided is what is in memory. Those that have ended are not in it; those that expire
// are.
type decided struct {
	silences    []alert.Silence
	approvals   []alert.Approval
	budget      alert.Budget
	budgetKnown bool
}

type quietMetrics struct {
	raised *prometheus.CounterVec
}

const (
	// refreshEvery is how soon what another tapwatch stored holds here.
	refreshEvery = 10 * time.Second
	// recountEvery is how often the alerts of the day are counted while none changes.
	recountEvery = time.Minute
)

func newQuiet(cfg alert.Config, opened func() (*storage.Store, error), inv *inventory.Live, logger *slog.Logger, reg prometheus.Registerer) (*quiet, error) {
	q := &quiet{cfg: cfg, opened: opened, inventory: inv, logger: logger.With("component", "alert")}
	q.now.Store(&decided{})
	q.metrics.raised = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tapwatch_alerts_raised_total",
		Help: "New alerts that this process raised, silenced ones too, by severity when raised and by detector.",
	}, []string{"severity", "detector"})
	gauge := func(name, help string, value func(b alert.Budget) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(q.now.Load().budget) })
	}
	return q, errors.Join(
		reg.Register(q.metrics.raised),
		reg.Register(gauge("tapwatch_alerts_day", "New alerts in the last 24 hours of stream time that are under no silence.",
			func(b alert.Budget) float64 { return float64(b.New) })),
		reg.Register(gauge("tapwatch_alerts_day_silenced", "New alerts in the last 24 hours of stream time that are under a silence.",
			func(b alert.Budget) float64 { return float64(b.Silenced) })),
		reg.Register(gauge("tapwatch_alerts_budget_per_day", "alert.budget_per_day: how many new alerts a day people can take; 0: no budget.",
			func(alert.Budget) float64 { return float64(cfg.BudgetPerDay) })),
	)
}

// raised counts a new alert.
func (q *quiet) raised(a *alert.Alert) {
	q.metrics.raised.WithLabelValues(a.Severity.String(), a.Detector).Inc()
}

// run looks again every few seconds until ctx ends.
func (q *quiet) run(ctx context.Context) error {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := q.refresh(ctx); err != nil && ctx.Err() == nil {
				q.logger.Error("cannot read silences, approvals and the day's alerts; those of before hold on", "error", err, "retry_in", refreshEvery)
			}
		}
	}
}

// refresh reads what is stored and puts it in force.
func (q *quiet) refresh(ctx context.Context) error {
	q.refreshing.Lock()
	defer q.refreshing.Unlock()
	if err := q.reread(ctx); err != nil {
		return err
	}
	return q.count(ctx)
}

// reread puts the stored silences and approvals in force. The caller has the lock.
func (q *quiet) reread(ctx context.Context) error {
	store, err := q.opened()
	if err != nil {
		return err
	}
	at := time.Now()
	next := *q.now.Load()
	if next.silences, err = store.Silences(ctx, at); err != nil {
		return err
	}
	if next.approvals, err = store.Approvals(ctx, at); err != nil {
		return err
	}
	next.silences = slices.DeleteFunc(next.silences, func(s alert.Silence) bool { return !s.EndedAt.IsZero() })
	next.approvals = slices.DeleteFunc(next.approvals, func(a alert.Approval) bool { return !a.EndedAt.IsZero() })
	q.now.Store(&next)
	if q.inventory.Approve(allowed(next.approvals, at)) {
		q.logger.Info("approvals in force changed", "approvals", len(next.approvals))
	}
	return nil
}

// count holds the alerts of the day against the budget. The caller has the lock.
func (q *quiet) count(ctx context.Context) error {
	store, err := q.opened()
	if err != nil {
		return err
	}
	newest, err := store.NewestVersion(ctx)
	if err != nil || newest == q.counted && time.Since(q.countedAt) < recountEvery {
		return err
	}
	until, err := store.StreamTime(ctx)
	if err != nil || until.IsZero() {
		return err
	}
	next := *q.now.Load()
	since := until.Add(-24 * time.Hour)
	silences, _ := q.InForce()
	// An alert of right now may have been seen in a window that is not counted as done yet.
	raised, silenced, err := store.Raised(ctx, since, until.Add(time.Hour), silences)
	if err != nil {
		return err
	}
	q.counted, q.countedAt = newest, time.Now()
	was := next.budget.Exceeded
	next.budget, next.budgetKnown = alert.NewBudget(q.cfg.BudgetPerDay, since, until, raised, silenced), true
	q.now.Store(&next)
	if b := next.budget; b.Exceeded && !was {
		q.logger.Warn("more new alerts in a day than the budget", "alerts", b.New, "budget", b.PerDay,
			"loudest_detector", b.Loudest[0].Detector, "loudest_rule", b.Loudest[0].Rule, "loudest_alerts", b.Loudest[0].Alerts)
	}
	return nil
}

// allowed gives approvals as the inventory has them, in the order of their identities.
func allowed(approvals []alert.Approval, at time.Time) []inventory.Approval {
	var all []inventory.Approval
	for i := range approvals {
		a := &approvals[i]
		if !a.InForce(at) {
			continue
		}
		all = append(all, inventory.Approval{
			ID: a.ID, Client: a.Client, Server: a.Server, EitherInitiates: a.EitherInitiates, Protocol: a.Protocol, Port: a.Port,
			Expires: a.ExpiresAt, Owner: a.Owner, Ticket: a.Ticket, Reason: a.Reason,
		})
	}
	slices.SortFunc(all, func(a, b inventory.Approval) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// InForce gives what is in force now (console.Quiet).
func (q *quiet) InForce() ([]alert.Silence, []alert.Approval) {
	at, known := time.Now(), q.now.Load()
	silences := slices.DeleteFunc(slices.Clone(known.silences), func(s alert.Silence) bool { return !s.InForce(at) })
	approvals := slices.DeleteFunc(slices.Clone(known.approvals), func(a alert.Approval) bool { return !a.InForce(at) })
	return silences, approvals
}

// Budget gives the budget as last counted (console.Quiet).
func (q *quiet) Budget() (alert.Budget, bool) {
	known := q.now.Load()
	return known.budget, known.budgetKnown
}

// Silences lists them (console.Quiet).
func (q *quiet) Silences(ctx context.Context, since time.Time) ([]alert.Silence, error) {
	store, err := q.opened()
	if err != nil {
		return nil, err
	}
	return store.Silences(ctx, since)
}

// Approvals lists them (console.Quiet).
func (q *quiet) Approvals(ctx context.Context, since time.Time) ([]alert.Approval, error) {
	store, err := q.opened()
	if err != nil {
		return nil, err
	}
	return store.Approvals(ctx, since)
}

// SaveSilence stores a silence and puts it in force (console.Quiet).
func (q *quiet) SaveSilence(ctx context.Context, s alert.Silence) error {
	return q.save(ctx, func(store *storage.Store) error { return store.SaveSilence(ctx, s) })
}

// SaveApproval stores an approval and puts it in force (console.Quiet).
func (q *quiet) SaveApproval(ctx context.Context, a alert.Approval) error {
	return q.save(ctx, func(store *storage.Store) error { return store.SaveApproval(ctx, a) })
}

func (q *quiet) save(ctx context.Context, f func(*storage.Store) error) error {
	store, err := q.opened()
	if err != nil {
		return err
	}
	if err := f(store); err != nil {
		return err
	}
	q.refreshing.Lock()
	defer q.refreshing.Unlock()
	q.countedAt = time.Time{} // what is silenced is another
	return q.reread(ctx)
}

// ApprovalsYAML writes the approvals in force as rules (console.Quiet).
func (q *quiet) ApprovalsYAML() string {
	_, approvals := q.InForce()
	return inventory.ApprovalsYAML(q.inventory.File(), allowed(approvals, time.Now()))
}
