package collector_test

import (
	"tapwatch/collector"
	"tapwatch/internal/goflowref"
)

// Reasons that the comparison itself gives.
const (
	notSpoken = "protocol that goflow2 does not know"
	notWaited = "beyond what may wait for a template"
	biflow    = "biflow"
)

// whys are the sentences of all reasons.
func whys() map[string]string {
	all := map[string]string{
		notSpoken: "NetFlow v1 and v7; goflow2 makes no record.",
		notWaited: "The reference keeps all data that comes before its template, ours as much as its limits allow.",
		biflow:    "A record that counts both directions is two of ours, one a direction (RFC 5103); goflow2 makes one.",
	}
	for _, r := range adjustments {
		all[r.name] = r.why
	}
	for _, r := range tolerances {
		all[r.name] = r.why
	}
	for _, r := range absences {
		all[r.name] = r.why
	}
	for _, r := range beyonds {
		all[r.name] = r.why
	}
	return all
}

// adjustment is something that our decoder does on purpose to what the elements say:
// it is done to the reference's record before the comparison.
type adjustment struct {
	name, why string
	apply     func(*goflowref.Record) (changed bool)
}

var adjustments = []adjustment{
	{
		"sampled header", "Columns that no field says come from the sampled header of the record; it is one packet, of the size that its IP header says.",
		func(r *goflowref.Record) bool {
			return r.Fields != nil && r.FromHeader()
		},
	},
	{
		"nearest element", "Where a record lacks an element, the nearest to it stands in: totals for deltas, the outgoing side (23, 24) for the incoming.",
		(*goflowref.Record).Nearly,
	},
	{
		"size of the sampled packet", "A sampled header with nothing counted is one packet, of its IP header's length.",
		func(r *goflowref.Record) (changed bool) {
			if r.Shown == nil || r.Has(goflowref.Reverse) {
				return false
			}
			if r.Values[goflowref.Packets] == (goflowref.Value{}) {
				r.Values[goflowref.Packets], changed = goflowref.Number(1), true
			}
			if r.Values[goflowref.Bytes] == (goflowref.Value{}) {
				r.Values[goflowref.Bytes], changed = goflowref.Number(uint64(r.Shown.Length)), true
			}
			return changed
		},
	},
	{
		"announced sampling", "A record that does not say its sampling interval has the one that options data told.",
		func(r *goflowref.Record) bool {
			if r.Announced == 0 || r.Values[goflowref.Sampling] != (goflowref.Value{}) {
				return false
			}
			r.Values[goflowref.Sampling] = goflowref.Number(uint64(r.Announced))
			return true
		},
	},
	{
		"ICMP out of the port", "NetFlow has ICMP's type and code in the destination port; ours have columns, and the ports are 0.",
		icmpFromPort,
	},
	{
		"VLAN priority", "VLAN ids have 12 bits; some exporters leave priority and drop bits in.",
		func(r *goflowref.Record) (changed bool) {
			for _, c := range []goflowref.Column{goflowref.SrcVLAN, goflowref.DstVLAN} {
				if n := r.Values[c][1]; n > 0xfff && r.Fields != nil {
					r.Values[c], changed = goflowref.Number(n&0xfff), true
				}
			}
			return changed
		},
	},
}

func icmpFromPort(r *goflowref.Record) bool {
	v := &r.Values
	if n := v[goflowref.Protocol][1]; n != 1 && n != 58 || v[goflowref.Export][1] == 105 {
		return false
	}
	port := v[goflowref.DstPort][1]
	changed := v[goflowref.SrcPort] != goflowref.Value{} || port != 0
	said := r.Is(goflowref.ICMPType) || r.Is(goflowref.ICMPCode) || r.Shown != nil && r.Shown.Length > 0
	if !said && !r.Has(goflowref.Reverse) {
		v[goflowref.ICMPType], v[goflowref.ICMPCode] = goflowref.Number(port>>8), goflowref.Number(port&0xff)
	}
	v[goflowref.SrcPort], v[goflowref.DstPort] = goflowref.Value{}, goflowref.Value{}
	return changed
}

// settle adjusts a record, and gives it and, of a biflow, the way back (RFC 5103).
func settle(r *goflowref.Record, n *scores) []*goflowref.Record {
	adjust := func(r *goflowref.Record) {
		for _, a := range adjustments {
			if a.apply(r) {
				n.reasons[a.name]++
			}
		}
	}
	adjust(r)
	for _, b := range beyonds {
		if r.Has(b.flag) {
			n.reasons[b.name]++
		}
	}
	all := []*goflowref.Record{r}
	if back, ok := r.Back(adjust); ok {
		n.reasons[biflow]++
		all = append(all, &back)
	}
	return all
}

// absence is why we do not have a record that goflow2 has. There is none for the other
// way round: what goflow2 gives up, the reference reads all the same.
type absence struct {
	name, why string
	holds     func(r *goflowref.Record, all int) bool
}

var absences = []absence{
	{
		"record limit", "No genuine datagram holds more than collector.MaxRecords.",
		func(_ *goflowref.Record, all int) bool { return all >= collector.MaxRecords },
	},
	{
		"NetFlow v5 of more than 30 records", "Cisco's format has no more; a datagram that counts more, and has bytes behind its last, is noise.",
		func(r *goflowref.Record, _ int) bool {
			return r.Values[goflowref.Export] == goflowref.Number(5) && r.Has(goflowref.PastCount)
		},
	},
}

// beyond is a reason why goflow2, left to itself, would not have come to a record that
// the reference has, and we must have.
type beyond struct {
	name, why string
	flag      goflowref.Flags
}

var beyonds = []beyond{
	{"goflow2 stops at the first error", "One bad set or record is no reason to lose the others.", goflowref.PastError},
	{"header counts less", "softflowd and others get the counts of their headers wrong; the end of the datagram is right.", goflowref.PastCount},
	{"IPFIX header is shorter", "As with counts: sets behind the length in the header are read.", goflowref.PastLength},
	{"cut set", "Of a set that is longer than its datagram the whole records are good.", goflowref.Cut},
	{"waited for its template", "Data that comes before its template is decoded when that comes.", goflowref.Late},
	{"sFlow extended switch of 6 bytes", "Agents give its length as 6 and send all four words.", goflowref.ShortSwitch},
	{"sFlow padded MAC address", "XDR pads the addresses of a sampled Ethernet record (RFC 4506 §4.9); goflow2 does not know.", goflowref.PaddedMAC},
}

// absenceReason gives the reason why we may lack the record; empty if there is none.
func absenceReason(r *goflowref.Record, all int) string {
	for _, a := range absences {
		if a.holds(r, all) {
			return a.name
		}
	}
	return ""
}
