package storage

import (
	"time"

	"tapwatch/alert"
)

// incidentRow is a row of table incidents.
type incidentRow struct {
	ID           string      `ch:"id"`
	AbsorbedInto string      `ch:"absorbed_into"`
	Absorbed     []string    `ch:"absorbed"`
	Title        string      `ch:"title"`
	Severity     int8        `ch:"severity"`
	Risk         float64     `ch:"risk"`
	FirstSeen    time.Time   `ch:"first_seen"`
	LastSeen     time.Time   `ch:"last_seen"`
	Assets       []string    `ch:"assets"`
	Peers        []string    `ch:"peers"`
	Countries    []string    `ch:"countries"`
	Detectors    []string    `ch:"detectors"`
	Alerts       []string    `ch:"alert_ids"`
	Leads        []string    `ch:"lead_ids"`
	Tactics      []string    `ch:"tactics"`
	TacticFirst  []time.Time `ch:"tactic_first_seen"`
	TacticLast   []time.Time `ch:"tactic_last_seen"`
	TacticTechs  [][]string  `ch:"tactic_techniques"`
	TacticAlerts [][]string  `ch:"tactic_alert_ids"`
	Version      uint64      `ch:"version"`
}

func incidentRowOf(in *alert.Incident) incidentRow {
	r := incidentRow{
		ID: in.ID, AbsorbedInto: in.AbsorbedInto, Absorbed: present(in.Absorbed), Title: in.Title, Severity: int8(in.Severity), Risk: in.Risk,
		FirstSeen: storedTime(in.FirstSeen), LastSeen: storedTime(in.LastSeen),
		Assets: present(in.Assets), Peers: present(in.Peers), Countries: present(in.Countries), Detectors: present(in.Detectors),
		Alerts: []string{}, Leads: []string{}, Tactics: []string{}, TacticFirst: []time.Time{}, TacticLast: []time.Time{},
		TacticTechs: [][]string{}, TacticAlerts: [][]string{},
		Version: 2 * in.Version,
	}
	if in.AbsorbedInto != "" {
		r.Version++ // it wins over the incident of the same alert that it was
	}
	for _, f := range in.Folds {
		for _, id := range append([]string{f.Lead}, f.Also...) {
			r.Alerts = append(r.Alerts, id)
			r.Leads = append(r.Leads, f.Lead)
		}
	}
	for _, t := range in.Timeline {
		r.Tactics = append(r.Tactics, t.Tactic)
		r.TacticFirst = append(r.TacticFirst, storedTime(t.FirstSeen))
		r.TacticLast = append(r.TacticLast, storedTime(t.LastSeen))
		r.TacticTechs = append(r.TacticTechs, present(t.Techniques))
		r.TacticAlerts = append(r.TacticAlerts, present(t.Alerts))
	}
	return r
}

// utc makes rows comparable: times that are read are in the zone of the column.
func (r *incidentRow) utc() {
	r.FirstSeen, r.LastSeen = storedTime(r.FirstSeen), storedTime(r.LastSeen)
	for _, list := range [][]time.Time{r.TacticFirst, r.TacticLast} {
		for i := range list {
			list[i] = storedTime(list[i])
		}
	}
}

// incident is the reverse of incidentRowOf.
func (r *incidentRow) incident() alert.Incident {
	in := alert.Incident{
		ID: r.ID, AbsorbedInto: r.AbsorbedInto, Absorbed: r.Absorbed, Title: r.Title, Severity: alert.Severity(r.Severity), Risk: r.Risk,
		Status: alert.IncidentOpen, FirstSeen: readTime(r.FirstSeen), LastSeen: readTime(r.LastSeen),
		Assets: r.Assets, Peers: r.Peers, Countries: r.Countries, Detectors: r.Detectors,
		AlertIDs: r.Alerts, Folds: []alert.Fold{}, Timeline: []alert.Stage{}, Version: r.Version / 2,
	}
	if r.AbsorbedInto != "" {
		in.Status = alert.IncidentAbsorbed
	}
	for i, lead := range r.Leads {
		if r.Alerts[i] == lead {
			in.Folds = append(in.Folds, alert.Fold{Lead: lead, Also: []string{}})
			continue
		}
		last := &in.Folds[len(in.Folds)-1]
		last.Also = append(last.Also, r.Alerts[i])
	}
	for i := range r.Tactics {
		in.Timeline = append(in.Timeline, alert.Stage{
			Tactic: r.Tactics[i], FirstSeen: readTime(r.TacticFirst[i]), LastSeen: readTime(r.TacticLast[i]),
			Techniques: r.TacticTechs[i], Alerts: r.TacticAlerts[i],
		})
	}
	return in
}
