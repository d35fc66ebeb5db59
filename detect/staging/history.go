package staging

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/ledger"
)

//go:embed hosts.sql
var hostsSQL string

//go:embed moves.sql
var movesSQL string

//go:embed totals.sql
var totalsSQL string

//go:embed life.sql
var lifeSQL string

//go:embed reads.sql
var readsSQL string

//go:embed pairs.sql
var pairsSQL string

func keyOf(name string, addr netip.Addr) ledger.Key {
	if name != "" {
		return ledger.Key{Name: name}
	}
	return ledger.Key{Addr: addr.Unmap()}
}

// hosts are those that got much from several systems and gave one address much, in the
// last days.
func (s *scene) hosts(ctx context.Context) ([]ledger.Key, error) {
	var rows []struct {
		Name    string     `ch:"host_name"`
		Addr    netip.Addr `ch:"host_addr"`
		Got     uint64     `ch:"got"`
		Sources uint64     `ch:"sources"`
		Gave    uint64     `ch:"gave"`
	}
	err := s.h.Select(ctx, &rows, ledger.Query(hostsSQL), ledger.Protected(s.inv),
		detect.Param("since", s.w.End.Add(-s.cfg.Within)), detect.Param("end", s.w.End), detect.Param("roles", s.collectors()),
		detect.Param("least", s.cfg.Bytes), detect.Param("part", s.part()), detect.Param("sources", uint16(s.cfg.Sources)),
		detect.Param("share", s.cfg.Share))
	if err != nil {
		return nil, fmt.Errorf("look for hosts that collected: %w", err)
	}
	var keys []ledger.Key
	for _, r := range rows {
		keys = append(keys, keyOf(r.Name, r.Addr))
	}
	return keys, nil
}

func (s *scene) collectors() []string { return append([]string{}, s.cfg.Collectors...) }

// part is the least that a system must have given to be one of the sources.
func (s *scene) part() uint64 { return s.cfg.Bytes / 20 }

// moves are what the hosts got from protected systems and what they gave to anybody, in
// days that end at the window's end.
func (s *scene) moves(ctx context.Context, keys []ledger.Key) ([]ledger.Move, error) {
	names, addrs := ledger.Split(keys)
	var rows []ledger.Move
	err := s.h.Select(ctx, &rows, ledger.Query(movesSQL), ledger.Protected(s.inv),
		detect.Param("since", s.w.End.Add(-s.cfg.History)), detect.Param("end", s.w.End), detect.Param("step", uint32(day/time.Second)),
		detect.Param("names", names), detect.Param("addrs", ledger.Texts(addrs)), detect.Param("least", s.part()/100))
	if err != nil {
		return nil, fmt.Errorf("read what %d hosts got and gave: %w", len(keys), err)
	}
	for i := range rows {
		rows[i].Tidy()
	}
	return rows, nil
}

// totals are what the hosts got from protected systems, by days that end at the window's
// end.
func (s *scene) totals(ctx context.Context, keys []ledger.Key) (map[ledger.Key]map[time.Time]float64, error) {
	names, addrs := ledger.Split(keys)
	var rows []struct {
		At   time.Time  `ch:"at"`
		Name string     `ch:"to_name"`
		Addr netip.Addr `ch:"to_key"`
		Sent uint64     `ch:"sent_bytes"`
	}
	err := s.h.Select(ctx, &rows, ledger.Query(totalsSQL), ledger.Protected(s.inv),
		detect.Param("since", s.w.End.Add(-s.cfg.History)), detect.Param("end", s.w.End), detect.Param("step", uint32(day/time.Second)),
		detect.Param("names", names), detect.Param("addrs", ledger.Texts(addrs)))
	if err != nil {
		return nil, fmt.Errorf("add up what %d hosts got: %w", len(keys), err)
	}
	all := map[ledger.Key]map[time.Time]float64{}
	for _, k := range keys {
		all[k] = map[time.Time]float64{}
	}
	for _, r := range rows {
		if days := all[keyOf(r.Name, r.Addr)]; days != nil {
			days[r.At.UTC()] += float64(r.Sent)
		}
	}
	return all, nil
}

// life is since when each of the systems is known.
func (s *scene) life(ctx context.Context, keys []ledger.Key) (map[ledger.Key]time.Time, error) {
	names, addrs := ledger.Split(keys)
	var rows []struct {
		Name  string     `ch:"name"`
		Addr  netip.Addr `ch:"addr"`
		First time.Time  `ch:"first"`
	}
	err := s.h.Select(ctx, &rows, lifeSQL, detect.Param("since", s.w.End.Add(-s.cfg.History)), detect.Param("end", s.w.End),
		detect.Param("names", names), detect.Param("addrs", ledger.Texts(addrs)))
	if err != nil {
		return nil, fmt.Errorf("read since when systems are known: %w", err)
	}
	all := map[ledger.Key]time.Time{}
	for _, r := range rows {
		all[keyOf(r.Name, r.Addr)] = r.First.UTC()
	}
	return all, nil
}

// readers are the larger moves of the last day from systems that hold what the
// intruders come for.
func (s *scene) readers(ctx context.Context) ([]ledger.Move, error) {
	var rows []ledger.Move
	err := s.h.Select(ctx, &rows, ledger.Query(readsSQL), ledger.Protected(s.inv),
		detect.Param("since", s.w.End.Add(-day)), detect.Param("end", s.w.End), detect.Param("targets", append([]string{}, s.cfg.Targets...)),
		detect.Param("roles", s.collectors()), detect.Param("least", s.cfg.ReadBytes/20))
	if err != nil {
		return nil, fmt.Errorf("look for readers: %w", err)
	}
	for i := range rows {
		rows[i].Tidy()
	}
	return rows, nil
}

// read is who got something from whom.
type read struct{ from, to ledger.Key }

// pairs are what each of the readers got from its system by days that end at the
// window's end.
func (s *scene) pairs(ctx context.Context, reads []read) (map[read]map[time.Time]float64, error) {
	var from, to []ledger.Key
	for _, r := range reads {
		from, to = append(from, r.from), append(to, r.to)
	}
	names, addrs := ledger.Split(from)
	readerNames, readerAddrs := ledger.Split(to)
	var rows []struct {
		At       time.Time  `ch:"at"`
		FromName string     `ch:"from_name"`
		FromKey  netip.Addr `ch:"from_key"`
		ToName   string     `ch:"to_name"`
		ToKey    netip.Addr `ch:"to_key"`
		Sent     uint64     `ch:"sent_bytes"`
	}
	err := s.h.Select(ctx, &rows, ledger.Query(pairsSQL), ledger.Protected(s.inv),
		detect.Param("since", s.w.End.Add(-s.cfg.History)), detect.Param("end", s.w.End), detect.Param("step", uint32(day/time.Second)),
		detect.Param("names", names), detect.Param("addrs", ledger.Texts(addrs)),
		detect.Param("reader_names", readerNames), detect.Param("reader_addrs", ledger.Texts(readerAddrs)))
	if err != nil {
		return nil, fmt.Errorf("read what %d readers got before: %w", len(reads), err)
	}
	all := map[read]map[time.Time]float64{}
	for _, r := range rows {
		k := read{keyOf(r.FromName, r.FromKey), keyOf(r.ToName, r.ToKey)}
		if all[k] == nil {
			all[k] = map[time.Time]float64{}
		}
		all[k][r.At.UTC()] += float64(r.Sent)
	}
	return all, nil
}
