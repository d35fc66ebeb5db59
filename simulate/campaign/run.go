package campaign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"tapwatch/simulate/export"
)

// source is something that happens at times.
type source interface {
	// fire does what is due at a time and gives the next time; 0: never again.
	fire(r *run, at int64) (next int64)
}

// record is a flow record of an exporter, with what nobody can read from it.
type record struct {
	export.Record
	exporter uint8
	label    int32
}

// The calendar of records that wait for their export: buckets of four seconds, for
// longer than the longest part of a conversation and an idle timeout.
const (
	bucketBits = 12 // of milliseconds
	buckets    = 1 << 9
)

// errStopped says that whoever reads the datagrams wants no more.
var errStopped = errors.New("stopped")

// run is a campaign under way, from its start to its end.
type run struct {
	carrier   *carrier
	d         *dice
	queue     queue
	calendar  [buckets][]record
	drained   int64 // the first bucket that is not exported yet, counted from 1970
	hops      []hop
	exporters []exporting
	tallies   []tally // by label
	deeds     []deed  // in order of time
	resampled map[int][]deed
	stats     Stats
	end       int64
	yield     func(Datagram) bool
}

// work exports everything until the end.
func (r *run) work() error {
	for len(r.queue.all) > 0 {
		at := r.queue.all[0].at
		if at >= r.end {
			break
		}
		if err := r.drain(at >> bucketBits); err != nil {
			return err
		}
		if next := r.queue.all[0].source.fire(r, at); next > 0 {
			r.queue.again(max(next, at+1))
		} else {
			r.queue.drop()
		}
	}
	if err := r.drain(r.end >> bucketBits); err != nil {
		return err
	}
	return r.flushDue(r.end)
}

// tell observes a conversation; of a long one the first half hour, and the rest when
// its time has come.
func (r *run) tell(c conversation) {
	first, rest, more := c.split()
	r.observe(&first)
	if more {
		r.queue.add(rest.start, &told{rest})
	}
}

// told is a conversation with its time.
type told struct{ conversation }

func (t *told) fire(r *run, _ int64) int64 {
	r.tell(t.conversation)
	return 0
}

// take puts a record into the calendar.
func (r *run) take(rec *record) {
	bucket := max(rec.ExportedAt>>bucketBits, r.drained)
	if bucket >= r.drained+buckets {
		panic(fmt.Sprintf("campaign: a record waits %d buckets for its export", bucket-r.drained))
	}
	r.calendar[bucket%buckets] = append(r.calendar[bucket%buckets], *rec)
}

// drain exports the buckets before to.
func (r *run) drain(to int64) error {
	for ; r.drained < to; r.drained++ {
		batch := r.calendar[r.drained%buckets]
		if len(batch) == 0 {
			continue
		}
		r.calendar[r.drained%buckets] = batch[:0]
		slices.SortStableFunc(batch, func(a, b record) int { return cmp.Compare(a.ExportedAt, b.ExportedAt) })
		for i := range batch {
			if err := r.export(&batch[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// queue is a heap of sources by their next time; of two at the same time the one
// that came first.
type queue struct {
	all  []queued
	last uint32
}

type queued struct {
	at     int64
	order  uint32
	source source
}

func (q *queue) add(at int64, s source) {
	q.last++
	q.all = append(q.all, queued{at, q.last, s})
	for i := len(q.all) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.less(i, up) {
			break
		}
		q.all[i], q.all[up] = q.all[up], q.all[i]
		i = up
	}
}

func (q *queue) less(i, j int) bool {
	a, b := &q.all[i], &q.all[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}

// again gives the first source a later time.
func (q *queue) again(at int64) {
	q.all[0].at = at
	q.down()
}

// drop removes the first source.
func (q *queue) drop() {
	last := len(q.all) - 1
	q.all[0] = q.all[last]
	q.all[last] = queued{}
	q.all = q.all[:last]
	q.down()
}

func (q *queue) down() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.all); child++ {
			if q.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		q.all[i], q.all[least] = q.all[least], q.all[i]
		i = least
	}
}
