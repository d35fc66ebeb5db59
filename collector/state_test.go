package collector

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/flow"
)

// run is one run of a collector as far as its state goes: workers and their keeper,
// on a clock that is set.
type run struct {
	t *testing.T
	*stateKeeper
	at    time.Time
	log   bytes.Buffer
	batch flow.Batch
}

// newRun makes one that keeps its state in file, and restores it.
func newRun(t *testing.T, file string, at time.Time, inventory Exporters, change func(*Config)) *run {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Name, cfg.StateFile, cfg.Workers = "test", file, 2
	if change != nil {
		change(&cfg)
	}
	r := &run{t: t, at: at}
	var workers []*worker
	for range cfg.Workers {
		workers = append(workers, &worker{decoder: NewDecoder(cfg.share(cfg.Workers), []Protocol{fake{}, stub{}}, inventory)})
	}
	seed := maphash.MakeSeed()
	workerOf := func(a netip.Addr) *worker { return workers[maphash.Comparable(seed, a)%uint64(len(workers))] }
	r.stateKeeper = newStateKeeper(cfg, workers, workerOf, func() time.Time { return r.at }, slog.New(slog.NewTextHandler(&r.log, nil)))
	r.restore()
	return r
}

// send gives a datagram of exporter n to its worker, and the number of its records.
func (r *run) send(n int, payload string) int {
	w := r.workerOf(addr(n))
	w.mu.Lock()
	defer w.mu.Unlock()
	r.batch.Reset()
	w.decoder.Datagram(&r.batch, port(addr(n)), r.at, []byte(payload))
	return r.batch.Len()
}

// knows says whether exporter n is in the table.
func (r *run) knows(n int) bool { return r.workerOf(addr(n)).decoder.table.byAddr[addr(n)] != nil }

func (r *run) health() map[netip.Addr]flow.Health {
	m := make(map[netip.Addr]flow.Health)
	for _, w := range r.workers {
		for _, h := range w.decoder.Health(r.at) {
			m[h.Exporter] = h
		}
	}
	return m
}

// fileOf gives a place for a state file, in a folder that is not there yet.
func fileOf(t *testing.T) string { return filepath.Join(t.TempDir(), "collector", "state.json") }

// TestStateSurvives: what exporters said is known again after a restart, by whatever
// worker, with what health tells of them.
func TestStateSurvives(t *testing.T) {
	file := fileOf(t)
	inventory := listOf{addr(1): 0, addr(5): 0}
	r := newRun(t, file, start, inventory, nil)
	r.send(1, "ft\x01\x05s\x64\x00") // listed: a template, and sampling
	r.send(2, "ft\x02\x05")          // a template
	r.send(3, "fs\x64\x00")          // sampling alone, and nothing that proves anything
	r.send(4, "nonsense")
	r.send(5, "r\x01") // listed, of a protocol that keeps nothing
	r.send(6, "r\x01")
	r.save()
	later := start.Add(time.Hour)
	for _, workers := range []int{1, 2, 7} {
		r := newRun(t, file, later, inventory, func(c *Config) { c.Workers = workers })
		for n, want := range map[int]bool{1: true, 2: true, 3: false, 4: false, 5: true, 6: false} {
			if r.knows(n) != want {
				t.Errorf("%d workers: exporter %d known: %t", workers, n, !want)
			}
		}
		rows := r.health()
		first, second := rows[addr(1)], rows[addr(2)]
		if !first.LastReceivedAt.Equal(start) || first.Templates != 1 || fmt.Sprint(first.SamplingIntervals, first.ExportProtocols) != "[100] [ipfix]" || first.Datagrams != 0 {
			t.Errorf("%d workers: health %+v", workers, first)
		}
		if !second.LastReceivedAt.Equal(start) || second.Templates != 1 {
			t.Errorf("%d workers: health %+v", workers, second)
		}
		if !rows[addr(5)].LastReceivedAt.Equal(start) {
			t.Errorf("%d workers: health %+v", workers, rows[addr(5)])
		}
		if r.send(1, "fd\x01\x00") != 1 || r.batch.SamplingInterval[0] != 100 || r.send(2, "fd\x02\x00") != 1 || r.send(2, "fd\x01\x00") != 0 {
			t.Errorf("%d workers: the templates are not what they were", workers)
		}
		if got := testutil.ToFloat64(r.restored); got != 3 {
			t.Errorf("%d workers: %v exporters counted as restored", workers, got)
		}
	}
}

