package storage_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/alert"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

var compareAlerts = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(alert.Finding{}, "Sightings")}

// fullFinding has a value in every member.
func fullFinding() alert.Finding {
	at := testTime
	return alert.Finding{
		ID: alert.Identity("policy", "x"), Detector: "policy", Rule: "li-default-deny",
		WindowStart: at, WindowEnd: at.Add(time.Minute), FirstSeen: at.Add(time.Second), LastSeen: at.Add(50*time.Second + 7*time.Millisecond),
		Severity: alert.High, Title: "198.51.100.7 talks with admf-1", Summary: "It's 'odd' \\ and\tnew.\nVery.",
		Reasons: []string{"no rule allows it", "O'Brien", ""}, NextSteps: []string{"call", "close"}, SQL: "SELECT '?' FROM flows",
		Asset: alert.Party{
			Addr: netip.MustParseAddr("10.66.0.10"), Zone: "li-east", ZoneKind: "lawful-intercept", Asset: "admf-1", Role: "admf",
			Country: "DE", ASN: 64496, ASOrg: "We",
		},
		Peer: alert.Party{
			Addr: netip.MustParseAddr("2001:db8::7"), Zone: "core-east", ZoneKind: "core", Asset: "hss-1", Role: "hss",
			Country: "BR", ASN: 4200000000, ASOrg: "Sistemas Ção",
		},
		Initiator: "peer", Protocol: 6, Port: 4433,
		Flows: 3, BytesToAsset: 1 << 50, BytesToPeer: 2, Packets: 9,
		Sightings: []alert.Sighting{{Exporter: "r1 (127.1.0.1)", Sampling: 1, Flows: 3, BytesToAsset: 1 << 50, BytesToPeer: 2, Packets: 9}},
		Exporters: []string{"r1 (127.1.0.1)"}, Quality: []string{"one exporter only"},
		Techniques: []alert.Technique{
			{ID: "T1040", Name: "Network Sniffing", Tactic: "Collection", Matrix: "Enterprise v19"},
			{ID: "T1041", Name: "Exfiltration Over C2 Channel", Tactic: "Exfiltration", Matrix: "Enterprise v19"},
		},
	}
}

func insert(t *testing.T, s *storage.Store, at time.Time, findings ...alert.Finding) {
	t.Helper()
	if err := s.InsertFindings(t.Context(), findings, at); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *storage.Store, id string) alert.Alert {
	t.Helper()
	a, ok, err := s.Alert(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("alert %s: found %t, error %v", id, ok, err)
	}
	return a
}

func TestAlertComesBackWhole(t *testing.T) {
	s := testkit.Store(t)
	f, stored := fullFinding(), testTime.Add(time.Hour)
	insert(t, s, stored, f)
	want := alert.Alert{Finding: f, Findings: 1, RaisedAt: stored, UpdatedAt: stored, Version: uint64(stored.UnixMicro())}
	if diff := cmp.Diff(want, get(t, s, f.ID), compareAlerts); diff != "" {
		t.Error(diff)
	}
	all, err := s.Alerts(t.Context(), alert.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]alert.Alert{want}, all, compareAlerts); diff != "" {
		t.Error(diff)
	}
	if _, ok, err := s.Alert(t.Context(), "none' OR '1'='1"); ok || err != nil {
		t.Errorf("an alert that does not exist: found %t, error %v", ok, err)
	}
}

// A finding without a peer has no address, and no list of it is nil.
func TestAlertOfAnEmptyFinding(t *testing.T) {
	s := testkit.Store(t)
	f := alert.Finding{ID: "e", Severity: alert.Low, WindowStart: testTime}
	insert(t, s, testTime, f)
	a := get(t, s, "e")
	if a.Peer.Addr.IsValid() || a.Asset.Addr.IsValid() {
		t.Errorf("addresses %s and %s, want none", a.Asset.Addr, a.Peer.Addr)
	}
	if !a.FirstSeen.IsZero() || a.Reasons == nil || a.Exporters == nil || a.Techniques == nil {
		t.Errorf("first seen %s, reasons %#v, exporters %#v, techniques %#v", a.FirstSeen, a.Reasons, a.Exporters, a.Techniques)
	}
}

