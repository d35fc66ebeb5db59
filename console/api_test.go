package console_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ask gives the console's answer to a GET.
func ask(t testing.TB, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+target, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type listing struct {
	Alerts      []alert.Alert `json:"alerts"`
	Next        string        `json:"next"`
	LastVersion string        `json:"last_version"`
}

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

func TestAlertsPages(t *testing.T) {
	f := newFixture()
	for i := range 7 {
		a := silent(noon)
		a.ID = fmt.Sprint("alert", i)
		f.alerts.put(a)
	}
	h := f.server(t).Handler()
	var got []string
	target := "/api/v1/alerts?limit=3"
	pages := 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		answer := decode[listing](t, ask(t, h, target+"&cursor="+cursor))
		for _, a := range answer.Alerts {
			got = append(got, a.ID)
		}
		if pages == 0 && answer.LastVersion != "7" {
			t.Errorf("last_version = %q, want 7", answer.LastVersion)
		}
		cursor = answer.Next
	}
	if diff := cmp.Diff([]string{"alert6", "alert5", "alert4", "alert3", "alert2", "alert1", "alert0"}, got); diff != "" || pages != 3 {
		t.Errorf("%d pages: %s", pages, diff)
	}
}

func TestAlertsEmptyIsAList(t *testing.T) {
	w := ask(t, newFixture().server(t).Handler(), "/api/v1/alerts")
	if got, want := strings.TrimSpace(w.Body.String()), `{"alerts":[],"next":"","last_version":"0","silenced":0}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAlertsFilters(t *testing.T) {
	f := newFixture()
	f.now = func() time.Time { return noon }
	h := f.server(t).Handler()
	ask(t, h, "/api/v1/alerts?severity=high&detector=policy&zone=li-east&asset=mdf3-1&country=sc&q=ssh&since=2026-03-01T06:00:00Z&until=90m&limit=5&cursor=42")
	want := []alert.Query{{
		MinSeverity: alert.High, Detector: "policy", Zone: "li-east", Asset: "mdf3-1", Country: "SC", Text: "ssh",
		Since: noon.Add(-6 * time.Hour), Until: noon.Add(-90 * time.Minute), BeforeVersion: 42, Limit: 6,
		Silenced: alert.WithoutSilenced,
	}}
	if diff := cmp.Diff(want, f.alerts.queries); diff != "" {
		t.Error(diff)
	}
}

func TestBadParameters(t *testing.T) {
	h := newFixture().server(t).Handler()
	for target, want := range map[string]string{
		"/api/v1/alerts?severity=severe":                                    "severity",
		"/api/v1/alerts?sevrity=high":                                       "sevrity",
		"/api/v1/alerts?country=NLD":                                        "country",
		"/api/v1/alerts?since=yesterday":                                    "since",
		"/api/v1/alerts?until=-5m":                                          "until",
		"/api/v1/alerts?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00Z": "until",
		"/api/v1/alerts?since=1h&until=2h":                                  "until",
		"/api/v1/alerts?limit=0":                                            "limit",
		"/api/v1/alerts?limit=1001":                                         "limit",
		"/api/v1/alerts?cursor=x":                                           "cursor",
		"/api/v1/alerts?q=a&q=b":                                            "q",
		"/api/v1/alerts?q=" + strings.Repeat("a", 201):                      "q",
		"/api/v1/alerts/stream?after=-1":                                    "after",
		"/api/v1/alerts/stream?limit=1":                                     "limit",
		"/api/v1/alerts/x?verbose=1":                                        "verbose",
		"/api/v1/exporters?site=east":                                       "site",
		"/api/v1/alerts?silenced=yes":                                       "silenced",
		"/api/v1/incidents?detector=policy":                                 "detector",
		"/api/v1/incidents?cursor=17":                                       "cursor",
		"/api/v1/incidents?silenced=no":                                     "silenced",
		"/api/v1/incidents/x?a=1":                                           "a",
		"/api/v1/silences?a=1":                                              "a",
		"/api/v1/approvals?a=1":                                             "a",
		"/api/v1/approvals.yaml?a=1":                                        "a",
	} {
		w := ask(t, h, target)
		var p struct {
			Type, Title, Detail, Parameter, Remedy string
			Status                                 int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s: %v: %s", target, err, w.Body)
			continue
		}
		if w.Code != 400 || p.Status != 400 || p.Parameter != want || p.Type != "urn:tapwatch:problem:bad-parameter" ||
			w.Header().Get("Content-Type") != "application/problem+json" || p.Title == "" || p.Detail == "" || p.Remedy == "" {
			t.Errorf("%s: %d %s %s", target, w.Code, w.Header(), w.Body)
		}
	}
}

// TestCollectorAddresses: the API names those of connections too.
func TestCollectorAddresses(t *testing.T) {
	f := newFixture()
	f.streams = func(transport string) []netip.AddrPort {
		if transport == "tcp" {
			return nil
		}
		return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.10:4740")}
	}
	w := ask(t, f.server(t).Handler(), "/api/v1/exporters")
	if want := `"collector":["192.0.2.10:2055","192.0.2.10:4740/tls","192.0.2.10:4740/dtls"]`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("no %s in %s", want, w.Body)
	}
}

func TestOneAlert(t *testing.T) {
	f := newFixture()
	want := f.alerts.put(tunnel(noon))
	h := f.server(t).Handler()
	w := ask(t, h, "/api/v1/alerts/"+want.ID)
	if strings.Contains(w.Body.String(), "null") {
		t.Errorf("a missing list is null: %s", w.Body)
	}
	got := decode[alert.Alert](t, w)
	if got.Title != want.Title || got.Version != 1 || got.Asset.Addr != want.Asset.Addr {
		t.Errorf("got %+v", got)
	}
	if w := ask(t, h, "/api/v1/alerts/none"); w.Code != 404 || !strings.Contains(w.Body.String(), "no-such-alert") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestStorageDown(t *testing.T) {
	f := newFixture()
	f.alerts.fail(errors.New("dial tcp 10.0.0.1:9000: secret detail"))
	f.exporters.err = errors.New("secret detail")
	h := f.server(t).Handler()
	for _, target := range []string{"/api/v1/alerts", "/api/v1/alerts/x", "/api/v1/alerts/stream?after=1", "/api/v1/exporters"} {
		w := ask(t, h, target)
		if w.Code != 503 || !strings.Contains(w.Body.String(), "storage-unavailable") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
