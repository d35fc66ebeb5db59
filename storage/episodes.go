package storage

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
	"tapwatch/flow"
)

// episodeRow is what incidents are made of, of a row of view alerts.
type episodeRow struct {
	ID          string   `ch:"id"`
	Detector    string   `ch:"detector"`
	Rule        string   `ch:"rule"`
	Severity    int8     `ch:"severity"`
	Title       string   `ch:"title"`
	Confidence  float64  `ch:"confidence"`
	AssetAddr   [16]byte `ch:"asset_addr"`
	Asset       string   `ch:"asset"`
	AssetZone   string   `ch:"asset_zone"`
	PeerAddr    [16]byte `ch:"peer_addr"`
	Peer        string   `ch:"peer_asset"`
	PeerCountry string   `ch:"peer_country"`
	Port        uint16   `ch:"port"`
	TechIDs     []string `ch:"technique_ids"`
	TechTactics []string `ch:"technique_tactics"`
}

const episodeColumns = `id, detector, rule, severity, title, confidence, asset_addr, asset, asset_zone, peer_addr, peer_asset, peer_country, port,
	technique_ids, technique_tactics`

func (r *episodeRow) alert() alert.Alert {
	a := alert.Alert{Finding: alert.Finding{
		ID: r.ID, Detector: r.Detector, Rule: r.Rule, Severity: alert.Severity(r.Severity), Title: r.Title, Confidence: r.Confidence, Port: r.Port,
		Asset: alert.Party{Addr: flow.Addr(r.AssetAddr), Asset: r.Asset, Zone: r.AssetZone},
		Peer:  alert.Party{Addr: flow.Addr(r.PeerAddr), Asset: r.Peer, Country: r.PeerCountry},
	}}
	for i := range r.TechIDs {
		a.Techniques = append(a.Techniques, alert.Technique{ID: r.TechIDs[i], Tactic: r.TechTactics[i]})
	}
	return a
}

// hourRow is the evidence of an alert in the windows that began in one hour.
type hourRow struct {
	ID        string    `ch:"id"`
	Hour      time.Time `ch:"hour"`
	FirstSeen time.Time `ch:"first"`
	LastSeen  time.Time `ch:"last"`
	Version   uint64    `ch:"newest"`
}

// episodes gives the episodes of the alerts that the subquery names. Each has the version
// of the latest finding in it.
func (s *Store) episodes(ctx context.Context, gap time.Duration, ids string, args ...any) ([]alert.Episode, error) {
	var alerts []episodeRow
	if err := s.Select(ctx, &alerts, "SELECT "+episodeColumns+" FROM alerts WHERE id GLOBAL IN ("+ids+")", args...); err != nil {
		return nil, fmt.Errorf("read the alerts: %w", err)
	}
	var hours []hourRow
	err := s.Select(ctx, &hours, `SELECT id, toStartOfHour(window_start) AS hour, min(first_seen) AS first, max(last_seen) AS last, max(version) AS newest
		FROM findings FINAL WHERE id GLOBAL IN (`+ids+") GROUP BY id, hour ORDER BY id, first", args...)
	if err != nil {
		return nil, fmt.Errorf("read when they were seen: %w", err)
	}
	spans := map[string][]hourRow{}
	for _, h := range hours {
		all := spans[h.ID]
		if n := len(all); n > 0 && h.FirstSeen.Sub(all[n-1].LastSeen) <= gap {
			if h.LastSeen.After(all[n-1].LastSeen) {
				all[n-1].LastSeen = h.LastSeen
			}
			all[n-1].Version = max(all[n-1].Version, h.Version)
			continue
		}
		spans[h.ID] = append(all, h)
	}
	var episodes []alert.Episode
	for i := range alerts {
		for n, span := range spans[alerts[i].ID] {
			e := alert.Episode{Alert: alerts[i].alert(), Later: n > 0}
			e.FirstSeen, e.LastSeen, e.Version = readTime(span.FirstSeen), readTime(span.LastSeen), span.Version
			episodes = append(episodes, e)
		}
	}
	return episodes, nil
}

// linkedEpisodes gives all episodes of the incidents that hold a finding stored after the
// version. It asks for what is about the same assets and peers until nothing new comes.
func (s *Store) linkedEpisodes(ctx context.Context, after uint64, by alert.Grouping) ([]alert.Episode, error) {
	changed := func(e *alert.Episode) bool { return e.Version > after }
	known, err := s.episodes(ctx, by.Gap, "SELECT id FROM findings WHERE version > {after:UInt64}", clickhouse.Named("after", after))
	if err != nil || len(known) == 0 {
		return nil, err
	}
	ids := map[string]bool{}
	for i := range known {
		ids[known[i].ID] = true
	}
	for {
		linked := alert.Linked(known, by, changed)
		about, args := aboutTheSame(linked, by)
		more, err := s.newIDs(ctx, ids, about, args)
		if err != nil || len(more) == 0 {
			return linked, err
		}
		found, err := s.episodes(ctx, by.Gap, "SELECT arrayJoin({more:Array(String)})", clickhouse.Named("more", more))
		if err != nil {
			return nil, err
		}
		for _, id := range more { // also those that have no row yet
			ids[id] = true
		}
		known = append(known, found...)
	}
}

// newIDs are the alerts that the query names and that are not known yet.
func (s *Store) newIDs(ctx context.Context, known map[string]bool, query string, args []any) ([]string, error) {
	var rows []struct {
		ID string `ch:"id"`
	}
	if err := s.Select(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("look for alerts about the same assets and peers: %w", err)
	}
	var more []string
	for _, r := range rows {
		if !known[r.ID] {
			more = append(more, r.ID)
		}
	}
	return more, nil
}

// aboutTheSame is the query for the alerts that may be linked to one of the episodes. An
// episode that reaches into their time has a finding within the gap of it.
func aboutTheSame(episodes []alert.Episode, by alert.Grouping) (query string, args []any) {
	names, addrs := []string{}, []string{}
	first, last := episodes[0].FirstSeen, episodes[0].LastSeen
	for i := range episodes {
		e := &episodes[i]
		if e.FirstSeen.Before(first) {
			first = e.FirstSeen
		}
		if e.LastSeen.After(last) {
			last = e.LastSeen
		}
		for _, entity := range e.Entities(by.Shared) {
			if name, ok := strings.CutPrefix(entity, alert.EntityName); ok {
				names = append(names, name)
			} else if addr, err := netip.ParseAddr(strings.TrimPrefix(entity, alert.EntityAddr)); err == nil {
				addrs = append(addrs, addr.String())
			}
		}
	}
	for _, list := range []*[]string{&names, &addrs} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return `WITH names AS (SELECT arrayJoin({names:Array(String)})), addrs AS (SELECT toIPv6(arrayJoin({addrs:Array(String)})))
		SELECT DISTINCT id FROM findings
		WHERE (asset GLOBAL IN names OR peer_asset GLOBAL IN names OR asset_addr GLOBAL IN addrs OR peer_addr GLOBAL IN addrs)
			AND last_seen >= fromUnixTimestamp64Milli({first:Int64}, 'UTC') AND first_seen <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')
		ORDER BY id`,
		[]any{
			clickhouse.Named("names", names), clickhouse.Named("addrs", addrs),
			clickhouse.Named("first", first.Add(-by.Gap).UnixMilli()), clickhouse.Named("last", last.Add(by.Gap).UnixMilli()),
		}
}