func TestAlertFoldsItsFindings(t *testing.T) {
	s := testkit.Store(t)
	first, second := fullFinding(), fullFinding()
	second.WindowStart, second.WindowEnd = first.WindowEnd, first.WindowEnd.Add(time.Minute)
	second.FirstSeen, second.LastSeen = second.WindowStart, second.WindowEnd
	second.Severity, second.Title, second.Flows = alert.Medium, "later", 5
	second.Sightings[0].Flows = 5
	second.Exporters = []string{"r2 (127.1.0.2)", "r1 (127.1.0.1)"}
	insert(t, s, testTime, first)
	insert(t, s, testTime.Add(time.Minute), second)

	want := second
	want.FirstSeen, want.Severity, want.Flows = first.FirstSeen, alert.High, 8
	want.BytesToAsset, want.BytesToPeer, want.Packets = 2<<50, 4, 18
	want.Exporters = []string{"r1 (127.1.0.1)", "r2 (127.1.0.2)"}
	got := get(t, s, first.ID)
	if diff := cmp.Diff(want, got.Finding, compareAlerts); diff != "" {
		t.Error(diff)
	}
	if got.Findings != 2 || !got.RaisedAt.Equal(testTime) || !got.UpdatedAt.Equal(testTime.Add(time.Minute)) {
		t.Errorf("%d findings, raised %s, updated %s", got.Findings, got.RaisedAt, got.UpdatedAt)
	}
}

// The same window detected again changes nothing; detected differently, it replaces.
func TestFindingsAreIdempotent(t *testing.T) {
	s := testkit.Store(t)
	f := fullFinding()
	insert(t, s, testTime, f, f)
	before := get(t, s, f.ID)
	insert(t, s, testTime.Add(time.Hour), f)
	if diff := cmp.Diff(before, get(t, s, f.ID), compareAlerts); diff != "" {
		t.Errorf("the same finding again:\n%s", diff)
	}
	f.Flows = 4
	insert(t, s, testTime.Add(2*time.Hour), f)
	after := get(t, s, f.ID)
	if after.Flows != 4 || after.Findings != 1 || after.Version <= before.Version {
		t.Errorf("the finding changed: %d flows, %d findings, version %d after %d", after.Flows, after.Findings, after.Version, before.Version)
	}
}

