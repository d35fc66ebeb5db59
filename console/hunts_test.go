package console_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tapwatch/console"
	"tapwatch/hunts"
)

// hunter answers with what it is given, and remembers what it was asked.
type hunter struct {
	mu     sync.Mutex
	found  console.HuntRows
	err    error
	wait   bool // for the end of the context
	values map[string]string
	rows   int
}

func (h *hunter) Hunt(ctx context.Context, _ string, values map[string]string, maxRows int) (console.HuntRows, error) {
	h.mu.Lock()
	h.values, h.rows = values, maxRows
	found, err, wait := h.found, h.err, h.wait
	h.mu.Unlock()
	if wait {
		<-ctx.Done()
		return found, ctx.Err()
	}
	return found, err
}

func callers() []hunts.Hunt {
	return []hunts.Hunt{{
		Name: "callers", Title: "Who called", Finds: "Callers.", Techniques: []hunts.Technique{{ID: "T1078", Name: "Valid Accounts"}},
		Params: []hunts.Param{
			{Name: "asset", Type: hunts.String, Required: true, Comment: "which asset"},
			{Name: "port", Type: hunts.Port, Default: "22", Comment: "at which port"},
		},
		SQL: "SELECT {asset:String} AS asset",
	}, {Name: "plain", SQL: "SELECT 1 AS a"}}
}

func huntFixture() *fixture {
	f := newFixture()
	f.hunts = callers()
	f.hunter.found = console.HuntRows{
		Columns: []console.HuntColumn{{Name: "peer", Type: "String"}, {Name: "bytes", Type: "UInt64"}, {Name: "ports", Type: "Array(UInt16)"}},
		Rows:    [][]any{{"a,\"b\"", uint64(7), []uint16{22, 80}}, {nil, uint64(8), []uint16{}}}, Truncated: true,
	}
	return f
}

func TestHuntsAreListed(t *testing.T) {
	h := huntFixture().server(t).Handler()
	want := `{"hunts":[{"name":"callers","title":"Who called","finds":"Callers.","techniques":[{"id":"T1078","name":"Valid Accounts"}],` +
		`"parameters":[{"name":"asset","type":"String","required":true,"default":"","comment":"which asset"},` +
		`{"name":"port","type":"Port","required":false,"default":"22","comment":"at which port"}]},` +
		`{"name":"plain","title":"","finds":"","techniques":[],"parameters":[]}]}`
	if got := strings.TrimSpace(ask(t, h, "/api/v1/hunts").Body.String()); got != want {
		t.Errorf("got %s", got)
	}
	if got := ask(t, h, "/api/v1/hunts/callers").Body.String(); !strings.Contains(got, `"sql":"SELECT {asset:String} AS asset"`) {
		t.Errorf("got %s", got)
	}
}

func TestHuntRows(t *testing.T) {
	f := huntFixture()
	h := f.server(t).Handler()
	w := ask(t, h, "/api/v1/hunts/callers/rows?asset=mdf3-1&port=&limit=50")
	want := `{"columns":[{"name":"peer","type":"String"},{"name":"bytes","type":"UInt64"},{"name":"ports","type":"Array(UInt16)"}],` +
		`"rows":[{"peer":"a,\"b\"","bytes":7,"ports":[22,80]},{"peer":null,"bytes":8,"ports":[]}],"truncated":true}` + "\n"
	if w.Body.String() != want || !json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %s", w.Body)
	}
	if f.hunter.values["asset"] != "mdf3-1" || f.hunter.values["port"] != "22" || f.hunter.rows != 50 {
		t.Errorf("asked with %v, %d rows", f.hunter.values, f.hunter.rows)
	}
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/api/v1/hunts/plain/rows", nil)
	r.Header.Set("Accept", "text/csv, */*;q=0.1")
	byAccept := httptest.NewRecorder()
	h.ServeHTTP(byAccept, r)
	for _, w := range []*httptest.ResponseRecorder{byAccept, ask(t, h, "/api/v1/hunts/plain/rows?format=csv")} {
		rows, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(rows) != 3 || rows[1][0] != `a,"b"` || rows[1][2] != "[22,80]" || rows[2][0] != "" ||
			w.Header().Get("Tapwatch-Truncated") != "true" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
			t.Errorf("%v %q %v", err, rows, w.Header())
		}
	}
	f.hunter.found = console.HuntRows{}
	if got := ask(t, h, "/api/v1/hunts/plain/rows").Body.String(); got != `{"columns":[],"rows":[],"truncated":false}`+"\n" {
		t.Errorf("got %s", got)
	}
}

