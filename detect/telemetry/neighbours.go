package telemetry

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
)

//go:embed neighbours.sql
var neighboursSQL string

//go:embed watched.sql
var watchedSQL string

const (
	// beforehand is how long before its silence is looked at what others saw of it.
	beforehand = time.Hour
	// lag is how much later than its last flow a record of another router must come to
	// tell of the time after it: routers export a flow some time after its last packet.
	lag = 2 * time.Minute
)

// sighted is what other routers saw of a router before and after it was last heard.
type sighted struct {
	Router netip.Addr `ch:"router"`
	// SentBefore and SentAfter are flows from its own addresses, GotAfter flows to them.
	SentBefore uint64 `ch:"sent_before"`
	SentAfter  uint64 `ch:"sent_after"`
	GotAfter   uint64 `ch:"got_after"`
	// PassedBefore and PassedAfter are flows between ends between which it had reported
	// some itself.
	PassedBefore uint64   `ch:"passed_before"`
	PassedAfter  uint64   `ch:"passed_after"`
	SeenBy       []string `ch:"seen_by"`

	// after is how long the time after is.
	after time.Duration
}

// expected is how many flows there would be after, going by those before.
func (n *sighted) expected(before uint64) float64 {
	return float64(before) * float64(n.after) / float64(beforehand)
}

// passes tells whether what used to pass it goes on elsewhere in the network.
func (n *sighted) passes() bool {
	return n.PassedAfter >= 3 && float64(n.PassedAfter) >= 0.3*n.expected(n.PassedBefore)
}

// neighbours is what the other routers saw of each of the exporters. An exporter of
// which they see nothing has a zero value.
func (d *Detector) neighbours(ctx context.Context, s *scene, all []exporter, interfaces ...uint32) (map[netip.Addr]*sighted, error) {
	routers, lasts := make([]string, len(all)), make([]int64, len(all))
	var owners, addresses []string
	var ownerLasts []int64
	seen := make(map[netip.Addr]*sighted, len(all))
	since := s.now
	for i, x := range all {
		routers[i], lasts[i] = x.Addr.String(), x.Last.UnixMilli()
		for _, addr := range s.addresses(x.Addr) {
			owners, addresses, ownerLasts = append(owners, routers[i]), append(addresses, addr.String()), append(ownerLasts, lasts[i])
		}
		if from := x.Last.Add(-beforehand); from.Before(since) {
			since = from
		}
		seen[x.Addr] = &sighted{Router: x.Addr, after: max(0, s.now.Sub(x.Last)-lag)}
	}
	if interfaces == nil {
		interfaces = []uint32{}
	}
	var rows []sighted
	err := s.h.Select(ctx, &rows, neighboursSQL,
		detect.Param("routers", routers), detect.Param("lasts", lasts),
		detect.Param("owners", owners), detect.Param("addresses", addresses), detect.Param("owner_lasts", ownerLasts),
		detect.Param("interfaces", interfaces),
		detect.Param("hour", beforehand.Milliseconds()), detect.Param("lag", lag.Milliseconds()),
		detect.Param("since", since), detect.Param("until", s.now))
	if err != nil {
		return nil, fmt.Errorf("read what others saw of %d exporters: %w", len(all), err)
	}
	for i := range rows {
		r := &rows[i]
		if n := seen[r.Router.Unmap()]; n != nil {
			r.Router, r.after = r.Router.Unmap(), n.after
			*n = *r
		}
	}
	return seen, nil
}

// addresses are those of a router by the inventory, its exporter's among them.
func (s *scene) addresses(router netip.Addr) []netip.Addr {
	all := []netip.Addr{router}
	name := s.inv.Lookup(router).Asset
	for _, z := range s.inv.Zones {
		for _, a := range z.Assets {
			if name == "" || a.Name != name {
				continue
			}
			for _, addr := range a.Addresses {
				if addr.Unmap() != router {
					all = append(all, addr.Unmap())
				}
			}
		}
	}
	return all
}

// watched is how many flows of protected systems each of the exporters reported in the
// history before it fell silent.
func (d *Detector) watched(ctx context.Context, s *scene, all []exporter) (map[netip.Addr]uint64, error) {
	routers, lasts := make([]string, len(all)), make([]int64, len(all))
	since, until := all[0].Last, all[0].Last
	for i, x := range all {
		routers[i], lasts[i] = x.Addr.String(), x.Last.UnixMilli()
		if x.Last.Before(since) {
			since = x.Last
		}
		if x.Last.After(until) {
			until = x.Last
		}
	}
	var rows []struct {
		Router netip.Addr `ch:"router"`
		Flows  uint64     `ch:"flows"`
	}
	err := s.h.Select(ctx, &rows, watchedSQL, detect.Param("routers", routers), detect.Param("lasts", lasts),
		detect.Param("hour", d.cfg.History.Milliseconds()), detect.Param("since", since.Add(-d.cfg.History)), detect.Param("until", until))
	if err != nil {
		return nil, fmt.Errorf("count the protected flows of %d exporters: %w", len(all), err)
	}
	counts := make(map[netip.Addr]uint64, len(rows))
	for _, r := range rows {
		counts[r.Router.Unmap()] = r.Flows
	}
	return counts, nil
}
