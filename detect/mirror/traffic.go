package mirror

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed own.sql
var ownSQL string

//go:embed interfaces.sql
var interfacesSQL string

// channel is where a system sends to, by what protocol.
type channel struct {
	to       netip.Addr
	protocol uint8
}

// original is traffic that may be copied.
type original struct {
	series
	what string
}

// ownRow is a minute of what a system sent.
type ownRow struct {
	Dst      netip.Addr `ch:"dst"`
	Protocol uint8      `ch:"protocol"`
	Exporter netip.Addr `ch:"exporter"`
	InIf     uint32     `ch:"in_if"`
	OutIf    uint32     `ch:"out_if"`
	Side     string     `ch:"side"`
	Minute   uint32     `ch:"minute"`
	Bytes    uint64     `ch:"bytes"`
	Sampling uint32     `ch:"sampling"`
}

// sent is what a system sent in a span.
type sent struct {
	minutes int
	rows    []ownRow
}

func readOwn(ctx context.Context, h detect.History, w detect.Window, sender netip.Addr) (*sent, error) {
	s := sent{minutes: int(w.End.Sub(w.Start).Minutes())}
	err := h.Select(ctx, &s.rows, ownSQL, detect.Param("start", w.Start), detect.Param("end", w.End), detect.Param("sender", sender.String()))
	if err != nil {
		return nil, fmt.Errorf("read what %s sent: %w", sender, err)
	}
	for i := range s.rows {
		r := &s.rows[i]
		r.Dst, r.Exporter = r.Dst.Unmap(), r.Exporter.Unmap()
	}
	return &s, nil
}

// view is how one router saw a channel at one of its sides.
type view struct {
	exporter netip.Addr
	side     string
}

// views are the series of the channel, by who saw it, with the sampling interval.
func (s *sent) views(c channel) (map[view]series, map[view]uint32) {
	all, sampling := map[view]series{}, map[view]uint32{}
	for i := range s.rows {
		r := &s.rows[i]
		if r.Dst != c.to || r.Protocol != c.protocol {
			continue
		}
		v := view{r.Exporter, r.Side}
		if _, ok := all[v]; !ok {
			all[v] = newSeries(s.minutes)
		}
		x := all[v]
		x.add(int(r.Minute), float64(r.Bytes), r.Sampling)
		sampling[v] = max(sampling[v], r.Sampling)
	}
	return all, sampling
}

// best is the series of the channel as the router saw it that tells best: of those that
// saw it in half of the last hour's minutes, the one that samples least, then the one
// that counted most.
func (s *sent) best(c channel) (series, netip.Addr, bool) {
	all, sampling := s.views(c)
	var order []view
	for v, x := range all {
		if n := len(x.bytes); x.part(n/2, n).busy() >= n/4 {
			order = append(order, v)
		}
	}
	if len(order) == 0 {
		return series{}, netip.Addr{}, false
	}
	top := slices.MinFunc(order, func(a, b view) int {
		return cmp.Or(cmp.Compare(max(1, sampling[a]), max(1, sampling[b])), cmp.Compare(all[b].total(), all[a].total()),
			a.exporter.Compare(b.exporter), cmp.Compare(a.side, b.side))
	})
	return all[top], top.exporter, true
}

// others are what the system sent elsewhere, as that router saw it.
func (s *sent) others(c channel, by netip.Addr) []original {
	seen := map[channel]bool{c: true}
	var all []original
	for i := range s.rows {
		o := channel{s.rows[i].Dst, s.rows[i].Protocol}
		if seen[o] {
			continue
		}
		seen[o] = true
		views, _ := s.views(o)
		var best series
		for _, side := range []string{"ingress", "egress", "unknown"} {
			if x, ok := views[view{by, side}]; ok && (best.bytes == nil || x.total() > best.total()) {
				best = x
			}
		}
		if best.bytes != nil {
			all = append(all, original{best, "what it sends to " + o.to.String() + " by " + flow.ProtocolName(o.protocol)})
		}
	}
	return all
}

// port is one way through an interface of a router, metered at one of its sides.
type port struct {
	exporter netip.Addr
	index    uint32
	out      bool
	side     string
}

