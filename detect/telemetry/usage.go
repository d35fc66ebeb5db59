package telemetry

import (
	"cmp"
	"context"
	_ "embed"
	"net/netip"
	"slices"
	"time"
)

//go:embed devices.sql
var devicesSQL string

//go:embed interfaces.sql
var interfacesSQL string

// deviceLog is one kind of log of one system; of kind none all else that it sent.
type deviceLog struct {
	device netip.Addr
	log    string
}

// none is the kind of what is no log.
const none = "none"

// path is to whom it was sent and which router saw it.
type path struct{ server, exporter netip.Addr }

// paths are the flows of something by path.
type paths map[path]*series

// sorted are the paths in an order of their own: sums of floats depend on it.
func (p paths) sorted() []path {
	all := make([]path, 0, len(p))
	for way := range p {
		all = append(all, way)
	}
	slices.SortFunc(all, func(a, b path) int { return cmp.Or(a.server.Compare(b.server), a.exporter.Compare(b.exporter)) })
	return all
}

func (p *past) readDevices(ctx context.Context, now, complete time.Time, back time.Duration) error {
	type row struct {
		Device   netip.Addr `ch:"device"`
		Log      string     `ch:"log"`
		Server   netip.Addr `ch:"server"`
		Exporter netip.Addr `ch:"exporter"`
		Hour     time.Time  `ch:"hour"`
		Flows    uint64     `ch:"flows"`
		Minutes  uint64     `ch:"minutes"`
	}
	add := func(r *row, _ time.Time) {
		key := deviceLog{r.Device.Unmap(), r.Log}
		if p.devices[key] == nil {
			p.devices[key] = paths{}
		}
		way := path{r.Server.Unmap(), r.Exporter.Unmap()}
		if p.devices[key][way] == nil {
			p.devices[key][way] = &series{}
		}
		p.devices[key][way].add(hourOf(r.Hour), tally{r.Flows, r.Minutes})
	}
	clear := func() { p.devices = map[deviceLog]paths{} }
	trim := func(whole, _ time.Time) {
		for key, ways := range p.devices {
			for way, s := range ways {
				if s.trim(hourOf(whole)) {
					delete(ways, way)
				}
			}
			if len(ways) == 0 {
				delete(p.devices, key)
			}
		}
	}
	return read(ctx, p, &p.devicesTo, now, complete, back, "what devices sent", devicesSQL, clear, add, trim)
}

func (p *past) readInterfaces(ctx context.Context, now, complete time.Time, back time.Duration) error {
	type row struct {
		Exporter  netip.Addr `ch:"exporter"`
		Interface uint32     `ch:"interface"`
		Hour      time.Time  `ch:"hour"`
		Flows     uint64     `ch:"flows"`
		Minutes   uint64     `ch:"minutes"`
	}
	add := func(r *row, _ time.Time) {
		addr := r.Exporter.Unmap()
		if p.interfaces[addr] == nil {
			p.interfaces[addr] = map[uint32]*series{}
		}
		if p.interfaces[addr][r.Interface] == nil {
			p.interfaces[addr][r.Interface] = &series{}
		}
		p.interfaces[addr][r.Interface].add(hourOf(r.Hour), tally{r.Flows, r.Minutes})
	}
	clear := func() { p.interfaces = map[netip.Addr]map[uint32]*series{} }
	trim := func(whole, _ time.Time) {
		for addr, all := range p.interfaces {
			for index, s := range all {
				if s.trim(hourOf(whole)) {
					delete(all, index)
				}
			}
			if len(all) == 0 {
				delete(p.interfaces, addr)
			}
		}
	}
	return read(ctx, p, &p.interfacesTo, now, complete, back, "what went through interfaces", interfacesSQL, clear, add, trim)
}
