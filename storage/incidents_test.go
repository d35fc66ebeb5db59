package storage_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"tapwatch/alert"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

var perDay = alert.Grouping{Gap: 24 * time.Hour, Shared: func(a netip.Addr) bool { return a == netip.MustParseAddr("10.20.0.10") }}

// about is a finding about an asset and a peer, so many hours after testTime.
func about(id, asset, peer string, hours float64) alert.Finding {
	f := fullFinding()
	f.ID, f.Asset.Asset, f.Asset.Addr, f.Peer = id, asset, netip.Addr{}, alert.Party{Country: "BR"}
	if peer != "" {
		f.Peer.Addr = netip.MustParseAddr(peer)
	}
	f.WindowStart = testTime.Add(time.Duration(hours * float64(time.Hour)))
	f.WindowEnd, f.FirstSeen, f.LastSeen = f.WindowStart.Add(time.Minute), f.WindowStart.Add(time.Second), f.WindowStart.Add(50*time.Second)
	return f
}

// gathered brings the incidents up to date and gives them all.
func gathered(t *testing.T, s *storage.Store, after uint64) ([]alert.Incident, uint64) {
	t.Helper()
	upTo, err := s.UpdateIncidents(t.Context(), after, perDay)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Incidents(t.Context(), alert.IncidentQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return all, upTo
}

func rowsOf(t *testing.T, s *storage.Store) []string {
	t.Helper()
	return lines(t, s, "SELECT * FROM incidents FINAL ORDER BY id")
}

// TestIncidentsFollowFindings: they grow with the findings, keep their identity, and come
// back whole; the same again changes nothing.
func TestIncidentsFollowFindings(t *testing.T) {
	s := testkit.Store(t)
	insert(t, s, testTime, about("a", "hss", "192.0.2.1", 0), about("b", "mme", "192.0.2.2", 1), about("s", "smf", "10.20.0.10", 0), about("u", "udm", "10.20.0.10", 0))
	first, upTo := gathered(t, s, 0)
	if len(first) != 4 {
		t.Fatalf("%d incidents: %+v", len(first), first)
	}
	byAlert := map[string]string{}
	for _, in := range first {
		byAlert[in.AlertIDs[0]] = in.ID
	}
	insert(t, s, testTime.Add(time.Minute), about("c", "hss", "192.0.2.2", 3))
	grown, upTo := gathered(t, s, upTo)
	if len(grown) != 3 || grown[0].ID != byAlert["a"] || !slices.Equal(grown[0].Absorbed, []string{byAlert["b"]}) {
		t.Fatalf("a and b did not grow together: %+v", grown)
	}
	in := grown[0]
	if !slices.Equal(in.AlertIDs, []string{"a", "b", "c"}) || in.Severity != alert.High || len(in.Timeline) != 2 || in.Timeline[0].Tactic != "Collection" ||
		!slices.Equal(in.Timeline[0].Alerts, []string{"a", "b", "c"}) || !in.FirstSeen.Equal(testTime.Add(time.Second)) || len(in.Folds) != 3 || in.Risk <= 0 {
		t.Errorf("%+v", in)
	}
	gone, err := s.Incidents(t.Context(), alert.IncidentQuery{IDs: []string{byAlert["b"]}})
	if err != nil || len(gone) != 1 || gone[0].AbsorbedInto != in.ID || gone[0].Status != alert.IncidentAbsorbed {
		t.Errorf("the absorbed one: %+v, %v", gone, err)
	}

	before := rowsOf(t, s)
	parts := scan[uint64](t, s, "SELECT count() FROM incidents")
	for _, after := range []uint64{0, upTo} {
		if _, again := gathered(t, s, after); again != upTo {
			t.Errorf("it took %d into account, before %d", again, upTo)
		}
	}
	if n := scan[uint64](t, s, "SELECT count() FROM incidents"); n != parts || !slices.Equal(before, rowsOf(t, s)) {
		t.Errorf("the same again wrote %d rows", n-parts)
	}
	if newest, err := s.IncidentsUpTo(t.Context()); err != nil || newest != upTo {
		t.Errorf("up to %d, want %d: %v", newest, upTo, err)
	}
	for name, q := range map[string]alert.IncidentQuery{
		"of an alert": {Alerts: []string{"c", "none"}}, "since": {Since: testTime.Add(3 * time.Hour)}, "severity": {MinSeverity: alert.High, Limit: 1},
	} {
		if found, err := s.Incidents(t.Context(), q); err != nil || len(found) != 1 || found[0].ID != in.ID {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	next, err := s.Incidents(t.Context(), alert.IncidentQuery{Before: in.LastSeen, BeforeID: in.ID})
	if err != nil || len(next) != 2 || next[0].ID == in.ID {
		t.Errorf("the next page has %+v, %v", next, err)
	}
	if n, err := s.CountIncidents(t.Context(), alert.IncidentQuery{}); err != nil || n != 3 {
		t.Errorf("%d incidents, %v", n, err)
	}
}

// TestIncidentsOfEpisodes: an alert that comes again after a month is another incident.
func TestIncidentsOfEpisodes(t *testing.T) {
	s := testkit.Store(t)
	insert(t, s, testTime, about("a", "hss", "", 0), about("a", "hss", "", 20), about("b", "hss", "", 30))
	all, upTo := gathered(t, s, 0)
	if len(all) != 1 || !slices.Equal(all[0].AlertIDs, []string{"a", "b"}) {
		t.Fatalf("%+v", all)
	}
	was := all[0]
	insert(t, s, testTime.Add(time.Second), about("a", "hss", "", 720))
	all, _ = gathered(t, s, upTo)
	if len(all) != 2 || !slices.Equal(all[0].AlertIDs, []string{"a"}) || all[0].ID == was.ID || !all[0].FirstSeen.Equal(testTime.Add(720*time.Hour+time.Second)) {
		t.Fatalf("%+v", all)
	}
	if diff := cmp.Diff(was, all[1]); diff != "" {
		t.Errorf("the incident of a month ago changed: %s", diff)
	}
}

// TestIncidentsOfLateFindings: what turns out to be earlier gives the identity, and the
// incident is found by the one of before.
func TestIncidentsOfLateFindings(t *testing.T) {
	s := testkit.Store(t)
	insert(t, s, testTime, about("a", "hss", "", 10))
	all, upTo := gathered(t, s, 0)
	was := all[0].ID
	insert(t, s, testTime.Add(time.Second), about("z", "hss", "", 5))
	all, _ = gathered(t, s, upTo)
	if len(all) != 1 || all[0].ID == was || len(all[0].AlertIDs) != 2 || !slices.Equal(all[0].Absorbed, []string{was}) {
		t.Fatalf("%+v", all)
	}
	old, err := s.Incidents(t.Context(), alert.IncidentQuery{IDs: []string{was}})
	if err != nil || len(old) != 1 || old[0].AbsorbedInto != all[0].ID {
		t.Errorf("%+v, %v", old, err)
	}
}

// TestIncidentsOfTwoNodes: two that gather side by side, each from another point on, agree
// with one that gathers all at once.
func TestIncidentsOfTwoNodes(t *testing.T) {
	s, alone := testkit.Store(t), testkit.Store(t)
	var upTo [2]uint64
	for step := range 6 {
		var findings []alert.Finding
		for i := range 4 {
			findings = append(findings, about(fmt.Sprintf("%d-%d", step, i), fmt.Sprint("asset", (step*i)%5), fmt.Sprintf("192.0.2.%d", 1+(step+2*i)%7), float64(step*6+i)))
		}
		insert(t, s, testTime.Add(time.Duration(step)*time.Second), findings...)
		insert(t, alone, testTime.Add(time.Duration(step)*time.Second), findings...)
		var group errgroup.Group
		for node := range upTo {
			if step%2 == node { // one of them pauses
				continue
			}
			group.Go(func() (err error) {
				upTo[node], err = s.UpdateIncidents(t.Context(), upTo[node], perDay)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	for node := range upTo {
		if _, err := s.UpdateIncidents(t.Context(), upTo[node], perDay); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := gathered(t, alone, 0)
	got, _ := gathered(t, s, 0)
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("%d incidents (-all at once +two nodes): %s", len(got), diff)
	}
}

// TestSilencedInStorage: alerts and incidents under a silence, as a query wants them.
func TestSilencedInStorage(t *testing.T) {
	s := testkit.Store(t)
	insert(t, s, testTime, about("a", "hss", "198.51.100.7", 0), about("b", "mme", "198.51.100.7", 1), about("c", "smf", "2001:db8::7", 0), about("d", "udm", "", 0))
	if all, _ := gathered(t, s, 0); len(all) != 3 {
		t.Fatalf("%d incidents", len(all))
	}
	prefix := netip.MustParsePrefix
	for _, c := range []struct {
		name     string
		silences []alert.Silence
		alerts   string
		// incidents that are left
		incidents int
	}{
		{"none", nil, "", 3},
		{"an asset", []alert.Silence{{Asset: "hss"}}, "a", 3},
		{"both of an incident", []alert.Silence{{Asset: "hss"}, {Asset: "mme"}}, "a b", 2},
		{"a prefix", []alert.Silence{{Peer: prefix("198.51.100.0/25")}}, "a b", 2},
		{"an IPv6 prefix", []alert.Silence{{Peer: prefix("2001:db8::/32")}}, "c", 2},
		{"a neighbouring prefix", []alert.Silence{{Peer: prefix("198.51.100.128/25")}, {Peer: prefix("2001:db9::/32")}}, "", 3},
		{"everything of a rule", []alert.Silence{{Detector: "policy", Rule: "li-default-deny"}}, "a b c d", 0},
		{"a rule and a port", []alert.Silence{{Detector: "policy", Port: 4433, Asset: "udm"}, {Detector: "policy", Port: 22}}, "d", 2},
		{"an address as asset", []alert.Silence{{Asset: "10.66.0.10"}}, "", 3},
		{"nasty", []alert.Silence{{Asset: `' OR 1=1 --\`}}, "", 3},
	} {
		q := alert.Query{Silences: c.silences, Silenced: alert.OnlySilenced}
		only, err := s.Alerts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.CountAlerts(t.Context(), q)
		if err != nil || int(n) != len(only) {
			t.Errorf("%s: %d counted, %d listed, %v", c.name, n, len(only), err)
		}
		q.Silenced = alert.WithoutSilenced
		others, err := s.Alerts(t.Context(), q)
		if err != nil || len(others)+len(only) != 4 {
			t.Errorf("%s: %d and %d of 4 alerts, %v", c.name, len(only), len(others), err)
		}
		var ids string
		for _, id := range idsOf(only) {
			ids += " " + id
		}
		if ids != " "+c.alerts && ids+c.alerts != "" {
			t.Errorf("%s: silenced are%s, want %s", c.name, ids, c.alerts)
		}
		left, err := s.Incidents(t.Context(), alert.IncidentQuery{Silences: c.silences, Silenced: alert.WithoutSilenced})
		if err != nil || len(left) != c.incidents {
			t.Errorf("%s: %d incidents left, want %d: %v", c.name, len(left), c.incidents, err)
		}
		hidden, err := s.CountIncidents(t.Context(), alert.IncidentQuery{Silences: c.silences, Silenced: alert.OnlySilenced})
		if err != nil || int(hidden)+len(left) != 3 {
			t.Errorf("%s: %d incidents hidden, %v", c.name, hidden, err)
		}
		raised, silenced, err := s.Raised(t.Context(), testTime, testTime.Add(time.Hour), c.silences)
		sum := silenced
		for _, r := range raised {
			sum += r.Alerts
		}
		if err != nil || sum != 3 { // b is first seen an hour and a second later
			t.Errorf("%s: raised %+v and %d silenced, %v", c.name, raised, silenced, err)
		}
	}
}

// idsOf are the identities, sorted.
func idsOf(alerts []alert.Alert) (ids []string) {
	for _, a := range alerts {
		ids = append(ids, a.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestSilencesAndApprovalsComeBack(t *testing.T) {
	s := testkit.Store(t)
	silence := alert.Silence{
		ID: "1", Detector: "policy", Rule: "sweep", Asset: "hss", Peer: netip.MustParsePrefix("2001:db8::/32"), Port: 22,
		Reason: "it's \\ a\ttest\n", Owner: "core", CreatedAt: testTime, ExpiresAt: testTime.Add(time.Hour),
	}
	other := alert.Silence{ID: "2", Asset: "mme", Reason: "r", Owner: "o", CreatedAt: testTime.Add(time.Minute), ExpiresAt: testTime.Add(2 * time.Hour)}
	approval := alert.Approval{
		ID: "1", AlertID: "a", Title: "t", Client: netip.MustParseAddr("198.51.100.7"), Server: netip.MustParseAddr("2001:db8::7"), ServerAsset: "hss",
		EitherInitiates: true, Protocol: 6, Port: 22, Owner: "core", Reason: "r", Ticket: "CHG-1", CreatedAt: testTime, ExpiresAt: testTime.Add(time.Hour),
	}
	for _, x := range []alert.Silence{silence, other} {
		if err := s.SaveSilence(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SaveApproval(t.Context(), approval); err != nil {
		t.Fatal(err)
	}
	check := func(since time.Time, silences []alert.Silence, approvals []alert.Approval) {
		t.Helper()
		gotS, err := s.Silences(t.Context(), since)
		if err != nil {
			t.Fatal(err)
		}
		gotA, err := s.Approvals(t.Context(), since)
		if err != nil {
			t.Fatal(err)
		}
		compare := cmp.Options{cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
		if diff := cmp.Diff(silences, gotS, compare) + cmp.Diff(approvals, gotA, compare); diff != "" {
			t.Error(diff)
		}
	}
	check(testTime, []alert.Silence{other, silence}, []alert.Approval{approval})
	check(testTime.Add(time.Hour), []alert.Silence{other}, []alert.Approval{})
	silence.EndedAt, approval.EndedAt = testTime.Add(time.Minute), testTime // as if the clock had gone back
	for range 2 {
		if err := s.SaveSilence(t.Context(), silence); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveApproval(t.Context(), approval); err != nil {
			t.Fatal(err)
		}
	}
	check(testTime, []alert.Silence{other, silence}, []alert.Approval{approval})
}

func TestStreamTime(t *testing.T) {
	s := testkit.Store(t)
	if at, err := s.StreamTime(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("%v, %v", at, err)
	}
	for name, at := range map[string]time.Time{"policy": testTime, "intel": testTime.Add(time.Minute)} {
		if err := s.SaveProgress(t.Context(), name, at); err != nil {
			t.Fatal(err)
		}
	}
	if at, err := s.StreamTime(t.Context()); err != nil || !at.Equal(testTime.Add(time.Minute)) {
		t.Errorf("%v, %v", at, err)
	}
}