// readInterfaces are the interfaces of the router that sends, or where it exports
// nothing, of those that saw the copy, each way and both together, without the copy.
func readInterfaces(ctx context.Context, h detect.History, w detect.Window, inv *inventory.Inventory, from alert.Party, own *sent, c channel) ([]original, error) {
	exporters := own.exporters(inv, from, c)
	texts := make([]string, len(exporters))
	for i, e := range exporters {
		texts[i] = e.String()
	}
	var rows []struct {
		Exporter netip.Addr `ch:"exporter"`
		InIf     uint32     `ch:"in_if"`
		OutIf    uint32     `ch:"out_if"`
		Side     string     `ch:"side"`
		Minute   uint32     `ch:"minute"`
		Bytes    uint64     `ch:"bytes"`
		Sampling uint32     `ch:"sampling"`
	}
	err := h.Select(ctx, &rows, interfacesSQL, detect.Param("start", w.Start), detect.Param("end", w.End), detect.Param("exporters", texts))
	if err != nil {
		return nil, fmt.Errorf("read the traffic of interfaces: %w", err)
	}
	all, copies := map[port]series{}, map[port]series{}
	for _, r := range rows {
		gather(all, own.minutes, r.Exporter.Unmap(), r.InIf, r.OutIf, r.Side, int(r.Minute), r.Bytes, r.Sampling)
	}
	for i := range own.rows {
		if r := &own.rows[i]; r.Dst == c.to && r.Protocol == c.protocol {
			gather(copies, own.minutes, r.Exporter, r.InIf, r.OutIf, r.Side, int(r.Minute), r.Bytes, r.Sampling)
		}
	}
	return originals(all, copies, inv), nil
}

func gather(into map[port]series, minutes int, exporter netip.Addr, in, out uint32, side string, minute int, bytes uint64, sampling uint32) {
	for _, p := range []port{{exporter, in, false, side}, {exporter, out, true, side}} {
		if p.index == 0 || minute >= minutes {
			continue
		}
		if _, ok := into[p]; !ok {
			into[p] = newSeries(minutes)
		}
		s := into[p]
		s.add(minute, float64(bytes), sampling)
	}
}

// originals makes one series of each way of an interface, metered at the side that
// counted more, without the copies, and one of both ways together.
func originals(all, copies map[port]series, inv *inventory.Inventory) []original {
	most := map[port]port{} // by the port without its side
	for p, s := range all {
		k := p
		k.side = ""
		if m, ok := most[k]; !ok || s.total() > all[m].total() || s.total() == all[m].total() && p.side < m.side {
			most[k] = p
		}
	}
	series := func(k port) (series, bool) {
		p, ok := most[k]
		s := all[p]
		if copied, has := copies[p]; ok && has {
			s = s.minus(copied)
		}
		return s, ok
	}
	var found []original
	for k := range most {
		name := fmt.Sprintf("interface %d of %s", k.index, detect.ExporterText(k.exporter, inv.ExporterName))
		one, _ := series(k)
		back, both := series(port{k.exporter, k.index, !k.out, ""})
		if k.out {
			found = append(found, original{one, "what leaves by " + name})
			if both {
				found = append(found, original{one.plus(back), "what passes " + name + " both ways"})
			}
		} else {
			found = append(found, original{one, "what enters by " + name})
		}
	}
	slices.SortFunc(found, func(a, b original) int { return cmp.Compare(a.what, b.what) })
	return found
}

// exporters are those of the router, or else those that saw the channel.
func (s *sent) exporters(inv *inventory.Inventory, from alert.Party, c channel) []netip.Addr {
	var its, saw []netip.Addr
	for _, e := range inv.Exporters {
		if e.Address.Unmap() == from.Addr || from.Asset != "" && inv.Lookup(e.Address).Asset == from.Asset {
			its = append(its, e.Address.Unmap())
		}
	}
	for i := range s.rows {
		r := &s.rows[i]
		if r.Exporter == from.Addr {
			its = append(its, r.Exporter)
		}
		if r.Dst == c.to && r.Protocol == c.protocol {
			saw = append(saw, r.Exporter)
		}
	}
	if len(its) == 0 {
		its = saw
	}
	slices.SortFunc(its, netip.Addr.Compare)
	return slices.Compact(its)
}
