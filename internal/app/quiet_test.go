package app

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/alert"
	"tapwatch/internal/testkit"
	"tapwatch/inventory"
	"tapwatch/storage"
)

// node is what one tapwatch on the store has.
func node(t *testing.T, store *storage.Store, budget int) (*quiet, *inventory.Live) {
	t.Helper()
	live := inventory.NewLive(new(inventory.Inventory))
	cfg := alert.DefaultConfig()
	cfg.BudgetPerDay = budget
	q, err := newQuiet(cfg, func() (*storage.Store, error) { return store, nil }, live, testkit.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return q, live
}

// sshFinding is an outside address that opens SSH to an asset.
func sshFinding(minute int, id string) alert.Finding {
	f := window(minute, id)[0]
	f.Detector, f.Rule, f.Initiator, f.Protocol, f.Port = "policy", "not-allowed", "peer", 6, 22
	f.Asset = alert.Party{Addr: netip.MustParseAddr("10.40.1.10"), Asset: "hss-1"}
	f.Peer = alert.Party{Addr: netip.MustParseAddr("198.51.100.7")}
	f.FirstSeen, f.LastSeen = f.WindowStart, f.WindowEnd
	return f
}

// TestApprovalsHoldOnEveryNode: an approval is in force at once where it was made, on
// another node once that looks, after a start, and no more once it has ended.
func TestApprovalsHoldOnEveryNode(t *testing.T) {
	ctx, store := t.Context(), testkit.Store(t)
	if err := store.InsertFindings(ctx, []alert.Finding{sshFinding(0, "a")}, time.Now()); err != nil {
		t.Fatal(err)
	}
	a, _, err := store.Alert(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	approval, err := alert.Approve(&a)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	approval.ID, approval.CreatedAt, approval.ExpiresAt, approval.Owner, approval.Ticket = "x", now, now.Add(time.Hour), "core", "CHG-1"
	conversation := inventory.Conversation{Client: a.Peer.Addr, Server: a.Asset.Addr, Protocol: 6, Port: 22, At: now, InitiatorKnown: true}

	one, liveOne := node(t, store, 20)
	two, liveTwo := node(t, store, 20)
	check := func(what string, live *inventory.Live, want bool) {
		t.Helper()
		if rule, ok := live.Load().Allowed(conversation); ok != want || ok && rule != "approval-x" {
			t.Errorf("%s: allowed %t by %q", what, ok, rule)
		}
	}
	if err := one.SaveApproval(ctx, approval); err != nil {
		t.Fatal(err)
	}
	check("where it was made", liveOne, true)
	check("elsewhere, before it looked", liveTwo, false)
	if err := two.refresh(ctx); err != nil {
		t.Fatal(err)
	}
	check("elsewhere", liveTwo, true)
	inForce := liveTwo.Load()
	if err := two.refresh(ctx); err != nil || liveTwo.Load() != inForce {
		t.Errorf("looking again made another inventory (error %v)", err)
	}
	approval.EndedAt = now.Add(time.Millisecond)
	if err := two.SaveApproval(ctx, approval); err != nil {
		t.Fatal(err)
	}
	check("ended", liveTwo, false)
	if err := one.refresh(ctx); err != nil {
		t.Fatal(err)
	}
	check("ended elsewhere", liveOne, false)
	if _, approvals := one.InForce(); len(approvals) > 0 {
		t.Errorf("in force: %+v", approvals)
	}
}

// TestBudgetCounts: new alerts of the day of stream time, silenced ones apart.
func TestBudgetCounts(t *testing.T) {
	ctx, store := t.Context(), testkit.Store(t)
	q, _ := node(t, store, 2)
	if err := q.refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if _, known := q.Budget(); known {
		t.Error("the budget is known before anything was detected")
	}
	old, other := sshFinding(-48*60, "old"), sshFinding(1, "other")
	other.Asset.Asset, other.Detector = "mme-1", "intel"
	all := []alert.Finding{old, other, sshFinding(0, "a"), sshFinding(0, "b"), sshFinding(1, "c"), sshFinding(2, "c"), sshFinding(3, "d")}
	if err := store.InsertFindings(ctx, all, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := store.SaveProgress(ctx, "policy", sshFinding(4, "").WindowEnd); err != nil {
		t.Fatal(err)
	}
	if err := q.refresh(ctx); err != nil {
		t.Fatal(err)
	}
	b, _ := q.Budget()
	if b.New != 5 || b.Silenced != 0 || !b.Exceeded || b.Loudest[0] != (alert.Raised{Detector: "policy", Rule: "not-allowed", Alerts: 4}) {
		t.Errorf("%+v", b)
	}
	now := time.Now()
	if err := q.SaveSilence(ctx, alert.Silence{ID: "s", Asset: "hss-1", Reason: "r", Owner: "o", CreatedAt: now.Add(-time.Second), ExpiresAt: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := q.refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if b, _ := q.Budget(); b.New != 1 || b.Silenced != 4 || b.Exceeded || b.Text != "" {
		t.Errorf("%+v", b)
	}
}

// TestRaisedAreCountedOnce: an alert counts when it is raised, not when it changes, and
// also if the store failed in between.
func TestRaisedAreCountedOnce(t *testing.T) {
	ctx := t.Context()
	store := &flaky{Store: testkit.Store(t)}
	if err := store.InsertFindings(ctx, window(0, "old"), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	q, _ := node(t, store.Store, 20)
	r := recorder{raised: q.raised}
	record := func(ok bool, findings ...alert.Finding) {
		t.Helper()
		if err := r.record(ctx, store, alert.NewFeed(), findings); (err == nil) != ok {
			t.Fatal(err)
		}
	}
	record(true, window(1, "old", "a")...)
	record(true, window(2, "a", "b")...)
	store.broken = true
	record(false, window(3, "c", "b")...)
	store.broken = false
	record(true, window(4, "c", "d")...)
	record(true, sshFinding(5, "e"))
	for labels, want := range map[[2]string]float64{{"low", ""}: 4, {"low", "policy"}: 1} {
		if got := testutil.ToFloat64(q.metrics.raised.WithLabelValues(labels[0], labels[1])); got != want {
			t.Errorf("%v: %g raised, want %g", labels, got, want)
		}
	}
}

// TestIncidentsFollowRecords: findings that are recorded become an incident without
// anybody waiting for it, and a start goes on where the last one ended.
func TestIncidentsFollowRecords(t *testing.T) {
	store := testkit.Store(t)
	live := inventory.NewLive(new(inventory.Inventory))
	run := func() (in *incidents, stop func()) {
		in = newIncidents(alert.DefaultConfig(), store, live, testkit.Logger(t))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- in.run(ctx) }()
		return in, func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	become := func(what string, want ...string) {
		t.Helper()
		testkit.Eventually(t, what, func() bool {
			all, err := store.Incidents(t.Context(), alert.IncidentQuery{})
			return err == nil && len(all) == 1 && slices.Equal(slices.Sorted(slices.Values(all[0].AlertIDs)), want)
		})
	}
	record := func(f alert.Finding) {
		t.Helper()
		if err := store.InsertFindings(t.Context(), []alert.Finding{f}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	in, stop := run()
	record(sshFinding(0, "a"))
	in.recorded()
	become("an incident", "a")
	record(sshFinding(1, "b"))
	in.recorded()
	become("a later alert joins it", "a", "b")
	stop()
	record(sshFinding(2, "c"))
	_, stop = run()
	become("after a start", "a", "b", "c")
	stop()
}
