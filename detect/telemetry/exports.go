package telemetry

import (
	"context"
	_ "embed"
	"net/netip"
	"time"
)

//go:embed exports.sql
var exportsSQL string

// export is how much of one kind an exporter sent in a minute or in an hour.
type export struct {
	Protocol string
	Sampling uint32
	Flows    uint64
	// base and with are, for each of fields, the records that could carry it and those
	// that did.
	Base, With [fieldCount]uint64
}

// The fields whose absence blinds detectors.
const (
	fieldFlags = iota
	fieldPorts
	fieldTimes
	fieldInIf
	fieldOutIf
	fieldDirection
	fieldNextHop
	fieldCount
)

type exportRow struct {
	Exporter  netip.Addr `ch:"exporter"`
	Start     time.Time  `ch:"start"`
	Protocol  string     `ch:"export_protocol"`
	Sampling  uint32     `ch:"sampling_interval"`
	Flows     uint64     `ch:"flows"`
	TCP       uint64     `ch:"tcp"`
	Ported    uint64     `ch:"ported"`
	Flags     uint64     `ch:"with_tcp_flags"`
	Ports     uint64     `ch:"with_ports"`
	Times     uint64     `ch:"with_times"`
	InIf      uint64     `ch:"with_in_if"`
	OutIf     uint64     `ch:"with_out_if"`
	Direction uint64     `ch:"with_direction"`
	NextHop   uint64     `ch:"with_next_hop"`
}

func (r *exportRow) export() export {
	return export{
		Protocol: r.Protocol, Sampling: r.Sampling, Flows: r.Flows,
		Base: [fieldCount]uint64{r.TCP, r.Ported, r.Flows, r.Flows, r.Flows, r.Flows, r.Flows},
		With: [fieldCount]uint64{r.Flags, r.Ports, r.Times, r.InIf, r.OutIf, r.Direction, r.NextHop},
	}
}

// join adds e to what is of its kind.
func join(all []export, e export) []export {
	for i := range all {
		if x := &all[i]; x.Protocol == e.Protocol && x.Sampling == e.Sampling {
			x.Flows += e.Flows
			for f := range x.Base {
				x.Base[f] += e.Base[f]
				x.With[f] += e.With[f]
			}
			return all
		}
	}
	return append(all, e)
}

func (p *past) readExports(ctx context.Context, now, complete time.Time, back time.Duration) error {
	add := func(r *exportRow, fine time.Time) {
		addr, e := r.Exporter.Unmap(), r.export()
		hour := hourOf(r.Start)
		p.exportHours.set(hour, addr, join(p.exportHours[hour][addr], e))
		if !r.Start.Before(fine) {
			m := minuteOf(r.Start)
			p.exportMinutes.set(m, addr, join(p.exportMinutes[m][addr], e))
		}
	}
	clear := func() {
		p.exportHours, p.exportMinutes = grid[netip.Addr, []export]{}, grid[netip.Addr, []export]{}
	}
	trim := func(whole, fine time.Time) {
		p.exportHours.trim(hourOf(whole))
		p.exportMinutes.trim(minuteOf(fine))
	}
	return read(ctx, p, &p.exportsTo, now, complete, back, "how exporters export", exportsSQL, clear, add, trim)
}

// exported gives what the exporter sent from minute a up to b, by kind, where a is at most
// an hour before the hour of b.
func (p *past) exported(addr netip.Addr, a, b int64) (all []export) {
	for m := a; m < b; m++ {
		for _, e := range p.exportMinutes[m][addr] {
			all = join(all, e)
		}
	}
	return all
}

// habit gives what the exporter sent in the history before the minute m, by kind:
// whole hours, and the minutes of the present one.
func (p *past) habit(addr netip.Addr, m int64, history time.Duration) (all []export) {
	hour := m / 60
	for h := hour - int64(history/time.Hour); h < hour; h++ {
		for _, e := range p.exportHours[h][addr] {
			all = join(all, e)
		}
	}
	for _, e := range p.exported(addr, hour*60, m) {
		all = join(all, e)
	}
	return all
}

// dominant is the sampling interval of most of the records; 0 where none says one.
func dominant(all []export) (sampling uint32) {
	flows := map[uint32]uint64{}
	for _, e := range all {
		if e.Sampling != 0 {
			flows[e.Sampling] += e.Flows
		}
	}
	for s, n := range flows {
		if most := flows[sampling]; n > most || n == most && s < sampling {
			sampling = s
		}
	}
	return sampling
}

func flowsOf(all []export) (n uint64) {
	for _, e := range all {
		n += e.Flows
	}
	return n
}