// Versions grow within a microsecond, with a clock that goes back, and over a restart.
func TestVersionsGrow(t *testing.T) {
	s := testkit.Store(t)
	endpoint := testkit.Engine(t).Writer()
	endpoint.Database = s.Database()
	var ids []string
	for i, at := range []time.Time{testTime, testTime, testTime.Add(-time.Hour), testTime.Add(time.Second)} {
		var findings []alert.Finding
		for j := range 3 {
			id := fmt.Sprintf("%d-%d", i, j)
			ids = append(ids, id)
			findings = append(findings, alert.Finding{ID: id, Severity: alert.Low, WindowStart: testTime})
		}
		insert(t, testkit.Open(t, endpoint), at, findings...)
	}
	all, err := s.Alerts(t.Context(), alert.Query{AfterVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	last := uint64(0)
	for _, a := range all {
		if a.Version <= last {
			t.Errorf("alert %s has version %d after %d", a.ID, a.Version, last)
		}
		last = a.Version
		got = append(got, a.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("alerts by version (-written +read):\n%s", diff)
	}
	if want := uint64(testTime.Add(time.Second).UnixMicro()) + 2; last != want {
		t.Errorf("last version %d, want %d", last, want)
	}
}

func TestAlertQueries(t *testing.T) {
	s := testkit.Store(t)
	put := func(id string, seconds int, change func(*alert.Finding)) {
		f := fullFinding()
		f.ID, f.Peer.Zone, f.Peer.Asset, f.Peer.Country = id, "", "", "BR"
		f.FirstSeen, f.LastSeen = testTime.Add(time.Duration(seconds)*time.Second), testTime.Add(time.Duration(seconds+10)*time.Second)
		change(&f)
		insert(t, s, testTime.Add(time.Duration(seconds)*time.Second), f)
	}
	put("a", 0, func(f *alert.Finding) { f.Severity = alert.Low; f.Peer.Country = "US" })
	put("b", 100, func(f *alert.Finding) { f.Detector = "intel"; f.Severity = alert.Critical; f.Asset.Asset = "mdf2-1" })
	put("c", 200, func(f *alert.Finding) { f.Asset.Zone = "core"; f.Peer.Zone = "li-west"; f.Peer.Asset = "admf-1" })
	put("d", 300, func(f *alert.Finding) {
		f.Asset.Addr, f.Peer.Addr = netip.MustParseAddr("2001:db8::ffff:1"), netip.MustParseAddr("203.0.113.250")
		f.Asset.Asset, f.Title, f.Summary = `O'Brien \ ? {x:String} %`, "Größe", "tab\there"
	})
	at := func(seconds int) time.Time { return testTime.Add(time.Duration(seconds) * time.Second) }
	version := func(seconds int) uint64 { return uint64(at(seconds).UnixMicro()) }
	for _, c := range []struct {
		name string
		q    alert.Query
		want []string
	}{
		{"all, last changed first", alert.Query{}, []string{"d", "c", "b", "a"}},
		{"severity", alert.Query{MinSeverity: alert.High}, []string{"d", "c", "b"}},
		{"severity critical", alert.Query{MinSeverity: alert.Critical}, []string{"b"}},
		{"detector", alert.Query{Detector: "intel"}, []string{"b"}},
		{"zone of the asset", alert.Query{Zone: "core"}, []string{"c"}},
		{"zone of the peer", alert.Query{Zone: "li-west"}, []string{"c"}},
		{"asset of either end", alert.Query{Asset: "admf-1"}, []string{"c", "a"}},
		{"country", alert.Query{Country: "US"}, []string{"a"}},
		{"text in title, other case", alert.Query{Text: "gRÖSSE"}, nil},
		{"text in title, umlaut", alert.Query{Text: "GRÖ"}, []string{"d"}},
		{"text in summary", alert.Query{Text: "ODD"}, []string{"c", "b", "a"}},
		{"text in name", alert.Query{Text: "MDF2"}, []string{"b"}},
		{"text in address", alert.Query{Text: "203.0.113.25"}, []string{"d"}},
		{"text in IPv6 address", alert.Query{Text: "2001:DB8::ffff:1"}, []string{"d"}},
		{"text with a quote", alert.Query{Text: `o'brien \ ? {x:String} %`}, []string{"d"}},
		{"text with a tab", alert.Query{Text: "tab\there"}, []string{"d"}},
		{"text over two lines", alert.Query{Text: "Größe\ntab"}, []string{"d"}},
		{"asset with a quote", alert.Query{Asset: `O'Brien \ ? {x:String} %`}, []string{"d"}},
		{"zone as an injection", alert.Query{Zone: "' OR 1=1 --"}, nil},
		{"since the end of one", alert.Query{Since: at(110)}, []string{"d", "c", "b"}},
		{"since after the end of one", alert.Query{Since: at(111)}, []string{"d", "c"}},
		{"until the start of one", alert.Query{Until: at(100)}, []string{"a"}},
		{"until after the start of one", alert.Query{Until: at(101)}, []string{"b", "a"}},
		{"between", alert.Query{Since: at(105), Until: at(205)}, []string{"c", "b"}},
		{"after a version", alert.Query{AfterVersion: version(100)}, []string{"c", "d"}},
		{"before a version", alert.Query{BeforeVersion: version(200)}, []string{"b", "a"}},
		{"limit", alert.Query{Limit: 2}, []string{"d", "c"}},
		{"all at once", alert.Query{
			MinSeverity: alert.Low, Detector: "policy", Zone: "li-east", Asset: "admf-1", Country: "US", Text: "10.66.0.10",
			Since: at(0), Until: at(1), AfterVersion: version(0) - 1, BeforeVersion: version(1), Limit: 5,
		}, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			alerts, err := s.Alerts(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range alerts {
				got = append(got, a.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAlertsAreLimited(t *testing.T) {
	s := testkit.Store(t)
	var findings []alert.Finding
	for i := range 120 {
		findings = append(findings, alert.Finding{ID: fmt.Sprint(i), Severity: alert.Low, WindowStart: testTime})
	}
	insert(t, s, testTime, findings...)
	for limit, want := range map[int]int{0: 100, 110: 110, 500: 120} {
		if all, err := s.Alerts(t.Context(), alert.Query{Limit: limit}); err != nil || len(all) != want {
			t.Errorf("limit %d gives %d alerts (error %v), want %d", limit, len(all), err, want)
		}
	}
}

// TestAlertFoldsItsWindows holds that an alert's query shows the flows of all its
// windows, and that a caveat stands only while no window is free of it.
func TestAlertFoldsItsWindows(t *testing.T) {
	s := testkit.Store(t)
	finding := func(at time.Time, quality ...string) alert.Finding {
		f := fullFinding()
		f.WindowStart, f.WindowEnd, f.Quality = at, at.Add(time.Minute), quality
		f.SQL = evidenceSQL(at, f.WindowEnd)
		return f
	}
	last := testTime.Add(2 * time.Hour)
	first := finding(testTime, "one direction only", "sampled")
	insert(t, s, last, first, finding(testTime.Add(time.Hour), "sampled"), finding(last, "sampled", "one router only"))
	got := get(t, s, first.ID)
	if diff := cmp.Diff([]string{"sampled"}, got.Quality); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(evidenceSQL(testTime, last.Add(time.Minute)), got.SQL); diff != "" {
		t.Error(diff)
	}
	if got.Findings != 3 || got.Flows != 3*first.Flows {
		t.Errorf("%d findings, %d flows", got.Findings, got.Flows)
	}
}

// evidenceSQL is a finding's query in the form of those of detectors, about an
// asset of two addresses.
func evidenceSQL(since, until time.Time) string {
	const layout = "2006-01-02 15:04:05.000"
	one := fmt.Sprintf("WITH toDateTime64('%s', 3, 'UTC') AS since, toDateTime64('%s', 3, 'UTC') AS until SELECT since, until",
		since.Format(layout), until.Format(layout))
	return "(" + one + ")\nUNION ALL\n(" + one + ")"
}

// TestAlertCountsOncePerRouter: three routers report the same flows, each in a window
// of its own. The alert tells the amounts of one of them, and rather of one that
// samples less than of one that tells a little more.
func TestAlertCountsOncePerRouter(t *testing.T) {
	s := testkit.Store(t)
	id := alert.Identity("policy", "routers")
	for i, seen := range []alert.Sighting{
		{Exporter: "border", Sampling: 4096, Flows: 9, BytesToPeer: 400, Packets: 4},
		{Exporter: "core", Sampling: 1000, Flows: 5, BytesToPeer: 1300, Packets: 14},
		{Exporter: "gateway", Sampling: 1, Flows: 4, BytesToPeer: 1000, BytesToAsset: 70, Packets: 10},
	} {
		for w := range 2 {
			f := fullFinding()
			f.ID, f.Sightings = id, []alert.Sighting{seen}
			f.WindowStart = testTime.Add(time.Duration(2*i+w) * time.Minute)
			f.Flows, f.BytesToPeer, f.BytesToAsset, f.Packets = seen.Flows, seen.BytesToPeer, seen.BytesToAsset, seen.Packets
			insert(t, s, testTime, f)
		}
	}
	a := get(t, s, id)
	if a.BytesToPeer != 2000 || a.BytesToAsset != 140 || a.Packets != 20 {
		t.Errorf("%d bytes to the peer, %d to the asset, %d packets; the gateway, which sees every packet, has 2000, 140 and 20",
			a.BytesToPeer, a.BytesToAsset, a.Packets)
	}
}