// TestConnectionsAreNotKept: what was said over a connection ends with it.
func TestConnectionsAreNotKept(t *testing.T) {
	r := newRun(t, fileOf(t), start, nil, nil)
	w := r.workerOf(addr(1))
	w.decoder.Message(&r.batch, 1, port(addr(1)), start, []byte("ft\x01\x05"))
	r.save()
	if again := newRun(t, r.file, start, nil, nil); again.knows(1) {
		t.Error("known by what it said over a connection")
	}
}

// TestStateAges: what was not heard of for the lifetime of a template is forgotten,
// and no clock that was set back makes an exporter last.
func TestStateAges(t *testing.T) {
	file := fileOf(t)
	r := newRun(t, file, start, nil, nil)
	r.send(1, "ft\x01\x05")
	r.at = start.Add(time.Hour)
	r.send(2, "ft\x01\x05")
	r.save()
	for _, c := range []struct {
		after time.Duration
		knows [2]bool
		heard time.Duration // exporter 2, before the restart
	}{
		{0, [2]bool{true, true}, 0},
		{24 * time.Hour, [2]bool{true, true}, 23 * time.Hour},
		{24*time.Hour + time.Second, [2]bool{false, true}, 23*time.Hour + time.Second},
		{26 * time.Hour, [2]bool{false, false}, 0},
	} {
		r := newRun(t, file, start.Add(c.after), nil, nil)
		if got := [2]bool{r.knows(1), r.knows(2)}; got != c.knows {
			t.Errorf("after %s: known: %v, want %v", c.after, got, c.knows)
		}
		if c.knows[1] {
			if at := r.health()[addr(2)].LastReceivedAt; !at.Equal(r.at.Add(-c.heard)) {
				t.Errorf("after %s: last heard %s", c.after, at)
			}
		}
	}
}

// TestStateWithinLimits: what limits and inventory no longer allow is left out; those
// heard last are the first to be restored, and nobody gives way to others.
func TestStateWithinLimits(t *testing.T) {
	file := fileOf(t)
	listing := listOf{addr(1): 0, addr(2): 0}
	r := newRun(t, file, start, listing, func(c *Config) { c.Workers = 1 })
	for n := range 12 {
		r.at = start.Add(time.Duration(n) * time.Minute)
		r.send(n, "ft\x01\x05t\x02\x05")
	}
	r.save()
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	for what, c := range map[string]struct {
		inventory Exporters
		change    func(*Config)
		want      []int
		templates int
	}{
		"as before":         {listing, nil, all, 24},
		"fewer exporters":   {listing, func(c *Config) { c.Limits.MaxExporters = 3 }, []int{1, 2, 9, 10, 11}, 10},
		"none listed":       {nil, func(c *Config) { c.Limits.MaxExporters = 3 }, []int{9, 10, 11}, 6},
		"only listed taken": {listing, func(c *Config) { c.Exporters = ExportersListed }, []int{1, 2}, 4},
		"fewer templates":   {listing, func(c *Config) { c.Limits.MaxTemplatesPerExporter = 1 }, all, 12},
		"less of a budget":  {listing, func(c *Config) { c.Limits.MaxTemplateFieldsTotal = 17 }, []int{1, 2, 10, 11}, 4 + 3},
	} {
		// Later than what makes an exporter idle: it must not cost anyone his place.
		r := newRun(t, file, start.Add(5*time.Hour), c.inventory, func(cfg *Config) {
			cfg.Workers = 1
			if c.change != nil {
				c.change(cfg)
			}
		})
		var got []int
		for _, n := range all {
			if r.knows(n) {
				got = append(got, n)
			}
		}
		d := r.workers[0].decoder
		if fmt.Sprint(got) != fmt.Sprint(c.want) || d.templates() != c.templates {
			t.Errorf("%s: exporters %v with %d templates, want %v with %d\n%s", what, got, d.templates(), c.want, c.templates, &r.log)
		}
		if d.table.held.TemplateFields > d.budget.templateFields {
			t.Errorf("%s: %d fields held", what, d.table.held.TemplateFields)
		}
		if oldest := d.table.ordered[active].Back(); oldest != nil {
			for e := oldest; e.Prev() != nil; e = e.Prev() {
				if e.Prev().Value.(*exporter).lastReceivedAt.Before(e.Value.(*exporter).lastReceivedAt) {
					t.Errorf("%s: not in the order they were heard", what)
				}
			}
		}
	}
}

