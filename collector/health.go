package collector

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tapwatch/flow"
)

// spoken are the export protocols by the names that Health uses.
var spoken = []struct {
	protocol int8
	name     string
}{
	{flow.ExportNetFlow5, "netflow5"},
	{flow.ExportNetFlow7, "netflow7"},
	{flow.ExportNetFlow9, "netflow9"},
	{flow.ExportIPFIX, "ipfix"},
	{flow.ExportSFlow5, "sflow5"},
}

func protocolBit(protocol int8) uint8 {
	for i, s := range spoken {
		if s.protocol == protocol {
			return 1 << i
		}
	}
	return 0
}

func protocolNames(bits uint8) []string {
	var names []string
	for i, s := range spoken {
		if bits&(1<<i) != 0 {
			names = append(names, s.name)
		}
	}
	return names
}

// Health gives what was counted since the last call, one row an exporter, ordered
// by address; at is the end of the interval. Exporters that fell silent have a
// row too. The row of the unspecified address :: counts for those that have no
// entry in the bounded table; it is there only when there is something to count.
func (d *Decoder) Health(at time.Time) []flow.Health {
	rows := make([]flow.Health, 0, len(d.table.byAddr)+1)
	for _, e := range d.table.byAddr {
		if e.rank == probation && e.total == (Tally{}) {
			continue // nothing to say of an address that may be made up
		}
		h := d.row(at, e.addr, &e.total)
		h.ExportProtocols = protocolNames(e.protocols)
		h.LastReceivedAt = e.lastReceivedAt
		intervals := slices.Clone(e.intervals)
		for _, s := range e.sessions {
			if s != nil {
				h.Templates += uint32(s.Templates())
				intervals = append(intervals, s.SamplingIntervals()...)
			}
		}
		slices.Sort(intervals)
		h.SamplingIntervals = slices.Compact(intervals)
		e.total = Tally{}
		rows = append(rows, h)
	}
	if d.table.rest != (Tally{}) {
		rows = append(rows, d.row(at, netip.IPv6Unspecified(), &d.table.rest))
		d.table.rest = Tally{}
	}
	slices.SortFunc(rows, func(a, b flow.Health) int { return a.Exporter.Compare(b.Exporter) })
	return rows
}

func (d *Decoder) row(at time.Time, addr netip.Addr, t *Tally) flow.Health {
	return flow.Health{
		At:               at,
		Collector:        d.name,
		Exporter:         addr,
		Datagrams:        t.Datagrams,
		Bytes:            t.Bytes,
		Records:          t.Records,
		OptionsRecords:   t.OptionsRecords,
		Dropped:          t.ByReason(),
		UnsampledRecords: t.Unsampled,
	}
}

// templates counts the known templates of all exporters.
func (d *Decoder) templates() int {
	n := 0
	for _, e := range d.table.byAddr {
		for _, s := range e.sessions {
			if s != nil {
				n += s.Templates()
			}
		}
	}
	return n
}

// mergeRest joins the rows of the unspecified address that several workers give.
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
