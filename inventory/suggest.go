package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// remedy ends the message about an unknown name: the known one it is close to,
// or the known ones.
func remedy[V any](name, what string, known map[string]V) string {
	names := slices.Sorted(maps.Keys(known))
	if close := nearest(name, names); close != "" {
		return fmt.Sprintf("did you mean %q?", close)
	}
	const shown = 8
	switch {
	case len(names) == 0:
		return fmt.Sprintf("the inventory has no %s yet: add it first", what)
	case len(names) > shown:
		return fmt.Sprintf("use one of %s and %d more, or add it", strings.Join(names[:shown], ", "), len(names)-shown)
	default:
		return fmt.Sprintf("use one of %s, or add it", strings.Join(names, ", "))
	}
}

// nearest returns the first of the names that few typing mistakes turn into name;
// empty if none is near.
func nearest(name string, names []string) string {
	best, bestDistance := "", 1+min(2, len(name)/3)
	for _, n := range names {
		if d := distance(folded(name), folded(n)); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	return best
}

// folded removes what people get wrong first: case, dashes and underscores.
func folded(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// distance is the least number of bytes to insert, delete or replace to turn a
// into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
