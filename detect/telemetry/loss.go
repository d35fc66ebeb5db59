package telemetry

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
)

//go:embed healthevidence.sql
var healthEvidenceSQL string

const (
	// lossSpan is the time over which loss is judged, lossyMinutes in how many of its
	// minutes something must be lost: one burst is none.
	lossSpan     = 10 * time.Minute
	lossyMinutes = 5
	// lossFactor is how many times its usual loss an exporter may lose.
	lossFactor = 4
)

// loser is an exporter of which much is lost.
type loser struct {
	addr  netip.Addr
	now   health
	lossy int
	// usual is the share that 9 of 10 hours of its history do not exceed, hours how many
	// there are.
	usual float64
	hours int
}

// limit is the share that the exporter may lose.
func (d *Detector) lossLimit(l *loser) float64 { return max(d.cfg.Loss, lossFactor*l.usual) }

// lossy judges every ten minutes which exporters lose much, persistently, as soon as
// the counts of the ten minutes are stored.
func (d *Detector) lossy(_ context.Context, s *scene) ([]alert.Finding, error) {
	until := s.now.Add(-settle)
	if !until.Truncate(lossSpan).Equal(until) {
		return nil, nil
	}
	losers, heard := d.losers(s, until)
	if len(losers) == 0 {
		return nil, nil
	}
	before, heardBefore := d.losers(s, until.Add(-lossSpan))
	if many(losers, heard) {
		if many(before, heardBefore) && !until.Truncate(d.cfg.Repeat).Equal(until) {
			return nil, nil
		}
		return []alert.Finding{d.lossEverywhere(s, losers, heard, until)}, nil
	}
	var findings []alert.Finding
	for i := range losers {
		l := &losers[i]
		lasts := slices.ContainsFunc(before, func(b loser) bool { return b.addr == l.addr })
		if s.held(l.addr, s.now) || lasts && !many(before, heardBefore) && !until.Truncate(d.cfg.Repeat).Equal(until) {
			continue
		}
		findings = append(findings, d.lossOf(s, l, until))
	}
	return findings, nil
}

// many tells whether so many of those heard lose that it is not up to one of them.
func many(losers []loser, heard int) bool { return len(losers) >= 3 && 2*len(losers) >= heard }

// losers are the exporters that lost too much in the time before until, ordered by
// address, and of how many that can be said.
func (d *Detector) losers(s *scene, until time.Time) (losers []loser, heard int) {
	all := map[netip.Addr]*loser{}
	for m := minuteOf(until.Add(-lossSpan)); m < minuteOf(until); m++ {
		for addr, h := range s.healthMinutes[m] {
			if addr.IsUnspecified() {
				continue
			}
			l := all[addr]
			if l == nil {
				l = &loser{addr: addr}
				all[addr] = l
			}
			l.now = l.now.and(h)
			if h.LostRecords+h.LostDatagrams > 0 {
				l.lossy++
			}
		}
	}
	for _, l := range all {
		if l.now.Datagrams > 0 {
			heard++
		}
		if l.lossy < lossyMinutes || l.now.share() < d.cfg.Loss {
			continue
		}
		var shares []float64
		hour := hourOf(until.Add(-lossSpan))
		for h := hour - int64(d.cfg.History/time.Hour); h < hour; h++ {
			if x, ok := s.healthHours[h][l.addr]; ok && x.Datagrams > 0 {
				shares = append(shares, x.share())
			}
		}
		if l.hours = len(shares); l.hours == 0 {
			continue // it has no history
		}
		slices.Sort(shares)
		l.usual = shares[(len(shares)*9-1)/10]
		if l.now.share() >= d.lossLimit(l) {
			losers = append(losers, *l)
		}
	}
	slices.SortFunc(losers, func(a, b loser) int { return cmp.Compare(a.addr.String(), b.addr.String()) })
	return losers, heard
}

