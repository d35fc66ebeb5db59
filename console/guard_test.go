package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/console"
	"tapwatch/internal/config"
)

func TestOnlyOwnHost(t *testing.T) {
	f := newFixture()
	f.cfg.Hosts = []string{"noc.example.net"}
	s := f.server(t)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	defer f.closed(t, s)
	h := s.Handler()
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "127.9.9.9": 200, "[::1]:8080": 200, "localhost:8080": 200, "LOCALHOST": 200, "a.localhost": 200, "localhost.": 200,
		"noc.example.net": 200, "NOC.example.net:443": 200,
		"evil.example": 421, "127.0.0.1.evil.example": 421, "10.0.0.1:8080": 421, "": 421, "noc.example.net.evil.example": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
		if w.Code == 421 && !strings.Contains(w.Body.String(), "console.hosts") {
			t.Errorf("host %q: the problem names no remedy: %s", host, w.Body)
		}
	}
}

// closed ends a server that listens.
func (f *fixture) closed(t *testing.T, s *console.Server) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestHeadersAndMethods(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, target := range []string{"/", "/assets/app.js", "/api/v1/alerts", "/healthz", "/nothing"} {
		header := ask(t, h, target).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if !strings.Contains(header.Get(name), want) {
				t.Errorf("%s: %s = %q", target, name, header.Get(name))
			}
		}
		if !strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s can be framed", target)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "http://localhost/api/v1/alerts", nil))
		if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	w := ask(t, h, "/nothing/../../etc/passwd")
	if w.Code == 200 {
		t.Errorf("an unknown path answers %d", w.Code)
	}
	want := `
# HELP tapwatch_console_requests_total HTTP requests answered, by route and status code. A stream counts when it ends.
# TYPE tapwatch_console_requests_total counter
tapwatch_console_requests_total{code="200",route="/api/v1/alerts"} 1
tapwatch_console_requests_total{code="200",route="/assets/{file}"} 1
tapwatch_console_requests_total{code="200",route="/healthz"} 1
tapwatch_console_requests_total{code="200",route="/{$}"} 1
tapwatch_console_requests_total{code="307",route="/"} 1
tapwatch_console_requests_total{code="404",route="/"} 1
tapwatch_console_requests_total{code="405",route="refused"} 5
`
	if err := testutil.GatherAndCompare(f.registry, strings.NewReader(want), "tapwatch_console_requests_total"); err != nil {
		t.Error(err)
	}
	if w := ask(t, h, "/metrics"); w.Code != 200 || !strings.Contains(w.Body.String(), "tapwatch_console_stream_clients 0") {
		t.Errorf("/metrics: %d %s", w.Code, w.Body)
	}
}

func TestAssetsAreCachedByContent(t *testing.T) {
	h := newFixture().server(t).Handler()
	tag := ask(t, h, "/assets/world.js").Header().Get("ETag")
	r := httptest.NewRequest(http.MethodGet, "http://localhost/assets/world.js", nil)
	r.Header.Set("If-None-Match", tag)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if tag == "" || w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("ETag %q: %d, %d bytes", tag, w.Code, w.Body.Len())
	}
}

func TestHealthAndReadiness(t *testing.T) {
	f := newFixture()
	var down error
	f.checks = []console.Check{
		{Name: "clickhouse", Ready: func(context.Context) error { return down }},
		{Name: "collector", Ready: func(context.Context) error { return nil }},
	}
	h := f.server(t).Handler()
	if w := ask(t, h, "/readyz"); w.Code != 200 || !strings.Contains(w.Body.String(), `"ready":true`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	down = errors.New("no answer from 127.0.0.1:9000")
	w := ask(t, h, "/readyz")
	if want := `{"ready":false,"checks":{"clickhouse":"no answer from 127.0.0.1:9000","collector":"ok"}}`; w.Code != 503 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, h, "/healthz"); w.Code != 200 {
		t.Errorf("/healthz: %d while storage is away", w.Code)
	}
}

func TestPortInUse(t *testing.T) {
	f := newFixture()
	f.start(t)
	again := newFixture()
	again.cfg.Listen = f.cfg.Listen
	err := again.server(t).Listen()
	if err == nil || !strings.Contains(err.Error(), f.cfg.Listen) || !strings.Contains(err.Error(), "console.listen") {
		t.Errorf("the error names no address and setting: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for yaml, want := range map[string]string{
		"listen: 127.0.0.1:0\n":             "",
		"listen: 8080\n":                    "listen",
		"listen: 127.0.0.1:http\n":          "listen",
		"listen: 127.0.0.1:70000\n":         "listen",
		"hosts: [noc.example.net]\n":        "",
		"hosts: [ok, 'https://noc/']\n":     "hosts[1]",
		"silent_after: 0s\n":                "silent_after",
		"silent_after: 5m\n# a comment\n":   "",
		"hosts: ['']\nsilent_after: -1ms\n": "hosts[0]",
	} {
		cfg := console.DefaultConfig()
		err := config.Decode("f.yaml", []byte(yaml), &cfg)
		var e *config.Error
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", yaml, err)
		case want != "" && (!errors.As(err, &e) || e.Key != want || e.Line == 0):
			t.Errorf("%q: %v, want an error at %s", yaml, err, want)
		}
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := console.New(console.DefaultConfig(), console.Deps{}, nil, nil)
	for _, name := range []string{"Alerts", "Incidents", "Quiet", "Feed", "Exporters", "Gatherer"} {
		if err == nil || !strings.Contains(err.Error(), "Deps."+name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

func TestJudge(t *testing.T) {
	f := newFixture()
	all := sampleExporters(noon)
	var got []string
	for _, e := range all {
		e.Judge(noon, f.cfg.SilentAfter)
		got = append(got, e.Status)
	}
	if want := []string{"ok", "problem", "silent", "ok", "ok"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	never := console.ExporterStatus{Listed: true, ExpectedSampling: 1000, SamplingIntervals: []uint32{512, 2048}, Dropped: map[string]uint64{"odd_thing": 2, "none": 0}}
	never.Judge(noon, f.cfg.SilentAfter)
	text := strings.Join(never.Problems, "\n")
	for _, want := range []string{"Nothing was received from it in the last day", "2 dropped in the last hour: odd thing.", "1 of 512, 2048 packets, the inventory says 1 of 1000"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	stray := console.ExporterStatus{LastReceivedAt: noon.Add(-25 * time.Hour)}
	if stray.Judge(noon, f.cfg.SilentAfter); stray.Status != console.StatusGone {
		t.Errorf("a stray sender of yesterday is %q", stray.Status)
	}
	if len(never.Problems) != 3 || len(never.Notes) != 0 || never.Status != console.StatusSilent {
		t.Errorf("%+v", never)
	}
}
