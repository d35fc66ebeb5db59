package collector

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tapwatch/flow"
)

// exported are the export protocols by the names that Health uses.
var exported = []struct {
	protocol int8
	name     string
}{
	{flow.ExportNetFlow1, "netflow1"},
	{flow.ExportNetFlow5, "netflow5"},
	{flow.ExportNetFlow7, "netflow7"},
	{flow.ExportNetFlow9, "netflow9"},
	{flow.ExportIPFIX, "ipfix"},
	{flow.ExportSFlow5, "sflow5"},
}

func protocolBit(protocol int8) uint8 {
	for i, s := range exported {
		if s.protocol == protocol {
			return 1 << i
		}
	}
	return 0
}

func protocolNames(bits uint8) []string {
	var names []string
	for i, s := range exported {
		if bits&(1<<i) != 0 {
			names = append(names, s.name)
		}
	}
	return names
}

// maxSuspects is how many exporters in probation have a row of their own. Anyone can
// make up their addresses, and rows are stored; but a router that is set up badly
// is one of them too, and must be found.
const maxSuspects = 16

// Health gives what was counted since the last call, one row an exporter, ordered
// by address; at is the end of the interval. Exporters that fell silent have a
// row too. Of those that the inventory does not list and that sent nothing that made
// sense (or are refused), only the 16 that sent most have one. The row of the
// unspecified address :: counts for the others and for those that have no entry in
// the bounded table; it is there only when there is something to count.
func (d *Decoder) Health(at time.Time) []flow.Health { return fold(d.health(at)) }

// health gives the rows of Health, those of the exporters in probation apart: fold
// joins them, of one Decoder or of several.
func (d *Decoder) health(at time.Time) (rows, suspects []flow.Health) {
	d.Expire(at)
	for _, e := range d.table.byAddr {
		if e.rank == probation {
			if e.total != (Tally{}) {
				h := d.report(at, e.addr, &e.total)
				h.LastReceivedAt = e.lastReceivedAt
				h.WaitingSets = uint32(e.held.WaitingSets)
				suspects = append(suspects, h)
			}
			continue
		}
		h := d.report(at, e.addr, &e.total)
		h.ExportProtocols = protocolNames(e.protocols)
		h.LastReceivedAt = e.lastReceivedAt
		h.Templates = uint32(e.held.Templates)
		h.WaitingSets = uint32(e.held.WaitingSets)
		h.SamplingIntervals = e.samplingIntervals()
		rows = append(rows, h)
	}
	if d.table.rest != (Tally{}) {
		rows = append(rows, d.report(at, netip.IPv6Unspecified(), &d.table.rest))
	}
	return rows, suspects
}

// withhold takes the records of b out of the counters of their exporters, and gives
// what puts them back.
func (d *Decoder) withhold(b *flow.Batch) (restore func()) {
	records := make(map[*Tally]uint64)
	for _, addr := range b.Exporter {
		t := &d.table.rest // of one that was forgotten since
		if e := d.table.byAddr[flow.Addr(addr)]; e != nil {
			t = &e.total
		}
		records[t]++
	}
	for t, n := range records {
		records[t] = min(n, t.Records)
		t.Records -= records[t]
	}
	return func() {
		for t, n := range records {
			t.Records += n
		}
	}
}

// samplingIntervals are those that the exporter announced or its records carried,
// ascending.
func (e *exporter) samplingIntervals() []uint32 {
	all := slices.Clone(e.intervals)
	for from := range e.sources {
		for _, s := range from.sessions {
			if s.Session != nil {
				all = append(all, s.SamplingIntervals()...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// report gives the row of what t counts, and makes t begin anew.
func (d *Decoder) report(at time.Time, addr netip.Addr, t *Tally) flow.Health {
	h := flow.Health{
		At:               at,
		Collector:        d.name,
		Exporter:         addr,
		Datagrams:        t.Datagrams,
		Bytes:            t.Bytes,
		Records:          t.Records,
		OptionsRecords:   t.OptionsRecords,
		LostRecords:      t.LostRecords,
		LostDatagrams:    t.LostDatagrams,
		LateDatagrams:    t.LateDatagrams,
		Restarts:         t.Restarts,
		Dropped:          t.ByReason(),
		UnsampledRecords: t.Unsampled,
	}
	d.table.reported.Add(t)
	*t = Tally{}
	return h
}

// templates counts the known templates of all exporters.
func (d *Decoder) templates() int {
	n := 0
	for _, e := range d.table.byAddr {
		n += e.held.Templates
	}
	return n
}

// fold joins the rows of exporters with those of the ones in probation, of which only
// some stay apart.
func fold(rows, suspects []flow.Health) []flow.Health {
	slices.SortFunc(suspects, func(a, b flow.Health) int {
		return cmp.Or(cmp.Compare(b.Datagrams, a.Datagrams), a.Exporter.Compare(b.Exporter))
	})
	for i := maxSuspects; i < len(suspects); i++ {
		suspects[i].Exporter = netip.IPv6Unspecified()
		suspects[i].LastReceivedAt = time.Time{} // of :: nobody is asked that
	}
	return mergeRest(append(rows, suspects...))
}

// mergeRest joins the rows of the unspecified address.
func mergeRest(rows []flow.Health) []flow.Health {
	var rest *flow.Health
	kept := rows[:0]
	for _, h := range rows {
		if h.Exporter != netip.IPv6Unspecified() {
			kept = append(kept, h)
			continue
		}
		if rest == nil {
			rest = &h
			continue
		}
		rest.Datagrams += h.Datagrams
		rest.Bytes += h.Bytes
		rest.Records += h.Records
		rest.OptionsRecords += h.OptionsRecords
		rest.UnsampledRecords += h.UnsampledRecords
		rest.LostRecords += h.LostRecords
		rest.LostDatagrams += h.LostDatagrams
		rest.LateDatagrams += h.LateDatagrams
		rest.Restarts += h.Restarts
		rest.WaitingSets += h.WaitingSets
		for reason, n := range h.Dropped {
			if rest.Dropped == nil {
				rest.Dropped = make(map[string]uint64)
			}
			rest.Dropped[reason] += n
		}
	}
	if rest != nil {
		kept = append(kept, *rest)
	}
	slices.SortFunc(kept, func(a, b flow.Health) int {
		return cmp.Or(a.Exporter.Compare(b.Exporter), a.At.Compare(b.At))
	})
	return kept
}
