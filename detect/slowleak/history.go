package slowleak

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/ledger"
)

//go:embed candidates.sql
var candidatesSQL string

//go:embed moves.sql
var movesSQL string

//go:embed days.sql
var daysSQL string

//go:embed common.sql
var commonSQL string

//go:embed sharers.sql
var sharersSQL string

//go:embed life.sql
var lifeSQL string

// top is how many receivers of a system are looked at one by one on a day.
const top = 200

// pair is a system and a network outside.
type pair struct {
	key     ledger.Key
	network netip.Prefix
}

// member is what is known of a system.
type member struct {
	first time.Time
	role  string
}

// keyed is a row about a system.
type keyed struct {
	Name string     `ch:"from_name"`
	Addr netip.Addr `ch:"from_addr_key"`
}

func (k *keyed) key() ledger.Key {
	if k.Name != "" {
		return ledger.Key{Name: k.Name}
	}
	return ledger.Key{Addr: k.Addr.Unmap()}
}

// candidates are the pairs of the last week.
func (s *scene) candidates(ctx context.Context) ([]pair, error) {
	var rows []struct {
		keyed
		Network  netip.Addr `ch:"to_network"`
		Days     uint64     `ch:"days"`
		Sent     uint64     `ch:"sent_bytes"`
		Received uint64     `ch:"received_bytes"`
	}
	// Of a week with Days of seven at least so much must be new.
	least := min(s.cfg.Bytes/2, uint64(s.cfg.Days)*s.cfg.DayBytes)
	err := s.h.Select(ctx, &rows, ledger.Query(candidatesSQL), ledger.Protected(s.inv),
		detect.Param("since", s.w.End.Add(-7*day)), detect.Param("end", s.w.End), detect.Param("days", uint16(s.cfg.Days)),
		detect.Param("least", least), detect.Param("times", s.cfg.times()))
	if err != nil {
		return nil, fmt.Errorf("look for networks that get something on most days: %w", err)
	}
	var all []pair
	for i := range rows {
		all = append(all, pair{rows[i].key(), ledger.Network(rows[i].Network)})
	}
	return all, nil
}

// surroundings reads what most systems talk with, and since when each is known.
func (s *scene) surroundings(ctx context.Context) error {
	var asns []struct {
		ASN       uint32   `ch:"asn"`
		All       bool     `ch:"in_all"`
		ByNetwork bool     `ch:"by_network"`
		Hosts     uint64   `ch:"hosts"`
		Addrs     []string `ch:"addrs"`
	}
	since, end := detect.Param("since", s.w.End.Add(-28*day)), detect.Param("end", s.w.End)
	if err := s.h.Select(ctx, &asns, ledger.Query(commonSQL), ledger.Protected(s.inv), since, end); err != nil {
		return fmt.Errorf("read what most systems talk with: %w", err)
	}
	s.common = map[uint32]bool{}
	for _, a := range asns {
		if a.All {
			s.hosts = a.Hosts
		}
	}
	for _, a := range asns {
		switch {
		case a.All || float64(a.Hosts) < s.cfg.Prevalence*float64(s.hosts):
		case a.ByNetwork:
			s.commonAddrs = append(s.commonAddrs, a.Addrs...)
		default:
			s.common[a.ASN] = true
		}
	}
	var rows []struct {
		keyed
		Role  string    `ch:"from_role"`
		First time.Time `ch:"first"`
	}
	err := s.h.Select(ctx, &rows, lifeSQL, ledger.Protected(s.inv), detect.Param("since", s.w.End.Add(-s.cfg.Age-s.cfg.History)), end)
	if err != nil {
		return fmt.Errorf("read since when systems are known: %w", err)
	}
	s.known = map[ledger.Key]member{}
	for i := range rows {
		s.known[rows[i].key()] = member{rows[i].First.UTC(), rows[i].Role}
	}
	return nil
}

// move is what a system sent one receiver over one service on a day.
type move struct {
	ledger.Move
	// Peak is the most of it in one hour, Hours in how many hours there was some.
	Peak  uint64 `ch:"peak_bytes"`
	Hours uint64 `ch:"hours"`
}

// moves are what the systems sent outside from since on that no rule allows; to the
// networks alone, where there are some.
func (s *scene) moves(ctx context.Context, keys []ledger.Key, networks []netip.Prefix, since time.Time) ([]move, error) {
	names, addrs := ledger.Split(keys)
	var rows []move
	err := s.h.Select(ctx, &rows, ledger.Query(movesSQL), ledger.Protected(s.inv),
		detect.Param("since", since), detect.Param("end", s.w.End),
		detect.Param("names", names), detect.Param("addrs", ledger.Texts(addrs)),
		detect.Param("networks", texts(networks)), detect.Param("top", uint32(top)))
	if err != nil {
		return nil, fmt.Errorf("read to whom %d systems sent: %w", len(keys), err)
	}
	free := rows[:0]
	for i := range rows {
		rows[i].Tidy()
		if s.law.Rule(&rows[i].Move) == "" {
			free = append(free, rows[i])
		}
	}
	return free, nil
}

// texts are the first addresses of networks, which tell them.
func texts(networks []netip.Prefix) []string {
	all := []string{}
	for _, n := range networks {
		all = append(all, ledger.Text(n.Addr()))
	}
	return all
}

// sharers are how many systems of each role talk with each of the networks.
func (s *scene) sharers(ctx context.Context, networks []netip.Prefix) (map[netip.Prefix]map[string]uint64, error) {
	var rows []struct {
		Network netip.Addr `ch:"to_network"`
		Role    string     `ch:"from_role"`
		Hosts   uint64     `ch:"hosts"`
	}
	err := s.h.Select(ctx, &rows, ledger.Query(sharersSQL), ledger.Protected(s.inv), detect.Param("since", s.w.End.Add(-28*day)),
		detect.Param("end", s.w.End), detect.Param("networks", texts(networks)))
	if err != nil {
		return nil, fmt.Errorf("read who talks with %d networks: %w", len(networks), err)
	}
	all := map[netip.Prefix]map[string]uint64{}
	for _, r := range rows {
		n := ledger.Network(r.Network)
		if all[n] == nil {
			all[n] = map[string]uint64{}
		}
		all[n][r.Role] = r.Hosts
	}
	return all, nil
}

// daily is what a system sent outside on a day.
type daily struct {
	keyed
	At       time.Time `ch:"at"`
	Sent     uint64    `ch:"sent_bytes"`
	Sampling uint32    `ch:"sampling"`
}

func (s *scene) days(ctx context.Context) ([]daily, error) {
	common := []uint32{}
	for asn := range s.common {
		common = append(common, asn)
	}
	addrs := append([]string{}, s.commonAddrs...)
	var rows []daily
	err := s.h.Select(ctx, &rows, ledger.Query(daysSQL), ledger.Protected(s.inv), detect.Param("since", s.w.End.Add(-s.cfg.History)),
		detect.Param("end", s.w.End), detect.Param("common", common), detect.Param("addrs", addrs))
	if err != nil {
		return nil, fmt.Errorf("add up what systems sent outside by day: %w", err)
	}
	for i := range rows {
		rows[i].At = rows[i].At.UTC()
	}
	return rows, nil
}
