package scan

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"net/netip"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/baseline"
	"tapwatch/inventory"
)

//go:embed failing.sql
var failingSQL string

//go:embed slow.sql
var slowSQL string

// slowRow is a source's first contact with a target.
type slowRow struct {
	Source   netip.Addr `ch:"source"`
	Target   netip.Addr `ch:"target"`
	First    time.Time  `ch:"first"`
	Success  bool       `ch:"success"`
	Protocol uint8      `ch:"service_protocol"`
	Port     uint16     `ch:"service_port"`
	FromZone string     `ch:"from_zone"`
	FromKind string     `ch:"from_kind"`
	FromName string     `ch:"from_name"`
	FromRole string     `ch:"from_role"`
	ToZone   string     `ch:"to_zone"`
	ToKind   string     `ch:"to_kind"`
	ToName   string     `ch:"to_name"`
	ToRole   string     `ch:"to_role"`
	Dark     bool       `ch:"dark"`
}

// slow finds, once an hour, sources inside of whose new contacts within Config.Slow
// so many failed that no client with its wits does: at least SlowTargets of them, at
// least the share SlowFailed, and more than FalsePositive allows by the binomial test
// of the same hypothesis that the sequential one has. In the last hour one must have
// failed.
func (s *scene) slow(ctx context.Context) ([]alert.Finding, error) {
	end := s.w.Start
	sources, err := s.failing(ctx, end)
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	var rows []slowRow
	err = s.h.Select(ctx, &rows, query(slowSQL), detect.Param("since", end.Add(-s.cfg.History)),
		detect.Param("fresh", end.Add(-s.cfg.Slow)), detect.Param("end", end), detect.Param("sources", sources))
	if err != nil {
		return nil, fmt.Errorf("read whom sources met first: %w", err)
	}
	var slow []*suspect
	for _, x := range s.gather(rows) {
		failed := x.failed()
		n, f := len(x.targets), len(failed)
		if n < s.cfg.SlowTargets || float64(f) < s.cfg.SlowFailed*float64(n) || s.chance(f, n) > s.cfg.FalsePositive {
			continue
		}
		if x.failsSince(end.Add(-time.Hour)) && !s.toldFast(failed) {
			slow = append(slow, x)
		}
	}
	if len(slow) == 0 {
		return nil, nil
	}
	amounts, err := s.amounts(ctx, slow)
	if err != nil {
		return nil, err
	}
	return s.fold(slow, func(x *suspect) alert.Finding { return s.slowScan(x, amounts[x.addr]) }), nil
}

// failing are the sources of which a contact failed in the last hour.
func (s *scene) failing(ctx context.Context, end time.Time) ([]string, error) {
	var rows []struct {
		Source netip.Addr `ch:"source"`
	}
	err := s.h.Select(ctx, &rows, query(failingSQL), detect.Param("last", end.Add(-time.Hour)), detect.Param("end", end))
	if err != nil {
		return nil, fmt.Errorf("read whose contacts failed: %w", err)
	}
	var all []string
	for _, r := range rows {
		all = append(all, r.Source.String())
	}
	return all, nil
}

// gather makes suspects of the rows, which come by source, in the order of time.
func (s *scene) gather(rows []slowRow) []*suspect {
	var all []*suspect
	for i := range rows {
		r := &rows[i]
		source, addr := r.Source.Unmap(), r.Target.Unmap()
		asked := inventory.Conversation{Client: source, Server: addr, Protocol: r.Protocol, Port: r.Port, At: r.First, InitiatorKnown: true}
		dark := r.Dark && s.inv.Lookup(addr).Asset == "" && standsAlone(s.inv, r.ToZone, addr)
		client, server := s.inv.AllowsByName(asked)
		if client || server || !standsSomewhere(addr) || r.Dark && !dark {
			continue
		}
		if len(all) == 0 || all[len(all)-1].addr != source {
			all = append(all, &suspect{addr: source, end: detect.End{Zone: r.FromZone, Kind: r.FromKind, Name: r.FromName, Role: r.FromRole}})
		}
		t := &target{addr: addr, protected: true, first: r.First.UTC(), outcome: failure, dark: dark, protocol: r.Protocol, port: r.Port,
			end: detect.End{Zone: r.ToZone, Kind: r.ToKind, Name: r.ToName, Role: r.ToRole}}
		if r.Success {
			t.outcome = success
		}
		x := all[len(all)-1]
		x.targets = append(x.targets, t)
	}
	return all
}

// chance is how probable it is that of n first contacts at least f fail, if the source
// means well.
func (s *scene) chance(f, n int) float64 {
	return math.Exp(baseline.LogBinomialTail(f, n, 1-s.cfg.SuccessBenign))
}

// toldFast tells whether what failed in the last hour came so close together that the
// fast test has told it already.
func (s *scene) toldFast(failed []*target) bool {
	w := s.cfg.newWalk()
	n := 1
	for w.up*float64(n) < w.upper {
		n++
	}
	from := 0
	for i, t := range failed {
		for t.first.Sub(failed[from].first) > s.cfg.Fast-detect.Pane {
			from++
		}
		if i-from+1 >= n && !t.first.Before(s.w.Start.Add(-time.Hour)) {
			return true
		}
	}
	return false
}
