package volume

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/ledger"
)

//go:embed sums.sql
var sumsSQL string

//go:embed moves.sql
var movesSQL string

//go:embed habit.sql
var habitSQL string

// top is how many receivers of a sender are held against the inventory one by one, in
// an hour; those below count as not allowed.
const top = 50

// query selects what was sent.
type query struct {
	since, end time.Time
	step       time.Duration
	// keys are the senders; nil: all.
	keys  []ledger.Key
	least uint64
}

// text puts into a query which senders count. Which pairs these are in is
// asked first, of the stored columns, so that the others need not be read.
func (q *query) text(sql string) string {
	pairs, senders := "", ""
	if names, addrs := ledger.Split(q.keys); len(names)+len(addrs) > 0 {
		var either, those []string
		if len(names) > 0 {
			either = append(either, "asset_name IN {names:Array(String)}", "peer_name IN {names:Array(String)}")
			those = append(those, "from_name != '' AND from_name IN {names:Array(String)}")
		}
		if len(addrs) > 0 {
			either = append(either, "asset_addr IN {addrs:Array(IPv6)}", "peer_addr IN {addrs:Array(IPv6)}")
			those = append(those, "from_name = '' AND from_addr IN {addrs:Array(IPv6)}")
		}
		pairs, senders = "AND ("+strings.Join(either, " OR ")+")", "AND ("+strings.Join(those, " OR ")+")"
	}
	sql = strings.NewReplacer("{which_pairs}", pairs, "{which_senders}", senders).Replace(sql)
	return ledger.Query(sql)
}

func (s *scene) params(q query) []any {
	names, addrs := ledger.Split(q.keys)
	return []any{
		ledger.Protected(s.inv), detect.Param("since", q.since), detect.Param("end", q.end),
		detect.Param("step", uint32(q.step/time.Second)),
		detect.Param("names", names), detect.Param("addrs", ledger.Texts(addrs)),
		detect.Param("least", q.least), detect.Param("top", uint32(top)),
	}
}

// sum is what one system sent and got back.
type sum struct {
	At       time.Time  `ch:"at"`
	Name     string     `ch:"from_name"`
	Addr     netip.Addr `ch:"from_addr_key"`
	Sent     uint64     `ch:"sent_bytes"`
	Received uint64     `ch:"received_bytes"`
}

func (s *sum) key() ledger.Key {
	if s.Name != "" {
		return ledger.Key{Name: s.Name}
	}
	return ledger.Key{Addr: s.Addr.Unmap()}
}

func keysOf(sums []sum) []ledger.Key {
	var keys []ledger.Key
	for i := range sums {
		keys = append(keys, sums[i].key())
	}
	slices.SortFunc(keys, ledger.Key.Compare)
	return slices.Compact(keys)
}

func (s *scene) sums(ctx context.Context, q query) ([]sum, error) {
	var rows []sum
	if err := s.h.Select(ctx, &rows, q.text(sumsSQL), s.params(q)...); err != nil {
		return nil, fmt.Errorf("add up what systems sent: %w", err)
	}
	for i := range rows {
		rows[i].At = rows[i].At.UTC()
	}
	return rows, nil
}

func (s *scene) moves(ctx context.Context, q query) ([]ledger.Move, error) {
	var rows []ledger.Move
	if err := s.h.Select(ctx, &rows, q.text(movesSQL), s.params(q)...); err != nil {
		return nil, fmt.Errorf("read to whom systems sent: %w", err)
	}
	for i := range rows {
		rows[i].Tidy()
	}
	return rows, nil
}

// series are what one system sent by time, what a rule allows apart from the rest.
type series struct{ free, allowed map[int64]float64 }

func newSeries() *series { return &series{map[int64]float64{}, map[int64]float64{}} }

func (s *series) add(at time.Time, bytes float64, allowed bool) {
	if allowed {
		s.allowed[at.Unix()] += bytes
	} else {
		s.free[at.Unix()] += bytes
	}
}

// of gives the one of the two.
func (s *series) of(allowed bool) map[int64]float64 {
	if allowed {
		return s.allowed
	}
	return s.free
}

// habit are the hours before until in which the system sent the network at least so
// much.
func (s *scene) habit(ctx context.Context, key ledger.Key, network netip.Prefix, least float64, since, until time.Time) ([]time.Time, error) {
	var rows []struct {
		At   time.Time `ch:"at"`
		Sent uint64    `ch:"sent_bytes"`
	}
	q := query{since: since, end: until, step: time.Hour, keys: []ledger.Key{key}, least: uint64(least)}
	params := append(s.params(q),
		detect.Param("first", ledger.Text(network.Masked().Addr())), detect.Param("last", ledger.Text(ledger.Last(network))))
	if err := s.h.Select(ctx, &rows, q.text(habitSQL), params...); err != nil {
		return nil, fmt.Errorf("read what a network got before: %w", err)
	}
	var all []time.Time
	for _, r := range rows {
		all = append(all, r.At.UTC())
	}
	return all, nil
}
