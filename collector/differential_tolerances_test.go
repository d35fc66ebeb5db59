package collector_test

import (
	"slices"

	"tapwatch/internal/goflowref"
)

// tolerance is a difference of one column that may be.
type tolerance struct {
	name, why string
	holds     func(c goflowref.Column, r *goflowref.Record, got goflowref.Value) bool
}

var tolerances = []tolerance{
	{
		"length the registry does not allow", "Of a field that is longer than its type, or an address of another length, nobody can say what it means.",
		func(c goflowref.Column, r *goflowref.Record, _ goflowref.Value) bool { return r.Odd&(1<<c) != 0 },
	},
	{
		"said twice", "Two fields of one record say it differently: both families, several formats of time, header and fields.",
		func(c goflowref.Column, r *goflowref.Record, got goflowref.Value) bool {
			families := c == goflowref.IPVersion && (r.Other[goflowref.SrcAddr] != nil || r.Other[goflowref.DstAddr] != nil)
			return families || slices.Contains(r.Other[c], got)
		},
	},
	{
		"time of no epoch", "Times after the year 2200 come from broken clocks; ours are then unknown.",
		func(c goflowref.Column, r *goflowref.Record, _ goflowref.Value) bool {
			return (c == goflowref.Start || c == goflowref.End) && (r.Values[c][1] >= goflowref.Year2200 ||
				slices.ContainsFunc(r.Other[c], func(v goflowref.Value) bool { return v[1] >= goflowref.Year2200 }))
		},
	},
	{
		"uptime wraps", "The router's clock starts anew every 2^32 ms; ours takes the start that brings the time nearest to the export.",
		func(c goflowref.Column, r *goflowref.Record, got goflowref.Value) bool {
			return (c == goflowref.Start || c == goflowref.End) && uint32(got[1]) == uint32(r.Values[c][1])
		},
	},
	{
		"sFlow output port", "The output port of a sample says what became of the packet: discarded, or for the device itself.",
		func(c goflowref.Column, r *goflowref.Record, got goflowref.Value) bool {
			const itself, consumed = 0x3fffffff, 195
			discarded := r.OutFormat == 1 && got[1] >= 128 && got[1] < 192
			return c == goflowref.Forwarding && (discarded || r.OutFormat == 0 && r.OutPort == itself && got[1] == consumed)
		},
	},
	{
		"sFlow record that goflow2 does not read", "goflow2 knows no addresses of unknown type, one segment of an AS path, and no MPLS, NAT and VLAN tunnel records.",
		func(c goflowref.Column, r *goflowref.Record, _ goflowref.Value) bool { return r.Refused&(1<<c) != 0 },
	},
	{
		"empty field of variable length", "Which of several elements fills a column is decided once a template; where that one is empty in a record, the column is.",
		func(_ goflowref.Column, r *goflowref.Record, got goflowref.Value) bool {
			return r.Has(goflowref.Empty) && got == goflowref.Value{}
		},
	},
	{
		"odd sampled header", "A sampled header that contradicts itself, or ends within a layer, shows as much as each decoder dares to read.",
		func(c goflowref.Column, r *goflowref.Record, _ goflowref.Value) bool {
			return r.Has(goflowref.OddHeader) && !slices.Contains(notInHeaders, c)
		},
	},
}

// explain counts the reasons of the differences of a pair. It gives the columns for
// which there is none.
func explain(r *goflowref.Record, got *goflowref.Values, n *scores) (columns []goflowref.Column, ok bool) {
	for c := range goflowref.Columns {
		if r.Values[c] == got[c] {
			continue
		}
		i := slices.IndexFunc(tolerances, func(t tolerance) bool { return t.holds(c, r, got[c]) })
		if i < 0 {
			columns = append(columns, c)
			continue
		}
		n.reasons[tolerances[i].name]++
	}
	return columns, len(columns) == 0
}

// notInHeaders are columns that no sampled header shows.
var notInHeaders = []goflowref.Column{
	goflowref.Export, goflowref.Domain, goflowref.Start, goflowref.End, goflowref.Sampling, goflowref.Packets, goflowref.InIf,
	goflowref.OutIf, goflowref.NextHop, goflowref.SrcAS, goflowref.DstAS, goflowref.SrcMask, goflowref.DstMask, goflowref.DstVLAN,
}
