package collector

import (
	"context"
	"hash/maphash"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stateKeeper keeps what exporters said over a restart, in a file: routers send their
// templates every half hour or so, and until then nothing of them could be read.
// Its methods are called one after the other.
type stateKeeper struct {
	file      string // empty: nothing is kept
	collector string
	workers   []*worker
	// workerOf is the worker that decodes what an exporter sends.
	workerOf func(netip.Addr) *worker
	step     time.Duration // Limits.StateStep
	now      func() time.Time
	logger   *slog.Logger

	seed maphash.Seed
	// kept is the digest of what the file holds; at the start that counts as nothing.
	kept uint64

	saves, failures   prometheus.Counter
	restored, savedAt prometheus.Gauge
}

func newStateKeeper(cfg Config, workers []*worker, workerOf func(netip.Addr) *worker, now func() time.Time, logger *slog.Logger) *stateKeeper {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "tapwatch_collector_state_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "tapwatch_collector_state_" + name, Help: help})
	}
	limits := cfg.limits()
	k := &stateKeeper{
		file: cfg.StateFile, collector: cfg.CollectorName(), step: limits.StateStep(),
		workers: workers, workerOf: workerOf, now: now, logger: logger,
		seed:     maphash.MakeSeed(),
		saves:    counter("saves_total", "Times the state file was written."),
		failures: counter("save_failures_total", "Times the state file, or some of it, could not be written."),
		restored: gauge("restored_exporters", "Exporters whose state was restored at the start."),
		savedAt:  gauge("saved_timestamp_seconds", "When the state file was written last; 0: not since the start."),
	}
	k.kept = k.newHash().Sum64()
	return k
}

// metrics are to be registered.
func (k *stateKeeper) metrics() []prometheus.Collector {
	return []prometheus.Collector{k.saves, k.failures, k.restored, k.savedAt}
}

// stateInterval is how often the file is brought up to date, if anything changed: what a
// router has said since then is lost with a kill.
const stateInterval = 10 * time.Second

// keep brings the file up to date every so often until ctx ends.
func (k *stateKeeper) keep(ctx context.Context) {
	if k.file == "" {
		return
	}
	tick := time.NewTicker(stateInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if k.changed() {
				k.save()
			}
		}
	}
}

// changed says whether there is anything to write: to ask every session is the only
// way to know. It costs what writing does, less the file.
func (k *stateKeeper) changed() bool {
	h := k.newHash()
	k.each(func(s *exporterState) { k.hash(h, s) })
	return h.Sum64() != k.kept
}

// save writes the file.
func (k *stateKeeper) save() {
	if k.file == "" {
		return
	}
	var digest uint64
	var lost damage
	err := replaceFile(k.file, func(file io.Writer) (err error) {
		digest, lost, err = k.writeTo(file)
		return err
	})
	switch {
	case err != nil:
		k.failures.Inc()
		k.logger.Error("state not kept: after a restart no exporter is understood until it sends its templates again; "+
			"make room and the folder writable, or name another file as collector.state_file", "file", k.file, "error", err)
		return
	case lost.first != nil:
		k.failures.Inc()
		k.logger.Error("state not kept of some exporters: after a restart they are not understood until they send their templates again",
			"file", k.file, "exporters", lost.exporters, "error", lost.first)
	}
	k.kept = digest
	k.saves.Inc()
	k.savedAt.SetToCurrentTime()
}

// writeTo writes what the file is to hold. lost is what could not be had of it.
func (k *stateKeeper) writeTo(file io.Writer) (digest uint64, lost damage, err error) {
	h := k.newHash()
	w := newStateWriter(file, stateHeader{stateVersion, k.collector, k.now().UTC()})
	lost = k.each(func(s *exporterState) {
		k.hash(h, s)
		w.add(s)
	})
	lost.add(w.lost)
	return h.Sum64(), lost, w.end()
}

// stretch is how many exporters a worker is held up for at a time: a millisecond at
// most, as long as they have templates like real routers.
const stretch = 16

// each calls f with every exporter of which something is kept, ordered by address.
// The damage is that of sessions that do not give their state.
func (k *stateKeeper) each(f func(*exporterState)) (lost damage) {
	type known struct {
		addr   netip.Addr
		worker *worker
	}
	var all []known
	for _, w := range k.workers {
		w.mu.Lock()
		addrs := w.decoder.known()
		w.mu.Unlock()
		for _, a := range addrs {
			all = append(all, known{a, w})
		}
	}
	slices.SortFunc(all, func(a, b known) int { return a.addr.Compare(b.addr) })
	for some := range slices.Chunk(all, stretch*len(k.workers)) {
		states := make([]exporterState, len(some))
		for _, w := range k.workers {
			w.mu.Lock()
			for i, e := range some {
				if e.worker != w {
					continue
				}
				var err error
				if states[i], err = w.decoder.state(e.addr); err != nil {
					lost.add(damage{1, err})
				}
			}
			w.mu.Unlock()
		}
		for i := range states {
			if states[i].Exporter.IsValid() {
				f(&states[i])
			}
		}
	}
	return lost
}

// stateStep is how much older than true the times in the file may be; times alone make
// it be written no more often.
const stateStep = 10 * time.Minute

// StateStep is how exact the times in a Session's State are to be: those of what is in
// use move on all the time, and with them the state would never be the same for long.
func (l Limits) StateStep() time.Duration { return min(stateStep, l.TemplateLifetime/4) }

func (k *stateKeeper) newHash() *maphash.Hash {
	h := new(maphash.Hash)
	h.SetSeed(k.seed)
	return h
}

// hash takes an exporter's state into the digest. A time counts in steps: it changes
// with every datagram.
func (k *stateKeeper) hash(h *maphash.Hash, s *exporterState) {
	maphash.WriteComparable(h, s.Exporter)
	maphash.WriteComparable(h, s.LastReceivedAt.Truncate(k.step).Unix())
	for _, name := range s.Protocols {
		maphash.WriteComparable(h, name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Sessions)) {
		maphash.WriteComparable(h, name)
		maphash.WriteComparable(h, len(s.Sessions[name]))
		_, _ = h.Write(s.Sessions[name])
	}
}
