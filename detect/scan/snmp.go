package scan

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed pollers.sql
var pollersSQL string

// The ports of SNMP: RFC 3417, and over DTLS RFC 6353.
const (
	portSNMP     = 161
	portSNMPDTLS = 10161
)

func isSNMP(c *contact) bool {
	return c.Protocol == flow.ProtocolUDP && (c.Port == portSNMP || c.Port == portSNMPDTLS)
}

// walker is a source of SNMP requests that is no manager.
type walker struct {
	suspect
	packets map[netip.Addr]uint64 // by target
	most    netip.Addr
}

// snmp finds who walks through devices by SNMP and is no manager: not by a rule of the
// inventory, not by its services, and not by old habit.
func (s *scene) snmp(ctx context.Context) ([]alert.Finding, error) {
	active := map[netip.Addr]bool{}
	for i := range s.sessions {
		if c, ok := contactOf(&s.sessions[i]); ok && s.walks(&c) {
			active[c.source] = true
		}
	}
	if len(active) == 0 {
		return nil, nil
	}
	recent, err := s.before(ctx, s.cfg.SNMPTime)
	if err != nil {
		return nil, err
	}
	all := s.walkers(recent, active)
	if all, err = s.strangers(ctx, all); err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for _, x := range all {
		findings = append(findings, s.snmpWalk(x))
	}
	return findings, nil
}

// walks tells whether the contact is a request of one who may not. From outside all
// zones only what was answered counts: the internet asks every address.
func (s *scene) walks(c *contact) bool {
	if !isSNMP(c) || !c.targetProtected || c.sent == 0 || !c.inside() && !c.Answered || s.allowed(c) {
		return false
	}
	return !slices.ContainsFunc(s.inv.Services, func(service inventory.Service) bool {
		return slices.Contains(s.cfg.SNMPManagers, service.Name) &&
			slices.ContainsFunc(service.Prefixes, func(p netip.Prefix) bool { return p.Contains(c.source) })
	})
}

// walkers are the active sources that asked enough of enough.
func (s *scene) walkers(recent []detect.Session, active map[netip.Addr]bool) []*walker {
	index := map[netip.Addr]*walker{}
	for i := range recent {
		c, ok := contactOf(&recent[i])
		if !ok || !active[c.source] || !s.walks(&c) {
			continue
		}
		x := index[c.source]
		if x == nil {
			x = &walker{suspect: suspect{addr: c.source, end: *c.sourceEnd, index: map[netip.Addr]*target{}}, packets: map[netip.Addr]uint64{}}
			index[c.source] = x
		}
		if x.index[c.target] == nil {
			t := &target{addr: c.target, end: *c.targetEnd, protected: true, first: c.FirstSeen, protocol: c.Protocol, port: c.Port}
			x.index[c.target], x.targets = t, append(x.targets, t)
		}
		if c.Answered {
			x.index[c.target].outcome = success
		}
		x.sampled = x.sampled || c.LeastSampling > 1
		x.packets[c.target] += c.sent
		if n := x.packets[c.target]; n > x.packets[x.most] || n == x.packets[x.most] && c.target.Less(x.most) {
			x.most = c.target
		}
	}
	var all []*walker
	for _, x := range index {
		if len(x.targets) >= s.cfg.SNMPDevices || x.packets[x.most] > s.cfg.SNMPPackets {
			x.order()
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b *walker) int { return a.addr.Compare(b.addr) })
	return all
}

// habit is how long and how widely a source must have polled to be a manager that
// nobody entered: on so many different days, at least half as many devices as now.
const habitDays = 7

// strangers leaves those that did not poll like that before.
func (s *scene) strangers(ctx context.Context, all []*walker) ([]*walker, error) {
	if len(all) == 0 {
		return nil, nil
	}
	sources := make([]string, len(all))
	for i, x := range all {
		sources[i] = x.addr.String()
	}
	var rows []struct {
		Source  netip.Addr `ch:"source"`
		Days    uint64     `ch:"days"`
		Devices uint64     `ch:"devices"`
		Packets uint64     `ch:"packets"`
	}
	hour := s.w.Start.Truncate(time.Hour)
	err := s.h.Select(ctx, &rows, pollersSQL, detect.Param("sources", sources),
		detect.Param("since", hour.Add(-s.cfg.History)), detect.Param("end", hour))
	if err != nil {
		return nil, fmt.Errorf("read whom %d sources polled: %w", len(all), err)
	}
	return slices.DeleteFunc(all, func(x *walker) bool {
		for _, r := range rows {
			if r.Source.Unmap() == x.addr && r.Days >= habitDays && 2*r.Devices >= uint64(len(x.targets)) &&
				(len(x.targets) >= s.cfg.SNMPDevices || 2*r.Packets >= x.packets[x.most]) {
				return true
			}
		}
		return false
	}), nil
}

// busiest are the walker's targets, those with the most packets first.
func (x *walker) busiest() []*target {
	all := slices.Clone(x.targets)
	slices.SortStableFunc(all, func(a, b *target) int { return cmp.Compare(x.packets[b.addr], x.packets[a.addr]) })
	return all
}