// TestStateIsSavedWhenItChanged: not for every datagram, but often enough that nothing
// ages that is alive.
func TestStateIsSavedWhenItChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := newRun(t, fileOf(t), began, nil, nil)
		r.now = time.Now // keep has a goroutine of its own
		go r.keep(t.Context())
		saves := 0.0
		// after lets intervals pass, in which exporter 1 sends data, and gives how often
		// the file was written.
		after := func(intervals int) int {
			before := saves
			for range intervals {
				r.at = time.Now()
				r.send(1, "fd\x01\x00")
				time.Sleep(stateInterval)
			}
			synctest.Wait()
			saves = testutil.ToFloat64(r.saves)
			return int(saves - before)
		}
		time.Sleep(time.Until(began.Truncate(time.Hour).Add(time.Hour + time.Second)))
		if got := after(3); got != 0 {
			t.Errorf("written %d times with nothing to say", got)
		}
		r.send(1, "ft\x01\x05")
		if got := after(3); got != 1 {
			t.Errorf("written %d times for a template", got)
		}
		r.send(1, "ft\x01\x06")
		if got := after(1); got != 1 {
			t.Errorf("written %d times for one that was replaced", got)
		}
		if got := after(int(time.Hour / stateInterval)); got != 6 {
			t.Errorf("written %d times in an hour of data", got)
		}
		r.at = time.Now()
		if again := newRun(t, r.file, r.at, nil, nil); again.at.Sub(again.health()[addr(1)].LastReceivedAt) > stateStep+2*stateInterval {
			t.Errorf("last heard %s before", again.at.Sub(again.health()[addr(1)].LastReceivedAt))
		}
	})
}

// TestStateNotKept: without a file nothing is written anywhere, and nothing fails.
func TestStateNotKept(t *testing.T) {
	t.Chdir(t.TempDir())
	r := newRun(t, "", start, nil, nil)
	r.send(1, "ft\x01\x05")
	r.keep(t.Context())
	r.save()
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 || r.log.Len() > 0 {
		t.Errorf("left %v, %v, log %s", left, err, &r.log)
	}
}

// TestStateOfBrokenSession: a session that does not tell its state costs no other.
func TestStateOfBrokenSession(t *testing.T) {
	r := newRun(t, fileOf(t), start, nil, nil)
	r.send(1, "ft\x01\x05b  ")
	r.send(2, "ft\x01\x05")
	r.save()
	if !strings.Contains(r.log.String(), "exporter 10.0.0.1: does not tell") || testutil.ToFloat64(r.failures) != 1 {
		t.Errorf("log %s", &r.log)
	}
	if again := newRun(t, r.file, start, nil, nil); again.knows(1) || !again.knows(2) {
		t.Error("the other is not restored")
	}
}
