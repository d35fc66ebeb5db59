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
	into.SQL = "(" + into.SQL + ")\nUNION ALL\n(" + f.SQL + ")"
	into.Exporters = Union(into.Exporters, f.Exporters, strings.Compare)
	into.Quality = Union(into.Quality, f.Quality, strings.Compare)
}

// Union joins two lists without repetition, sorted by cmp.
func Union[T comparable](a, b []T, cmp func(a, b T) int) []T {
	all := slices.Concat(a, b)
	slices.SortFunc(all, cmp)
	return slices.Compact(all)
}