func percent(share float64) string {
	if share > 0 && share < 0.1 {
		return fmt.Sprintf("%.2g %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// lossOf says that much of what one exporter sends is lost.
func (d *Detector) lossOf(s *scene, l *loser, until time.Time) alert.Finding {
	f := s.finding(ruleLoss, l.addr, until.Add(-lossSpan))
	router := f.Exporters[0]
	sent, lost, what := l.now.sent()
	share := l.now.share()
	f.ID, f.Confidence, f.Severity = alert.Identity(Name, ruleLoss, l.addr.String()), 0.8, alert.Medium
	where := "between the router and the collector, or in the router itself"
	if l.now.Dropped*2 >= lost {
		f.Severity, where = alert.Low, fmt.Sprintf("in good part on the collector's own host, which dropped %s", detect.Count(l.now.Dropped, "datagram"))
	} else if share >= 0.5 {
		f.Severity = alert.High
	}
	f.Title = fmt.Sprintf("%s of what %s exports is lost", percent(share), router)
	f.Summary = fmt.Sprintf("Of %s that %s sent in %s, %d did not arrive, by the gaps in its sequence numbers. They were lost %s. What was lost was not watched.",
		detect.Count(sent, what), router, detect.Duration(lossSpan), lost, where)
	f.Reasons = []string{
		fmt.Sprintf("%s lost; its limit is %s: %d times what 9 of 10 hours of its own history do not exceed (%s), but at least %s",
			percent(share), percent(d.lossLimit(l)), lossFactor, percent(l.usual), percent(d.cfg.Loss)),
		fmt.Sprintf("something was lost in %d of %d minutes: it is no single burst", l.lossy, int(lossSpan/time.Minute)),
	}
	if l.now.Restarts > 0 {
		f.Quality = append(f.Quality, "the router began to number anew meanwhile, so the loss may be less")
	}
	f.Measures = []alert.Measure{{Name: "share lost", Observed: share, Expected: l.usual, Rarity: min(1, 1/float64(l.hours+1))}}
	f.NextSteps = []string{
		"Run tapwatch doctor: it shows whether the collector's own queue or socket drops.",
		fmt.Sprintf("Look at the way from %s to the collector: a full line, a rate limit, an access list.", router),
		"Look at the router's own counters of its export: flows not exported, cache full. " + stepPlanned,
		"If nothing explains it, somebody may be thinning the export out: " + stepConsole,
	}
	f.SQL = fill(healthEvidenceSQL, "{router}", comment(router), "{who}", only("health.exporter", l.addr),
		"{since}", until.Add(-2*time.Hour).Format(sqlTime), "{until}", s.now.Format(sqlTime))
	return f
}

// lossEverywhere says that most exporters lose: it is up to what they have in common.
func (d *Detector) lossEverywhere(s *scene, losers []loser, heard int, until time.Time) alert.Finding {
	var sum health
	var names []string
	for _, l := range losers {
		sum = sum.and(l.now)
		names = append(names, s.router(l.addr))
	}
	f := s.finding(ruleLoss, netip.Addr{}, until.Add(-lossSpan))
	f.ID, f.Confidence, f.Severity = alert.Identity(Name, ruleLoss, "everywhere"), 0.9, alert.Medium
	f.Title = fmt.Sprintf("The exports of %d of %s are lost in part: the collector or the way to it", len(losers), detect.Count(uint64(heard), "router"))
	f.Summary = fmt.Sprintf("%d of %s lose much at once, so the loss is at what they have in common: the collector, its host or its network. The collector itself dropped %s.",
		len(losers), detect.Count(uint64(heard), "router"), detect.Count(sum.Dropped, "datagram"))
	f.Reasons = []string{
		fmt.Sprintf("%d of %s lose more than their own histories allow: %s", len(losers), detect.Count(uint64(heard), "router"), listText(names)),
		fmt.Sprintf("the collector dropped %s of its own in %s", detect.Count(sum.Dropped, "datagram"), detect.Duration(lossSpan)),
	}
	f.Measures = []alert.Measure{{Name: "routers that lose", Observed: float64(len(losers)), Unit: "hosts"}}
	f.NextSteps = []string{
		"Run tapwatch doctor and look at the collector's host: processor, memory, socket buffer, network card.",
		"Look at what lies between all of them and the collector: a full line, a firewall.",
	}
	f.SQL = fill(healthEvidenceSQL, "{router}", "all routers", "{who}", "",
		"{since}", until.Add(-2*time.Hour).Format(sqlTime), "{until}", s.now.Format(sqlTime))
	return f
}
