package scan

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

//go:embed known.sql
var knownSQL string

// oldAttempt is how long ago a first attempt was that is no news any more, though it
// never succeeded: a client that still asks for a system that is gone.
const oldAttempt = 24 * time.Hour

// fast finds sources that tried many new systems, or many ports of one, within
// Config.Fast, and something new of it in the window.
func (s *scene) fast(ctx context.Context) ([]alert.Finding, error) {
	recent, err := s.before(ctx, s.cfg.Fast)
	if err != nil {
		return nil, err
	}
	j := &judge{oneWay: s.cfg.OneWay, inv: s.inv, sessions: recent}
	active := s.active(j)
	if len(active) == 0 {
		return nil, nil
	}
	all := tally(recent, j, func(c *contact) bool { return active[c.source] && counts(c) && !s.allowed(c) })
	var wide, deep []*suspect
	for _, x := range all {
		if w := x.walk(s.cfg); w.scans() && x.failsSince(s.w.Start) {
			wide = append(wide, x)
		}
		if t := s.ports(x); t != nil {
			one := *x
			one.targets = []*target{t}
			deep = append(deep, &one)
		}
	}
	if wide, err = s.firstContacts(ctx, wide); err != nil {
		return nil, err
	}
	findings := s.fold(wide, func(x *suspect) alert.Finding { return s.networkScan(x) })
	return append(findings, s.fold(deep, func(x *suspect) alert.Finding { return s.portScan(x) })...), nil
}

// active are the sources of which a contact failed in the window.
func (s *scene) active(j *judge) map[netip.Addr]bool {
	active := map[netip.Addr]bool{}
	for i := range s.sessions {
		if c, ok := contactOf(&s.sessions[i]); ok && counts(&c) && j.outcome(&c) == failure {
			active[c.source] = true
		}
	}
	return active
}

// allowed tells whether a rule allows the contact and names one of its ends: a rule that
// lets a whole zone into another is no licence to try everything there.
func (s *scene) allowed(c *contact) bool {
	client, server := s.inv.AllowsByName(c.asked())
	return client || server
}

// ports gives the target of which so many ports were tried that it is a port scan, and
// a new one in the window; nil where there is none. Of several it is the first.
func (s *scene) ports(x *suspect) *target {
	for _, t := range x.targets {
		if len(t.ports) < s.cfg.Ports {
			continue
		}
		for _, first := range t.ports {
			if !first.Before(s.w.Start) {
				return t
			}
		}
	}
	return nil
}

// firstContacts leaves those suspects that still scan when only first contacts count:
// not systems with which they talked within Config.History, and not those that they
// have tried in vain for more than a day.
func (s *scene) firstContacts(ctx context.Context, all []*suspect) ([]*suspect, error) {
	if len(all) == 0 {
		return nil, nil
	}
	known, err := s.known(ctx, all)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(x *suspect) bool {
		x.drop(func(t *target) bool { return known[pair{x.addr, t.addr}] })
		w := x.walk(s.cfg)
		return !w.scans() || !x.failsSince(s.w.Start)
	}), nil
}

type pair struct{ source, target netip.Addr }

// known are the pairs of the suspects that are old acquaintances.
func (s *scene) known(ctx context.Context, all []*suspect) (map[pair]bool, error) {
	sources := make([]string, len(all))
	for i, x := range all {
		sources[i] = netip.AddrFrom16(x.addr.As16()).String()
	}
	var rows []struct {
		Source netip.Addr `ch:"source"`
		Target netip.Addr `ch:"target"`
	}
	hour := s.w.Start.Truncate(time.Hour)
	err := s.h.Select(ctx, &rows, knownSQL, detect.Param("sources", sources), detect.Param("since", hour.Add(-s.cfg.History)),
		detect.Param("end", hour), detect.Param("old", s.w.Start.Add(-oldAttempt)))
	if err != nil {
		return nil, fmt.Errorf("read whom %d sources knew: %w", len(all), err)
	}
	known := make(map[pair]bool, len(rows))
	for _, r := range rows {
		known[pair{r.Source.Unmap(), r.Target.Unmap()}] = true
	}
	return known, nil
}