func TestHuntProblems(t *testing.T) {
	for _, c := range []struct {
		target string
		err    error
		status int
		want   []string
	}{
		{"/api/v1/hunts/none", nil, 404, []string{"no-such-hunt", `\"none\"`}},
		{"/api/v1/hunts/none/rows", nil, 404, []string{"no-such-hunt"}},
		{"/api/v1/hunts?x=1", nil, 400, []string{"bad-parameter"}},
		{"/api/v1/hunts/callers?asset=x", nil, 400, []string{"bad-parameter"}},
		{"/api/v1/hunts/callers/rows", nil, 400, []string{"bad-parameter", `"parameter":"asset"`, "must be given", "/api/v1/hunts/callers"}},
		{"/api/v1/hunts/callers/rows?asset=a&asset=b", nil, 400, []string{`"parameter":"asset"`, "2 times"}},
		{"/api/v1/hunts/callers/rows?asset=a&port=x", nil, 400, []string{`"parameter":"port"`, "is not a port"}},
		{"/api/v1/hunts/callers/rows?asset=a&prot=1", nil, 400, []string{`"parameter":"prot"`, "no such parameter"}},
		{"/api/v1/hunts/callers/rows?asset=a&limit=0", nil, 400, []string{`"parameter":"limit"`}},
		{"/api/v1/hunts/callers/rows?asset=a&format=xml", nil, 400, []string{`"parameter":"format"`}},
		{"/api/v1/hunts/callers/rows?asset=%zz", nil, 400, []string{"Percent-encode"}},
		{"/api/v1/hunts/callers/rows?asset=" + strings.Repeat("a", 300), nil, 400, []string{`"parameter":"asset"`, "300 bytes"}},
		{"/api/v1/hunts/plain/rows", errors.New("secret"), 503, []string{"storage-unavailable"}},
		{"/api/v1/hunts/plain/rows", &console.HuntError{Words: "ended at its time limit", Limit: true, Err: errors.New("x")}, 504, []string{"hunt-limit", "Ended at its time limit."}},
		{"/api/v1/hunts/plain/rows", &console.HuntError{Words: "there is no column x", Err: errors.New("x")}, 500, []string{"hunt-failed", "There is no column x."}},
	} {
		f := huntFixture()
		f.hunter.err = c.err
		w := ask(t, f.server(t).Handler(), c.target)
		if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", c.target, w.Code, w.Body)
		}
		for _, want := range c.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: no %s in %s", c.target, want, w.Body)
			}
		}
	}
}

// TestHuntEndsWithItsClient, and meanwhile no more than a few run.
func TestHuntEndsWithItsClient(t *testing.T) {
	f := huntFixture()
	f.hunter.wait = true
	base, _ := f.start(t)
	ctx, leave := context.WithCancel(t.Context())
	status := make(chan int, 10)
	get := func(ctx context.Context) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/hunts/plain/rows", nil)
		if err != nil {
			t.Error(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			status <- 0
			return
		}
		answer.Body.Close()
		status <- answer.StatusCode
	}
	for range 5 {
		go get(ctx)
	}
	select {
	case got := <-status:
		if got != http.StatusServiceUnavailable {
			t.Errorf("the fifth hunt answers %d", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("five hunts run at once")
	}
	leave()
	for range 4 {
		<-status
	}
	f.hunter.mu.Lock()
	f.hunter.wait = false
	f.hunter.mu.Unlock()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		get(t.Context())
		if got := <-status; got == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("hunts whose clients left still run")
		}
	}
}
