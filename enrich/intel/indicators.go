package intel

import (
	"github.com/gaissmai/bart"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/enrich/partition"
)

// indicators are all lists in force.
type indicators struct {
	// all are the indicators, and numbers gives every address the place after that
	// of the narrowest one that holds it; nil where there are none.
	all     []indicator
	numbers *partition.Table
	byText  map[string]int
	counts  []int // by list

	places bart.Table[uint32] // the same while the lists are read
}

type indicator struct {
	text        string // list:prefix
	description string
	matches     prometheus.Counter
}

func newIndicators(lists int) *indicators {
	return &indicators{byText: map[string]int{}, counts: make([]int, lists)}
}

// add takes in the entries of a list, except those that it has already.
func (s *indicators) add(list string, entries []entry, matches prometheus.Counter) {
	for _, entry := range entries {
		if _, taken := s.places.Get(entry.prefix); taken {
			continue
		}
		i := indicator{text: list + ":" + entry.prefix.String(), description: entry.description, matches: matches}
		s.byText[i.text] = len(s.all)
		s.all = append(s.all, i)
		s.places.Insert(entry.prefix, uint32(len(s.all)))
	}
}

// finish makes the table for look-ups.
func (s *indicators) finish() {
	if len(s.all) > 0 {
		b := partition.NewBuilder(2 * len(s.all))
		for start, number := range partition.Ranges(s.places.AllSorted()) {
			b.From(start, number)
		}
		s.numbers = b.Table()
	}
	s.places = bart.Table[uint32]{}
}

// chunk is how many addresses are looked up at a time.
const chunk = 256

// mark sets the column to the indicators of the addresses and counts them.
func (s *indicators) mark(addrs [][16]byte, column []string) {
	clear(column)
	if s.numbers == nil {
		return
	}
	var numbers [chunk]uint32
	for from := 0; from < len(addrs); from += chunk {
		to := min(from+chunk, len(addrs))
		s.numbers.Lookup(addrs[from:to], numbers[:])
		for i, n := range numbers[:to-from] {
			if n != 0 { // rare
				found := &s.all[n-1]
				column[from+i] = found.text
				found.matches.Inc()
			}
		}
	}
}
