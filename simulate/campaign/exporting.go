package campaign

import (
	"math"
	"net/netip"
	"time"

	"tapwatch/flow"
	"tapwatch/simulate/export"
)

// Datagram is what a router sent to the collector.
type Datagram struct {
	// At is when the collector receives it, From the router.
	At   time.Time
	From netip.Addr
	// Payload is valid until the next datagram is asked for.
	Payload []byte
}

const (
	// flushAfter is how long a record waits for others, in milliseconds.
	flushAfter = second
	// datagramBytes fits an Ethernet frame, with room for tunnels.
	datagramBytes = 1400
	// refreshInterval is how often templates, options and counters are repeated.
	refreshInterval = 5 * time.Minute
)

// exporting is an exporter under way.
type exporting struct {
	*exporter
	encoder  export.Encoder
	sampling uint32
	boot     int64
	silent   bool
	// due is when the pending datagram is to be sent.
	due int64
	// pending are the labels of its records.
	pending []int32
}

// tally is what was exported of a label; times are Unix milliseconds.
type tally struct {
	records     uint64
	first, last int64
}

func (r *run) startExporter(e *exporter) error {
	r.exporters[e.index] = exporting{exporter: e, sampling: e.sampling, boot: e.boot, due: math.MaxInt64}
	return r.exporters[e.index].restart()
}

// restart makes a new encoder: its numbers begin anew.
func (e *exporting) restart() (err error) {
	e.encoder, err = export.New(export.Options{
		Protocol: e.protocol, Agent: e.host.addr, Domain: e.domain, AS: carrierAS, Sampling: e.sampling, Boot: e.boot,
		MaxDatagram: datagramBytes, RefreshInterval: refreshInterval,
	})
	return err
}

// export encodes a record that is due.
func (r *run) export(rec *record) error {
	if rec.ExportedAt >= r.end {
		return nil
	}
	if err := r.doDue(rec.ExportedAt); err != nil {
		return err
	}
	if err := r.flushDue(rec.ExportedAt); err != nil {
		return err
	}
	e := &r.exporters[rec.exporter]
	if e.silent {
		return nil
	}
	r.stats.Records++
	at := rec.ExportedAt
	emit := r.emit(e, at)
	rec.ExportedAt += e.clock
	rec.StartAt = max(rec.StartAt+e.clock, e.boot)
	rec.EndAt = max(rec.EndAt+e.clock, e.boot)
	// NetFlow v5 sends with the record that fills a datagram, the others before it.
	v5 := e.protocol == flow.ExportNetFlow5
	if v5 {
		r.note(e, rec.label)
	}
	if err := e.encoder.Add(&rec.Record, emit); err != nil {
		return err
	}
	if !v5 {
		r.note(e, rec.label)
	}
	e.due = min(e.due, at+flushAfter)
	return nil
}

// note remembers that the pending datagram holds a record of a label.
func (r *run) note(e *exporting, label int32) {
	if label == 0 {
		return
	}
	r.stats.Planted++
	r.tallies[label-1].records++
	e.pending = append(e.pending, label)
}

// flushDue sends what has waited long enough, the earliest first.
func (r *run) flushDue(now int64) error {
	for {
		next := -1
		for i := range r.exporters {
			if due := r.exporters[i].due; due <= now && (next < 0 || due < r.exporters[next].due) {
				next = i
			}
		}
		if next < 0 {
			return nil
		}
		if err := r.flush(&r.exporters[next], r.exporters[next].due); err != nil {
			return err
		}
	}
}

func (r *run) flush(e *exporting, at int64) error {
	err := e.encoder.Flush(at+e.clock, r.emit(e, at))
	e.due = math.MaxInt64
	return err
}

// emit yields a datagram at a time, and notes the time on the labels in it.
func (r *run) emit(e *exporting, at int64) export.Emit {
	return func(payload []byte) error {
		now := time.UnixMilli(at).UTC()
		for _, l := range e.pending {
			t := &r.tallies[l-1]
			if t.first == 0 {
				t.first = at
			}
			t.last = at
		}
		e.pending = e.pending[:0]
		r.stats.Datagrams++
		r.stats.Bytes += uint64(len(payload))
		e.due = math.MaxInt64
		if !r.yield(Datagram{At: now, From: e.host.addr, Payload: payload}) {
			return errStopped
		}
		return nil
	}
}

// deed is something that happens to an exporter at a time.
type deed struct {
	at       int64
	exporter int
	// silence and speak begin and end a silence; restart is a reboot; sampling, if not
	// 0, is the new interval.
	silence, speak, restart bool
	sampling                uint32
}

// doDue does the deeds up to a time of export. What the router has not sent yet goes
// first, as the old settings have it.
func (r *run) doDue(now int64) error {
	for len(r.deeds) > 0 && r.deeds[0].at <= now {
		x := r.deeds[0]
		r.deeds = r.deeds[1:]
		if err := r.do(&x); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) do(x *deed) error {
	if err := r.flushDue(x.at); err != nil {
		return err
	}
	e := &r.exporters[x.exporter]
	if err := r.flush(e, x.at); err != nil {
		return err
	}
	e.silent = x.silence || e.silent && !x.speak
	if x.restart {
		e.boot = x.at + e.clock
		if err := e.restart(); err != nil {
			return err
		}
	}
	if x.sampling > 0 {
		e.sampling = x.sampling
		return e.encoder.Resample(x.sampling)
	}
	return nil
}

// samplingAt is the interval of an exporter when it meters packets at a time.
func (r *run) samplingAt(exporter int, at int64) uint32 {
	interval := r.carrier.exporters[exporter].sampling
	for _, x := range r.resampled[exporter] {
		if x.at <= at {
			interval = x.sampling
		}
	}
	return interval
}
