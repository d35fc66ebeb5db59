package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/console"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// stored is a store that holds the sample alerts.
func stored(t *testing.T) *storage.Store {
	t.Helper()
	s := testkit.Store(t)
	for i, a := range []alert.Alert{tunnel(noon), silent(noon), listed(noon), sshFromAbroad(noon)} {
		a.WindowStart, a.WindowEnd = noon.Add(-time.Minute), noon
		if err := s.InsertFindings(t.Context(), []alert.Finding{a.Finding}, noon.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestLiveFiltersAgreeWithStorage holds what the stream selects of live alerts
// against what ClickHouse selects of the same alerts.
func TestLiveFiltersAgreeWithStorage(t *testing.T) {
	s := stored(t)
	all, err := s.Alerts(t.Context(), alert.Query{})
	if err != nil || len(all) != 4 {
		t.Fatalf("%d alerts, %v", len(all), err)
	}
	selected := 0
	for _, q := range []alert.Query{
		{MinSeverity: alert.High}, {MinSeverity: alert.Critical}, {Detector: "policy"}, {Detector: "none"}, {Zone: "li-east"},
		{Zone: "management"}, {Asset: "pe1.east"}, {Country: "NL"}, {Text: "SSH"}, {Text: "45.61.128"}, {Text: "offshore hosting"},
		{Text: "10.66.0.30"}, {Text: "::ffff"}, {Text: "what passes"}, {Text: "T1133"}, {Text: "nobody"}, {Text: "core-EAST"},
		{MinSeverity: alert.Medium, Zone: "routers", Text: "exported"}, {IDs: []string{listed(noon).ID, "none"}}, {IDs: []string{}},
		silenced(alert.Silence{Asset: "mdf3-1"}), silenced(alert.Silence{Asset: "10.30.0.1"}), silenced(alert.Silence{Asset: "pe3.west"}, alert.Silence{Detector: "intel", Port: 443}),
		silenced(alert.Silence{Peer: netip.MustParsePrefix("203.0.113.0/24")}), silenced(alert.Silence{Peer: netip.MustParsePrefix("10.0.0.0/8")}),
		silenced(alert.Silence{Detector: "policy", Rule: "unlisted-tunnel"}), silenced(alert.Silence{Port: 22}), silenced(),
		silenced(alert.Silence{Detector: "policy", Rule: "li-default-deny", Asset: "mdf3-1", Peer: netip.MustParsePrefix("203.0.113.34/32"), Port: 22}),
		{Silenced: alert.WithoutSilenced, Silences: []alert.Silence{{Asset: "mdf3-1"}, {Asset: "10.30.0.3"}}}, {Silenced: alert.WithoutSilenced},
	} {
		found, err := s.Alerts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, a := range found {
			want = append(want, a.ID)
		}
		for _, a := range all {
			if console.Matches(q, &a) {
				got = append(got, a.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: live %v, stored %v", q, got, want)
		}
		selected += len(want)
	}
	if selected < 10 {
		t.Errorf("the queries select %d alerts: too few to compare", selected)
	}
}

// silenced selects what is under one of the silences.
func silenced(all ...alert.Silence) alert.Query {
	return alert.Query{Silenced: alert.OnlySilenced, Silences: all}
}

// TestOverRealStorage pages and streams what ClickHouse holds.
func TestOverRealStorage(t *testing.T) {
	s := stored(t)
	f := newFixture()
	srv := f.serverOver(t, s, f.feed)
	h := srv.Handler()
	first := decode[listing](t, ask(t, h, "/api/v1/alerts?limit=3"))
	rest := decode[listing](t, ask(t, h, "/api/v1/alerts?limit=3&cursor="+first.Next))
	if len(first.Alerts) != 3 || len(rest.Alerts) != 1 || rest.Next != "" || first.Alerts[0].ID != sshFromAbroad(noon).ID {
		t.Errorf("%d and %d alerts, next %q", len(first.Alerts), len(rest.Alerts), rest.Next)
	}
	one := decode[alert.Alert](t, ask(t, h, "/api/v1/alerts/"+listed(noon).ID))
	if one.Title != listed(noon).Title {
		t.Errorf("got %q", one.Title)
	}
	if w := ask(t, h, "/api/v1/alerts/none"); w.Code != http.StatusNotFound {
		t.Errorf("an unknown alert answers %d", w.Code)
	}
	web := httptest.NewServer(h)
	defer web.Close()
	c, cut := follow(t, web.URL+"/api/v1/alerts/stream?after=0", "")
	defer cut()
	for _, want := range []string{tunnel(noon).ID, silent(noon).ID, listed(noon).ID, sshFromAbroad(noon).ID} {
		if e := next(t, c); !strings.Contains(e.data, `"id":"`+want+`"`) {
			t.Errorf("got %s, want alert %s", e.data, want)
		}
	}
}
