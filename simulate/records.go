package simulate

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"tapwatch/simulate/export"
)

// Record is a flow record of one router, with what nobody could read from it.
type Record struct {
	export.Record
	// Router is the index of the router in Network.Routers.
	Router int
	// Intrusion is the ID of the intrusion that the flow belongs to, empty for
	// background traffic.
	Intrusion string
	// FromClient says that Src opened the conversation.
	FromClient bool
}

// Records yields the records that the routers export in [from, to), in the order
// of their export. A zero to never ends. Two spans that meet yield together what
// the whole yields.
func (n *Network) Records(from, to time.Time) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		first, begin := from.UnixMilli(), from.Add(-n.cfg.exportDelay()).Unix()
		due := map[int64][]Record{} // by second of export
		o := &observer{network: n, take: func(r Record) {
			if r.ExportedAt >= first && !n.silent(r.Router, r.ExportedAt) {
				second := r.ExportedAt / 1000
				due[second] = append(due[second], r)
			}
		}}
		for second := begin; to.IsZero() || second*1000 < to.UnixMilli(); second++ {
			n.during(second, o)
			batch := due[second]
			delete(due, second)
			slices.SortStableFunc(batch, func(a, b Record) int { return cmp.Compare(a.ExportedAt, b.ExportedAt) })
			for i := range batch {
				if !to.IsZero() && batch[i].ExportedAt >= to.UnixMilli() {
					return
				}
				if !yield(batch[i]) {
					return
				}
			}
		}
	}
}

// during observes every conversation that begins in a second.
func (n *Network) during(second int64, o *observer) {
	for _, h := range n.habits {
		h.during(second, o.observe)
	}
	for i := range n.steps {
		n.steps[i].during(second, o.observe)
	}
}
