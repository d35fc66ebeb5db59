package telemetry

import (
	"context"
	_ "embed"
	"net/netip"
	"time"
)

//go:embed health.sql
var healthSQL string

// health is what the collectors counted of an exporter in a minute or in an hour.
type health struct {
	Datagrams, Records, LostDatagrams, LostRecords uint64
	Restarts                                       uint64
	// Dropped is what reached the collector's host and was dropped there.
	Dropped uint64
}

func (h health) and(x health) health {
	return health{
		h.Datagrams + x.Datagrams, h.Records + x.Records, h.LostDatagrams + x.LostDatagrams, h.LostRecords + x.LostRecords,
		h.Restarts + x.Restarts, h.Dropped + x.Dropped,
	}
}

// sent gives what the exporter sent and how much of it was lost: records where it
// numbers records (NetFlow v5, v7, IPFIX), else datagrams. One that lost nothing has
// the same share by either.
func (h health) sent() (sent, lost uint64, what string) {
	if h.LostRecords > 0 {
		return h.Records + h.LostRecords, h.LostRecords, "flow record"
	}
	return h.Datagrams + h.LostDatagrams, h.LostDatagrams, "datagram"
}

// share is which share of what was sent was lost.
func (h health) share() float64 {
	sent, lost, _ := h.sent()
	return float64(lost) / float64(max(1, sent))
}

type healthRow struct {
	Exporter      netip.Addr `ch:"exporter"`
	Start         time.Time  `ch:"start"`
	Minutes       uint64     `ch:"minutes"`
	Datagrams     uint64     `ch:"datagrams"`
	Records       uint64     `ch:"records"`
	LostDatagrams uint64     `ch:"lost_datagrams"`
	LostRecords   uint64     `ch:"lost_records"`
	Restarts      uint64     `ch:"restarts"`
	Dropped       uint64     `ch:"dropped"`
}

func (r *healthRow) health() health {
	return health{r.Datagrams, r.Records, r.LostDatagrams, r.LostRecords, r.Restarts, r.Dropped}
}

func (p *past) readHealth(ctx context.Context, now, complete time.Time, back time.Duration) error {
	add := func(r *healthRow, fine time.Time) {
		addr, h, hour := r.Exporter.Unmap(), r.health(), hourOf(r.Start)
		p.wrote[hour] |= r.Minutes
		p.healthHours.set(hour, addr, p.healthHours[hour][addr].and(h))
		if !r.Start.Before(fine) {
			m := minuteOf(r.Start)
			p.healthMinutes.set(m, addr, p.healthMinutes[m][addr].and(h))
		}
	}
	clear := func() {
		p.wrote, p.healthHours, p.healthMinutes = map[int64]uint64{}, grid[netip.Addr, health]{}, grid[netip.Addr, health]{}
	}
	trim := func(whole, fine time.Time) {
		p.healthHours.trim(hourOf(whole))
		p.healthMinutes.trim(minuteOf(fine))
		for h := range p.wrote {
			if h < hourOf(whole) {
				delete(p.wrote, h)
			}
		}
	}
	// What the collectors counted is stored a little later than the flows are.
	return read(ctx, p, &p.healthTo, now.Add(-settle), complete.Add(-settle), back, "what the collectors counted", healthSQL, clear, add, trim)
}
