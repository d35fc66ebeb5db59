package detect

import (
	"slices"
	"strings"

	"tapwatch/alert"
)

// Merge folds the findings of one window that share an ID into the first of each,
// and keeps their order. One asset may have several addresses, and then several
// conversations are one alert.
func Merge(findings []alert.Finding) []alert.Finding {
	at := make(map[string]int, len(findings))
	merged := findings[:0]
	for _, f := range findings {
		i, seen := at[f.ID]
		if !seen {
			at[f.ID] = len(merged)
			merged = append(merged, f)
			continue
		}
		fold(&merged[i], &f)
	}
	return merged
}

// fold adds the finding to one of the same ID and window.
func fold(into, f *alert.Finding) {
	Add(into, f)
	into.SQL = "(" + into.SQL + ")\nUNION ALL\n(" + f.SQL + ")"
}

// Add makes into stand for f as well: the worst severity, the sum of the amounts,
// the span of both, the exporters and caveats of either. Its texts, ends and query
// stay as they are.
func Add(into, f *alert.Finding) {
	into.Severity = max(into.Severity, f.Severity)
	into.Flows += f.Flows
	into.BytesToAsset += f.BytesToAsset
	into.BytesToPeer += f.BytesToPeer
	into.Packets += f.Packets
	if f.FirstSeen.Before(into.FirstSeen) {
		into.FirstSeen = f.FirstSeen
	}
	if f.LastSeen.After(into.LastSeen) {
		into.LastSeen = f.LastSeen
	}
	into.Sightings = addSightings(into.Sightings, f.Sightings)
	into.Exporters = Union(into.Exporters, f.Exporters, strings.Compare)
	into.Quality = Union(into.Quality, f.Quality, strings.Compare)
}

// addSightings adds up what each exporter saw of both.
func addSightings(a, b []alert.Sighting) []alert.Sighting {
	all := slices.Clone(a)
	for _, s := range b {
		i := slices.IndexFunc(all, func(x alert.Sighting) bool { return x.Exporter == s.Exporter })
		if i < 0 {
			all = append(all, s)
			continue
		}
		all[i].Sampling = max(all[i].Sampling, s.Sampling)
		all[i].Flows += s.Flows
		all[i].BytesToAsset += s.BytesToAsset
		all[i].BytesToPeer += s.BytesToPeer
		all[i].Packets += s.Packets
	}
	return all
}

// Union joins two lists without repetition, sorted by cmp.
func Union[T comparable](a, b []T, cmp func(a, b T) int) []T {
	all := append(append([]T{}, a...), b...) // not nil: it becomes a list in JSON
	slices.SortFunc(all, cmp)
	return slices.Compact(all)
}
