package alert

import (
	"math"
	"slices"
	"strings"
	"time"
)

// FoldFindings makes alerts of findings as the view alerts does: one of all findings of an
// identity, with the words of the latest window, the worst severity, and the amounts of
// the router that tells best. Of two findings of one identity and window the later in
// the list counts. The alerts are in the order of their first evidence. RaisedAt is the
// end of the first window, UpdatedAt that of the last: there is no other clock.
func FoldFindings(findings []Finding) []Alert {
	type key struct {
		id    string
		start int64
	}
	latest := make(map[key]int, len(findings))
	for i := range findings {
		latest[key{findings[i].ID, findings[i].WindowStart.UnixMilli()}] = i
	}
	byID := map[string][]*Finding{}
	for i := range findings {
		f := &findings[i]
		if latest[key{f.ID, f.WindowStart.UnixMilli()}] == i {
			byID[f.ID] = append(byID[f.ID], f)
		}
	}
	alerts := make([]Alert, 0, len(byID))
	for _, all := range byID {
		alerts = append(alerts, foldOne(all))
	}
	slices.SortFunc(alerts, func(a, b Alert) int {
		if c := a.FirstSeen.Compare(b.FirstSeen); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return alerts
}

// foldOne makes the alert of the findings of one identity, of different windows.
func foldOne(all []*Finding) Alert {
	slices.SortFunc(all, func(a, b *Finding) int { return a.WindowStart.Compare(b.WindowStart) })
	first, last := all[0], all[len(all)-1]
	a := Alert{Finding: *last, Findings: uint64(len(all)), RaisedAt: first.WindowEnd, UpdatedAt: last.WindowEnd}
	a.Quality = slices.Clone(last.Quality)
	a.Exporters = nil
	for _, f := range all {
		if f.FirstSeen.Before(a.FirstSeen) {
			a.FirstSeen = f.FirstSeen
		}
		if f.LastSeen.After(a.LastSeen) {
			a.LastSeen = f.LastSeen
		}
		a.Severity = max(a.Severity, f.Severity)
		a.Confidence = max(a.Confidence, f.Confidence)
		a.Exporters = append(a.Exporters, f.Exporters...)
		a.Quality = slices.DeleteFunc(a.Quality, func(q string) bool { return !slices.Contains(f.Quality, q) })
	}
	slices.Sort(a.Exporters)
	a.Exporters = slices.Compact(a.Exporters)
	slices.Sort(a.Quality)
	a.SQL = strings.ReplaceAll(last.SQL, since(last.WindowStart), since(first.WindowStart))
	a.amounts(all)
	return a
}

// since is how a query names the beginning of its window.
func since(t time.Time) string {
	return "toDateTime64('" + t.UTC().Format("2006-01-02 15:04:05.000") + "'"
}

// amounts adds up the windows: for each router by itself, for several report the same
// at different moments, and then those of the router that tells best; see the view.
func (a *Alert) amounts(all []*Finding) {
	sampling := map[string]uint32{}
	var sums [4]map[string]uint64
	for i := range sums {
		sums[i] = map[string]uint64{}
	}
	a.Flows, a.BytesToAsset, a.BytesToPeer, a.Packets = 0, 0, 0, 0
	for _, f := range all {
		a.Flows += f.Flows
		a.BytesToAsset += f.BytesToAsset
		a.BytesToPeer += f.BytesToPeer
		a.Packets += f.Packets
		for _, s := range f.Sightings {
			n := s.Sampling
			if n == 0 {
				n = math.MaxUint32
			}
			if known, seen := sampling[s.Exporter]; !seen || n < known {
				sampling[s.Exporter] = n
			}
			for i, v := range []uint64{s.Flows, s.BytesToAsset, s.BytesToPeer, s.Packets} {
				sums[i][s.Exporter] += v
			}
		}
	}
	if len(sampling) == 0 || len(all) == 1 {
		return
	}
	for i, to := range []*uint64{&a.Flows, &a.BytesToAsset, &a.BytesToPeer, &a.Packets} {
		*to = toldBest(sums[i], sampling)
	}
}

// toldBest is the amount of the router that samples least, of those that saw at least a
// tenth of the most.
func toldBest(amounts map[string]uint64, sampling map[string]uint32) uint64 {
	var most uint64
	for _, v := range amounts {
		most = max(most, v)
	}
	var best uint64
	least := uint64(math.MaxUint64)
	for e, v := range amounts {
		n := uint64(sampling[e])
		if v*10 >= most && (n < least || n == least && v > best) {
			best, least = v, n
		}
	}
	return best
}
