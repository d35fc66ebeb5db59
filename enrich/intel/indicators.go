package intel

import (
	"math"
	"net/netip"
	"time"

	"github.com/gaissmai/bart"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/enrich/partition"
	"tapwatch/flow"
)

// indicators are all lists in force.
type indicators struct {
	// all are the indicators, and numbers gives every address the place after that of
	// the narrowest prefix that holds it; nil where there are none.
	all     []indicator
	numbers *partition.Table
	places  []place
	byText  map[string]int
	// By list, in the order of the configuration.
	lists   [][]flow.Indicator
	skipped []map[skip]int

	prefixes bart.Table[uint32] // the same while the lists are read
}

type indicator struct {
	flow.Indicator
	text        string // list:prefix
	from, until int64  // in Unix milliseconds, half-open
	matches     prometheus.Counter
}

// place is a prefix that lists name.
type place struct {
	// named are the indicators of just this prefix, those of the first list first; wider
	// is the place after that of the narrowest prefix around it, 0 none.
	named []int
	wider uint32
}

func newIndicators(lists int) *indicators {
	return &indicators{byText: map[string]int{}, lists: make([][]flow.Indicator, lists), skipped: make([]map[skip]int, lists)}
}

// add takes in the indicators of a list.
func (s *indicators) add(list []flow.Indicator, matches prometheus.Counter) {
	for _, i := range list {
		s.byText[i.Text()] = len(s.all)
		number, known := s.prefixes.Get(i.Prefix)
		if !known {
			s.places = append(s.places, place{})
			number = uint32(len(s.places))
			s.prefixes.Insert(i.Prefix, number)
		}
		p := &s.places[number-1]
		p.named = append(p.named, len(s.all))
		s.all = append(s.all, indicator{Indicator: i, text: i.Text(), from: milliseconds(i.ValidFrom, math.MinInt64),
			until: milliseconds(i.ValidUntil, math.MaxInt64), matches: matches})
	}
}

func milliseconds(t time.Time, none int64) int64 {
	if t.IsZero() {
		return none
	}
	return t.UnixMilli()
}

// finish makes the table for look-ups.
func (s *indicators) finish() {
	if len(s.all) > 0 {
		var around []netip.Prefix // those that hold the next one, the narrowest last
		for p, number := range s.prefixes.AllSorted() {
			for len(around) > 0 && !around[len(around)-1].Overlaps(p) {
				around = around[:len(around)-1]
			}
			if n := len(around); n > 0 {
				s.places[number-1].wider, _ = s.prefixes.Get(around[n-1])
			}
			around = append(around, p)
		}
		b := partition.NewBuilder(2 * len(s.places))
		for start, number := range partition.Ranges(s.prefixes.AllSorted()) {
			b.From(start, number)
		}
		s.numbers = b.Table()
	}
	s.prefixes = bart.Table[uint32]{}
}

// chunk is how many addresses are looked up at a time.
const chunk = 256

// mark sets the column to the indicators of the addresses at those times, in Unix
// milliseconds, and counts them.
func (s *indicators) mark(addrs [][16]byte, at []int64, column []string) {
	clear(column)
	if s.numbers == nil {
		return
	}
	var numbers [chunk]uint32
	for from := 0; from < len(addrs); from += chunk {
		to := min(from+chunk, len(addrs))
		s.numbers.Lookup(addrs[from:to], numbers[:])
		for i, n := range numbers[:to-from] {
			if n == 0 { // mostly
				continue
			}
			if found := s.valid(n, at[from+i]); found != nil {
				column[from+i] = found.text
				found.matches.Inc()
			}
		}
	}
}

// valid is the indicator of the place, or of the narrowest around it, that holds at that
// time; nil for none.
func (s *indicators) valid(number uint32, at int64) *indicator {
	for number != 0 {
		p := &s.places[number-1]
		for _, i := range p.named {
			if found := &s.all[i]; found.from <= at && at < found.until {
				return found
			}
		}
		number = p.wider
	}
	return nil
}
