package console_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
)

// again is another console over the same fakes.
func (f *fixture) again(t testing.TB) http.Handler {
	f.registry = prometheus.NewRegistry()
	return f.server(t).Handler()
}

// send sends a request with a JSON body and further headers, "Name: value".
func send(t testing.TB, h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// checkProblem holds an answer against the status, the type and the parameter at fault.
func checkProblem(t *testing.T, what string, w *httptest.ResponseRecorder, status int, kind, parameter string) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Parameter, Remedy string
		Status                                 int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Errorf("%s: %v: %s", what, err, w.Body)
		return
	}
	if w.Code != status || p.Status != status || p.Type != "urn:tapwatch:problem:"+kind || p.Parameter != parameter || p.Title == "" || p.Remedy == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %s", what, w.Code, w.Body)
	}
}

const aSilence = `{"asset":"mdf3-1","peer":"203.0.113.34","port":22,"reason":"a test of the vendor","owner":"li-operations","expires_at":"8h"}`

func TestSilenceAnAlert(t *testing.T) {
	f := sampled(noon)
	f.now = func() time.Time { return noon }
	f.quiet.silences, f.quiet.now = nil, f.now
	h := f.server(t).Handler()
	w := send(t, h, "POST", "/api/v1/silences", aSilence, "Origin: http://127.0.0.1:8080", "Sec-Fetch-Site: same-origin")
	var made struct {
		alert.Silence
		InForce bool `json:"in_force"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 || !made.InForce || made.Peer.String() != "203.0.113.34/32" ||
		!made.ExpiresAt.Equal(noon.Add(8*time.Hour)) || made.ID == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	hidden := sshFromAbroad(noon).ID
	list := decode[struct {
		Alerts   []shownAlert
		Silenced uint64
	}](t, ask(t, h, "/api/v1/alerts?severity=high"))
	if len(list.Alerts) != 1 || list.Silenced != 1 {
		t.Errorf("%d alerts, %d left out", len(list.Alerts), list.Silenced)
	}
	in := decode[incidentListing](t, ask(t, h, "/api/v1/incidents"))
	if len(in.Incidents) != 3 || in.Silenced != 1 {
		t.Errorf("%d incidents, %d left out", len(in.Incidents), in.Silenced)
	}
	for target, want := range map[string]int{"/api/v1/alerts?silenced=include": 4, "/api/v1/alerts?silenced=only": 1, "/api/v1/alerts?silenced=exclude": 3} {
		if n := len(decode[listing](t, ask(t, h, target)).Alerts); n != want {
			t.Errorf("%s: %d alerts, want %d", target, n, want)
		}
	}
	for target, want := range map[string]int{"/api/v1/incidents?silenced=include": 4, "/api/v1/incidents?silenced=only": 1} {
		if n := len(decode[incidentListing](t, ask(t, h, target)).Incidents); n != want {
			t.Errorf("%s: %d incidents, want %d", target, n, want)
		}
	}
	if a := decode[shownAlert](t, ask(t, h, "/api/v1/alerts/"+hidden)); len(a.SilencedBy) != 1 || a.SilencedBy[0] != made.ID {
		t.Errorf("the alert itself says %v", a.SilencedBy)
	}

	for range 2 { // ending it again changes nothing
		if w := send(t, h, "DELETE", "/api/v1/silences/"+made.ID, ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"in_force":false`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if n := len(decode[listing](t, ask(t, h, "/api/v1/alerts")).Alerts); n != 4 {
		t.Errorf("%d alerts after its end", n)
	}
	kept := decode[struct{ Silences []alert.Silence }](t, ask(t, h, "/api/v1/silences")).Silences
	if len(kept) != 1 || !kept[0].EndedAt.Equal(noon) || kept[0].Owner != "li-operations" {
		t.Errorf("for the record: %+v", kept)
	}
	checkProblem(t, "end none", send(t, h, "DELETE", "/api/v1/silences/none", ""), 404, "no-such-silence", "")
}

func TestApproveAnAlert(t *testing.T) {
	f := sampled(noon)
	f.now = func() time.Time { return noon }
	f.quiet.approvals, f.quiet.now = nil, f.now
	h := f.server(t).Handler()
	id := sshFromAbroad(noon).ID
	const words = `"owner":"li-operations","reason":"remote support","ticket":"CHG-7","expires_at":"2026-03-08T12:00:00Z"`
	checkProblem(t, "without a word about it", send(t, h, "POST", "/api/v1/alerts/"+id+"/approve", "{"+words+"}"), 409, "confirmation-needed", "confirm_outside_to_lawful_intercept")
	if len(f.quiet.approvals) > 0 {
		t.Fatal("it is approved all the same")
	}
	w := send(t, h, "POST", "/api/v1/alerts/"+id+"/approve", `{"confirm_outside_to_lawful_intercept":true,`+words+"}")
	var made struct {
		alert.Approval
		InForce bool `json:"in_force"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 || !made.InForce || made.AlertID != id || made.Client.String() != "203.0.113.34" ||
		made.Server.String() != "10.66.0.30" || made.Port != 22 || made.Protocol != 6 || !made.ExpiresAt.Equal(noon.Add(7*24*time.Hour)) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if a := decode[shownAlert](t, ask(t, h, "/api/v1/alerts/"+id)); a.Approval != made.ID {
		t.Errorf("the alert says %q", a.Approval)
	}
	if w := send(t, h, "POST", "/api/v1/alerts/"+tunnel(noon).ID+"/approve", "{"+words+"}"); w.Code != 201 || !strings.Contains(w.Body.String(), `"either_initiates":true`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if all := decode[struct{ Approvals []alert.Approval }](t, ask(t, h, "/api/v1/approvals")).Approvals; len(all) != 2 {
		t.Errorf("%+v", all)
	}
	if w := ask(t, h, "/api/v1/approvals.yaml"); w.Code != 200 || w.Header().Get("Content-Type") != "application/yaml" || w.Body.String() != "# approvals\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(t, h, "DELETE", "/api/v1/approvals/"+made.ID, ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"in_force":false`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for what, c := range map[string]struct {
		target, body string
		status       int
		kind, field  string
	}{
		"no such alert":    {"/api/v1/alerts/none/approve", "{" + words + "}", 404, "no-such-alert", ""},
		"no conversation":  {"/api/v1/alerts/" + silent(noon).ID + "/approve", "{" + words + "}", 400, "bad-field", "alert"},
		"no end":           {"/api/v1/alerts/" + id + "/approve", `{"owner":"o","reason":"r","ticket":"t"}`, 400, "bad-field", "expires_at"},
		"too far an end":   {"/api/v1/alerts/" + id + "/approve", `{"owner":"o","reason":"r","ticket":"t","expires_at":"8761h"}`, 400, "bad-field", "expires_at"},
		"no ticket":        {"/api/v1/alerts/" + id + "/approve", `{"owner":"o","reason":"r","expires_at":"1h"}`, 400, "bad-field", "ticket"},
		"no such approval": {"/api/v1/approvals/none", "", 404, "no-such-approval", ""},
	} {
		method := "POST"
		if strings.HasPrefix(c.target, "/api/v1/approvals/") {
			method = "DELETE"
		}
		checkProblem(t, what, send(t, h, method, c.target, c.body), c.status, c.kind, c.field)
	}
}

// TestBadRequests: what cannot be a silence is refused with the field at fault, and what
// is no request at all too.
func TestBadRequests(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	with := func(old, now string) string { return strings.Replace(aSilence, old, now, 1) }
	for what, c := range map[string]struct {
		body        string
		status      int
		kind, field string
	}{
		"everything":       {`{"reason":"r","owner":"o","expires_at":"1h"}`, 400, "bad-field", "asset"},
		"no reason":        {with("a test of the vendor", "  "), 400, "bad-field", "reason"},
		"no owner":         {with("li-operations", ""), 400, "bad-field", "owner"},
		"a peer that none": {with("203.0.113.34", "203.0.113"), 400, "bad-field", "peer"},
		"all peers":        {with("203.0.113.34", "0.0.0.0/0"), 400, "bad-field", "peer"},
		"for ever":         {with(`"8h"`, `""`), 400, "bad-field", "expires_at"},
		"for long":         {with(`"8h"`, `"2161h"`), 400, "bad-field", "expires_at"},
		"no time":          {with(`"8h"`, `"tomorrow"`), 400, "bad-field", "expires_at"},
		"a past time":      {with(`"8h"`, `"2020-01-01T00:00:00Z"`), 400, "bad-field", "expires_at"},
		"a port of text":   {with("22", `"ssh"`), 400, "bad-body", ""},
		"a port too high":  {with("22", "65536"), 400, "bad-body", ""},
		"an unknown field": {with(`"asset"`, `"assets"`), 400, "bad-body", ""},
		"no JSON":          {"asset=mdf3-1", 400, "bad-body", ""},
		"two objects":      {aSilence + aSilence, 400, "bad-body", ""},
		"nothing":          {"", 400, "bad-body", ""},
		"far too much":     {with("a test", strings.Repeat("a", 17<<10)), 413, "too-large", ""},
	} {
		checkProblem(t, what, send(t, h, "POST", "/api/v1/silences", c.body), c.status, c.kind, c.field)
	}
	if len(f.quiet.silences) > 0 {
		t.Error("one of them is in force")
	}
	for range 500 {
		f.quiet.silences = append(f.quiet.silences, alert.Silence{Asset: "a", CreatedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour)})
	}
	checkProblem(t, "one too many", send(t, h, "POST", "/api/v1/silences", aSilence), 409, "too-many-silences", "")
	f.quiet.silences, f.quiet.err = nil, errors.New("dial tcp 10.0.0.1:9000: secret detail")
	for _, w := range []*httptest.ResponseRecorder{
		send(t, h, "POST", "/api/v1/silences", aSilence), send(t, h, "DELETE", "/api/v1/silences/x", ""), ask(t, h, "/api/v1/silences"),
		ask(t, h, "/api/v1/approvals"), send(t, h, "DELETE", "/api/v1/approvals/x", ""),
	} {
		if checkProblem(t, "storage away", w, 503, "storage-unavailable", ""); strings.Contains(w.Body.String(), "secret") {
			t.Errorf("too much is told: %s", w.Body)
		}
	}
}

// TestForeignPagesCannotWrite: a page of another site cannot have a browser make changes,
// whatever it knows to send.
func TestForeignPagesCannotWrite(t *testing.T) {
	f := newFixture()
	f.cfg.Hosts = []string{"noc.example.net"}
	h := f.server(t).Handler()
	for what, c := range map[string]struct {
		headers []string
		status  int
		kind    string
	}{
		"a form of another site":         {[]string{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site"}, 403, "cross-origin"},
		"another site, an old browser":   {[]string{"Origin: http://evil.example"}, 403, "cross-origin"},
		"another port of this machine":   {[]string{"Origin: http://127.0.0.1:9999", "Sec-Fetch-Site: same-site"}, 403, "cross-origin"},
		"another port, an old browser":   {[]string{"Origin: http://127.0.0.1:9999"}, 403, "cross-origin"},
		"a sandboxed frame":              {[]string{"Origin: null"}, 403, "cross-origin"},
		"a name that resolves here":      {[]string{"Host: evil.example", "Origin: http://evil.example", "Sec-Fetch-Site: same-origin"}, 421, "unknown-host"},
		"a form's content type":          {[]string{"Content-Type: text/plain"}, 415, "not-json"},
		"a form's other content type":    {[]string{"Content-Type: application/x-www-form-urlencoded"}, 415, "not-json"},
		"the page itself":                {[]string{"Origin: http://127.0.0.1:8080", "Sec-Fetch-Site: same-origin"}, 201, ""},
		"the page behind a proxy":        {[]string{"Host: noc.example.net", "Origin: https://noc.example.net", "Sec-Fetch-Site: same-origin"}, 201, ""},
		"curl":                           {nil, 201, ""},
		"JSON with a set of characters ": {[]string{"Content-Type: application/json; charset=utf-8"}, 201, ""},
	} {
		w := send(t, h, "POST", "/api/v1/silences", aSilence, c.headers...)
		parameter := ""
		if c.status == 415 {
			parameter = "Content-Type"
		}
		if c.status == 201 && w.Code != 201 {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		} else if c.status != 201 {
			checkProblem(t, what, w, c.status, c.kind, parameter)
		}
	}
	if n := len(f.quiet.silences); n != 4 {
		t.Errorf("%d silences were made, want 4", n)
	}
	checkProblem(t, "ended from elsewhere", send(t, h, "DELETE", "/api/v1/silences/"+f.quiet.silences[0].ID, "", "Sec-Fetch-Site: cross-site"), 403, "cross-origin", "")
	for target, allow := range map[string]string{
		"/api/v1/silences": "GET, HEAD, POST", "/api/v1/silences/x": "DELETE", "/api/v1/alerts/x/approve": "POST", "/api/v1/approvals": "GET, HEAD", "/": "GET, HEAD",
	} {
		if w := send(t, h, "PUT", target, "{}"); w.Code != 405 || w.Header().Get("Allow") != allow {
			t.Errorf("PUT %s: %d, allowed is %q", target, w.Code, w.Header().Get("Allow"))
		}
	}
	if w := ask(t, h, "/api/v1/alerts/x/approve"); w.Code != 405 {
		t.Errorf("GET of a path that only takes POST: %d", w.Code)
	}
}

// TestOpenConsoleTakesChangesByAddress: one that listens for other machines does not know
// its names; a name may be one that a foreign page made up.
func TestOpenConsoleTakesChangesByAddress(t *testing.T) {
	f := newFixture()
	f.cfg.Listen = "0.0.0.0:0"
	s := f.server(t)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	defer f.closed(t, s)
	h := s.Handler()
	if w := send(t, h, "POST", "/api/v1/silences", aSilence, "Host: 192.0.2.10:8080", "Origin: http://192.0.2.10:8080"); w.Code != 201 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	checkProblem(t, "by a name", send(t, h, "POST", "/api/v1/silences", aSilence, "Host: evil.example", "Origin: http://evil.example"), 421, "unknown-host", "")
}

// TestStreamHidesSilenced: an alert under a silence is not streamed, from the moment the
// silence is made.
func TestStreamHidesSilenced(t *testing.T) {
	f := newFixture()
	web := httptest.NewServer(f.server(t).Handler())
	defer web.Close()
	seen, endSeen := follow(t, web.URL+"/api/v1/alerts/stream", "")
	defer endSeen()
	all, endAll := follow(t, web.URL+"/api/v1/alerts/stream?silenced=include", "")
	defer endAll()
	first := f.publish(sshFromAbroad(noon))
	for _, c := range []<-chan event{seen, all} {
		if e := next(t, c); !strings.Contains(e.data, first.ID) || !strings.Contains(e.data, `"silenced_by":[]`) || strings.Contains(e.data, `"incident"`) {
			t.Errorf("got %s", e.data)
		}
	}
	if err := f.quiet.SaveSilence(t.Context(), alert.Silence{ID: "s1", Asset: "mdf3-1", CreatedAt: time.Now().Add(-time.Second), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	f.publish(first)
	second := f.publish(listed(noon))
	if e := next(t, all); !strings.Contains(e.data, first.ID) || !strings.Contains(e.data, `"silenced_by":["s1"]`) {
		t.Errorf("got %s", e.data)
	}
	for _, c := range []<-chan event{seen, all} {
		if e := next(t, c); !strings.Contains(e.data, second.ID) {
			t.Errorf("got %s", e.data)
		}
	}
}
