package sqltext

import (
	"fmt"
	"slices"
	"strings"
)

// Keywords are those that people type in queries, in capitals.
func Keywords() []string {
	return strings.Fields(`ALL AND ANTI ANY ARRAY AS ASC ASOF BETWEEN BY CASE CAST CROSS DESC DESCRIBE DISTINCT ELSE END EXCEPT
EXISTS EXPLAIN FALSE FINAL FORMAT FROM FULL GLOBAL GROUP HAVING ILIKE IN INNER INTERSECT INTERVAL IS JOIN LEFT LIKE LIMIT NOT NULL
NULLS OFFSET ON OR ORDER OUTER OVER PARTITION PREWHERE QUALIFY RIGHT ROLLUP SAMPLE SELECT SEMI SETTINGS SHOW TABLE TABLES THEN TIES
TOTALS TRUE UNION USING VALUES WHEN WHERE WINDOW WITH DAY HOUR MINUTE MONTH SECOND WEEK YEAR`)
}

// MisspelledKeyword says, to be put behind an error at that offset, which keyword may be
// meant by the word there or by the word before it; nothing where none is near.
func MisspelledKeyword(query string, offset int) string {
	var before Token
	for _, t := range significant(query) {
		if t.Start > offset {
			break
		}
		for _, word := range []Token{before, t} {
			if t.Start != offset || word.Kind != Word {
				continue
			}
			if near := Nearest(strings.ToUpper(word.Text), Keywords()); near != "" {
				return fmt.Sprintf(". Maybe you meant %s, not %s", near, word.Text)
			}
		}
		before = t
	}
	return ""
}

// Nearest gives the one of the names that few typing mistakes turn into name, but not
// name itself; empty if none is near.
func Nearest(name string, names []string) string {
	if slices.Contains(names, name) {
		return ""
	}
	best, bestDistance := "", 1+min(2, len(name)/3)
	for _, n := range names {
		if d := distance(name, n); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	return best
}

// distance is the least number of bytes to insert, delete, replace or swap with the next
// to turn a into b (optimal string alignment).
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
