package storage

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
)

// UpdateIncidents brings those incidents up to date that hold a finding stored after the
// version, and gives the latest version that it took into account. What incidents are
// follows from the stored findings alone (alert.Incidents), so several tapwatch that do
// this side by side write the same, and doing it again changes nothing.
func (s *Store) UpdateIncidents(ctx context.Context, after uint64, by alert.Grouping) (upTo uint64, err error) {
	episodes, err := s.linkedEpisodes(ctx, after, by)
	if err != nil {
		return after, fmt.Errorf("gather incidents: %w", err)
	}
	upTo = after
	for i := range episodes {
		upTo = max(upTo, episodes[i].Version)
	}
	incidents := alert.Incidents(episodes, by)
	if len(incidents) == 0 {
		return upTo, nil
	}
	into := map[string]*alert.Incident{} // of every identity under which a part may have been known
	isOne := map[string]bool{}
	for i := range incidents {
		isOne[incidents[i].ID] = true
		for _, id := range incidents[i].Members {
			into[id] = &incidents[i]
		}
	}
	stored, err := s.storedIncidents(ctx, into)
	if err != nil {
		return after, err
	}
	for id := range stored {
		// It began with what has turned out not to be the earliest.
		if !isOne[id] {
			incidents = append(incidents, alert.AbsorbedIncident(id, into[id]))
		}
	}
	var changed []incidentRow
	for i := range incidents {
		row := incidentRowOf(&incidents[i])
		if old, ok := stored[row.ID]; !ok || !reflect.DeepEqual(old, row) {
			changed = append(changed, row)
		}
	}
	if len(changed) == 0 {
		return upTo, nil
	}
	if err := insertRows(ctx, s, "incidents", changed, ""); err != nil {
		return after, fmt.Errorf("store %d incidents: %w", len(changed), err)
	}
	return upTo, nil
}

func (s *Store) storedIncidents(ctx context.Context, ids map[string]*alert.Incident) (map[string]incidentRow, error) {
	wanted := make([]string, 0, len(ids))
	for id := range ids {
		wanted = append(wanted, id)
	}
	var rows []incidentRow
	if err := s.Select(ctx, &rows, "SELECT * FROM incidents FINAL WHERE id IN {ids:Array(String)}", clickhouse.Named("ids", wanted)); err != nil {
		return nil, fmt.Errorf("read the incidents: %w", err)
	}
	stored := make(map[string]incidentRow, len(rows))
	for i := range rows {
		rows[i].utc()
		stored[rows[i].ID] = rows[i]
	}
	return stored, nil
}

// IncidentsUpTo is the greatest version of an alert that an incident has taken into
// account; 0 if there is none.
func (s *Store) IncidentsUpTo(ctx context.Context) (version uint64, err error) {
	if err := s.QueryRow(ctx, "SELECT max(version) FROM incidents").Scan(&version); err != nil {
		return 0, fmt.Errorf("read the newest version of the incidents: %w", err)
	}
	return version / 2, nil
}

// Incidents gives the incidents that the query selects, the latest first. Lists are
// never nil.
func (s *Store) Incidents(ctx context.Context, q alert.IncidentQuery) ([]alert.Incident, error) {
	where, err := s.incidentConditions(ctx, &q)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	var rows []incidentRow
	err = s.Select(ctx, &rows, fmt.Sprintf("SELECT * FROM incidents FINAL%s ORDER BY last_seen DESC, id DESC LIMIT %d", where.clause(), limit), where.args...)
	if err != nil {
		return nil, fmt.Errorf("read the incidents: %w", err)
	}
	all := make([]alert.Incident, len(rows))
	for i := range rows {
		all[i] = rows[i].incident()
	}
	return all, s.absorbed(ctx, all)
}

// absorbed adds the incidents that turned out to be parts of these only by findings that
// came late: that they were there does not follow from the findings.
func (s *Store) absorbed(ctx context.Context, all []alert.Incident) error {
	ids := make([]string, len(all))
	at := make(map[string]*alert.Incident, len(all))
	for i := range all {
		ids[i], at[all[i].ID] = all[i].ID, &all[i]
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []struct {
		ID   string `ch:"id"`
		Into string `ch:"absorbed_into"`
	}
	err := s.Select(ctx, &rows, "SELECT id, absorbed_into FROM incidents FINAL WHERE absorbed_into IN {ids:Array(String)} ORDER BY id", clickhouse.Named("ids", ids))
	if err != nil {
		return fmt.Errorf("read what became parts of incidents: %w", err)
	}
	for _, r := range rows {
		in := at[r.Into]
		if !slices.Contains(in.Absorbed, r.ID) {
			in.Absorbed = append(in.Absorbed, r.ID)
			slices.Sort(in.Absorbed)
		}
	}
	return nil
}

// CountIncidents is how many incidents the query selects; its limit does not count.
func (s *Store) CountIncidents(ctx context.Context, q alert.IncidentQuery) (n uint64, err error) {
	where, err := s.incidentConditions(ctx, &q)
	if err != nil {
		return 0, err
	}
	if err := s.QueryRow(ctx, "SELECT count() FROM incidents FINAL"+where.clause(), where.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the incidents: %w", err)
	}
	return n, nil
}

func (s *Store) incidentConditions(ctx context.Context, q *alert.IncidentQuery) (conditions, error) {
	var where conditions
	where.add(q.IDs != nil, "id IN {ids:Array(String)}", "ids", q.IDs)
	if q.IDs == nil {
		where.parts = append(where.parts, "absorbed_into = ''")
	}
	where.add(q.Alerts != nil, "hasAny(alert_ids, {alerts:Array(String)})", "alerts", q.Alerts)
	where.add(q.MinSeverity != 0, "toInt8(severity) >= {severity:Int8}", "severity", int8(q.MinSeverity))
	where.add(!q.Since.IsZero(), "last_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')", "since", q.Since.UnixMilli())
	if q.BeforeID != "" {
		where.add(true, "(toUnixTimestamp64Milli(last_seen), id) < ({before:Int64}, {before_id:String})", "before", q.Before.UnixMilli())
		where.args = append(where.args, clickhouse.Named("before_id", q.BeforeID))
	}
	if q.Silenced == alert.WithSilenced {
		return where, nil
	}
	// An incident is out of sight once all of its alerts are.
	under, args := underSilence(q.Silences)
	ids, err := s.newIDs(ctx, nil, "SELECT id FROM alerts WHERE "+under, args)
	if err != nil {
		return where, err
	}
	hidden := "hasAll({silenced:Array(String)}, alert_ids)"
	if q.Silenced == alert.WithoutSilenced {
		hidden = "NOT " + hidden
	}
	where.add(true, hidden, "silenced", append([]string{}, ids...))
	return where, nil
}
