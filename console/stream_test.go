package console_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/alert"
)

// event is one server-sent event.
type event struct{ id, name, data, comment string }

// events reads a stream until it ends.
func events(body io.Reader) <-chan event {
	c := make(chan event, 1024)
	go func() {
		defer close(c)
		var e event
		for lines := bufio.NewScanner(body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case lines.Text() == "":
				c <- e
				e = event{}
			case field == "id":
				e.id = value
			case field == "event":
				e.name = value
			case field == "data":
				e.data = value
			case field == "retry":
				e.name, e.data = "retry", value
			case field == "":
				e.comment = value
			}
		}
	}()
	return c
}

// follow opens the stream and waits until it is open.
func follow(t *testing.T, url, lastEventID string) (<-chan event, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	c := events(answer.Body)
	if e := next(t, c); e.name != "retry" || e.data != "2000" {
		t.Fatalf("first %+v, want the retry hint", e)
	}
	return c, cancel
}

func next(t *testing.T, c <-chan event) event {
	t.Helper()
	select {
	case e, ok := <-c:
		if !ok {
			t.Fatal("the stream ended")
		}
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event within 10 s")
	}
	return event{}
}

func numbered(i int) alert.Alert {
	a := silent(noon)
	a.ID = fmt.Sprint("alert", i)
	return a
}

func TestStreamIsLive(t *testing.T) {
	f := newFixture()
	f.alerts.put(numbered(0)) // stored before: not for a stream that asks for none of it
	base, _ := f.start(t)
	c, _ := follow(t, base+"/api/v1/alerts/stream?severity=medium", "")
	below := numbered(1)
	below.Severity = alert.Low
	f.publish(below)
	want := f.publish(numbered(2))
	got := next(t, c)
	if got.id != fmt.Sprint(want.Version) || got.name != "alert" || !strings.Contains(got.data, `"id":"alert2"`) {
		t.Errorf("got %+v", got)
	}
	if n := testutil.CollectAndCount(f.registry, "tapwatch_console_stream_clients"); n != 1 {
		t.Errorf("%d series of stream clients", n)
	}
	gauge := "# HELP tapwatch_console_stream_clients Clients that follow the live stream of alerts.\n# TYPE tapwatch_console_stream_clients gauge\ntapwatch_console_stream_clients 1\n"
	if err := testutil.GatherAndCompare(f.registry, strings.NewReader(gauge), "tapwatch_console_stream_clients"); err != nil {
		t.Error(err)
	}
}

// TestStreamResumesWithoutGapOrRepeat reads a stream through a client that is cut
// off again and again while alerts change, more of them than one page of storage.
func TestStreamResumesWithoutGapOrRepeat(t *testing.T) {
	f := newFixture()
	first := f.alerts.put(numbered(0))
	base, _ := f.start(t)
	const total = 1300
	go func() {
		for i := 1; i <= total; i++ {
			f.publish(numbered(i))
		}
	}()
	last, seen := fmt.Sprint(first.Version), []string{}
	for len(seen) < total {
		c, cut := follow(t, base+"/api/v1/alerts/stream", last)
		for range 97 {
			if len(seen) == total {
				break
			}
			select {
			case e, ok := <-c:
				if !ok { // the feed cut a client that lagged
					break
				}
				last = e.id
				seen = append(seen, e.id)
			case <-time.After(10 * time.Second):
				t.Fatalf("no event after %d", len(seen))
			}
		}
		cut()
	}
	var want []string
	for v := range total {
		want = append(want, fmt.Sprint(v+2))
	}
	if !slices.Equal(seen, want) {
		t.Errorf("saw %d events, not each version from 2 to %d once", len(seen), total+1)
	}
}

// TestStreamCatchesUpOverPages misses more than one page of storage.
func TestStreamCatchesUpOverPages(t *testing.T) {
	f := newFixture()
	for i := range 1201 {
		f.alerts.put(numbered(i))
	}
	base, _ := f.start(t)
	c, _ := follow(t, base+"/api/v1/alerts/stream", "1")
	for v := 2; v <= 1201; v++ {
		if got := next(t, c); got.id != fmt.Sprint(v) {
			t.Fatalf("got %s, want %d", got.id, v)
		}
	}
	f.publish(numbered(1))
	if got := next(t, c); got.id != "1202" {
		t.Errorf("after catching up: got %s, want 1202", got.id)
	}
}

func TestStreamFromTheStart(t *testing.T) {
	f := newFixture()
	for i := range 3 {
		f.alerts.put(numbered(i))
	}
	base, _ := f.start(t)
	c, _ := follow(t, base+"/api/v1/alerts/stream?after=0", "")
	for _, want := range []string{"1", "2", "3"} {
		if got := next(t, c); got.id != want {
			t.Errorf("got %s, want %s", got.id, want)
		}
	}
}

// TestStreamDropsWhatComesTwice publishes between the subscription and the answer
// of storage, so that the alert comes both ways.
func TestStreamDropsWhatComesTwice(t *testing.T) {
	f := newFixture()
	f.alerts.put(numbered(0))
	twice := f.alerts.put(numbered(1))
	feed := subscribedFeed{f.feed, func() { f.feed.Publish(twice) }}
	synctest.Test(t, func(t *testing.T) {
		h := f.serverWith(t, feed).Handler()
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/alerts/stream", nil)
		r.Header.Set("Last-Event-ID", "1")
		done := make(chan struct{})
		go func() { defer close(done); h.ServeHTTP(w, r) }()
		synctest.Wait()
		cancel()
		<-done
		if n := strings.Count(w.Body.String(), "id: 2\n"); n != 1 {
			t.Errorf("version 2 came %d times:\n%s", n, w.Body)
		}
	})
}

func TestStreamHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture().server(t).Handler()
		ctx, cancel := context.WithTimeout(t.Context(), 46*time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/alerts/stream", nil))
		if n := strings.Count(w.Body.String(), "\n: heartbeat\n"); n != 3 {
			t.Errorf("%d heartbeats in 46 s, want 3:\n%s", n, w.Body)
		}
	})
}

func TestStreamCutsWhoLags(t *testing.T) {
	f := newFixture()
	// The feed overflows before the stream reads it for the first time.
	feed := subscribedFeed{f.feed, func() {
		for i := range 300 {
			f.publish(numbered(i))
		}
	}}
	h := f.serverWith(t, feed).Handler()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/alerts/stream", nil))
	ids := strings.Count(w.Body.String(), "\nid: ")
	want := "# HELP tapwatch_console_stream_cuts_total Streams that the server ended before the client did, by reason: lag, write, storage.\n" +
		"# TYPE tapwatch_console_stream_cuts_total counter\ntapwatch_console_stream_cuts_total{reason=\"lag\"} 1\n"
	if err := testutil.GatherAndCompare(f.registry, strings.NewReader(want), "tapwatch_console_stream_cuts_total"); err != nil {
		t.Error(err)
	}
	if ids == 0 || ids >= 300 {
		t.Errorf("%d alerts before the cut", ids)
	}
}

func TestShutdownEndsStreams(t *testing.T) {
	f := newFixture()
	base, stop := f.start(t)
	c, _ := follow(t, base+"/api/v1/alerts/stream", "")
	started := time.Now()
	stop()
	for range c { // until it ends
	}
	if took := time.Since(started); took > 3*time.Second {
		t.Errorf("the server took %v to stop", took)
	}
}
