package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapwatch/alert"
)

// incidentList is the answer of /api/v1/incidents.
type incidentList struct {
	Incidents []alert.Incident `json:"incidents"`
	// Next is the cursor of the next page; empty on the last.
	Next string `json:"next"`
	// Silenced is how many incidents the same filters select that are left out because
	// all of their alerts are under a silence.
	Silenced uint64 `json:"silenced"`
}

// oneIncident is the answer of /api/v1/incidents/{id}.
type oneIncident struct {
	alert.Incident
	// Alerts are those of AlertIDs, in that order, at most maxLimit; AlertsLeftOut is how
	// many more there are.
	Alerts        []shownAlert `json:"alerts"`
	AlertsLeftOut int          `json:"alerts_left_out"`
}

func (s *Server) listIncidents(w http.ResponseWriter, r *http.Request) {
	q, bad := s.incidentQuery(r)
	if bad != nil {
		bad.write(w)
		return
	}
	size := q.Limit
	q.Limit++ // one more tells whether there is a next page
	found, err := s.deps.Incidents.Incidents(r.Context(), q)
	if err != nil {
		s.unavailable(w, r, "incidents", err)
		return
	}
	answer := incidentList{Incidents: []alert.Incident{}}
	if len(found) > size {
		found = found[:size]
		last := &found[size-1]
		answer.Next = fmt.Sprintf("%d-%s", last.LastSeen.UnixMilli(), last.ID)
	}
	for _, in := range found {
		answer.Incidents = append(answer.Incidents, s.presented(in))
	}
	if q.Silenced == alert.WithoutSilenced && len(q.Silences) > 0 {
		q.Silenced, q.Before, q.BeforeID = alert.OnlySilenced, time.Time{}, ""
		if answer.Silenced, err = s.deps.Incidents.CountIncidents(r.Context(), q); err != nil {
			s.unavailable(w, r, "incidents", err)
			return
		}
	}
	writeJSON(w, answer)
}

// incidentQuery reads the parameters of a listing, which are some of those of alerts.
func (s *Server) incidentQuery(r *http.Request) (alert.IncidentQuery, *problem) {
	var in alert.IncidentQuery
	known := []parameter{
		{"severity", severity},
		{"silenced", silenced},
		moment("since", func(q *alert.Query) *time.Time { return &q.Since }),
		{"limit", limit},
		{"cursor", func(_ *alert.Query, value string, _ time.Time) *problem {
			at, id, ok := strings.Cut(value, "-")
			ms, err := strconv.ParseInt(at, 10, 64)
			if !ok || err != nil || id == "" || len(id) > maxValue {
				return badParameter("cursor", fmt.Sprintf("%q is no cursor of incidents.", value), "Pass on what an earlier answer gave, or leave it out.")
			}
			in.Before, in.BeforeID = time.UnixMilli(ms), id
			return nil
		}},
	}
	q, bad := parseQuery(r, known, s.deps.Now())
	in.MinSeverity, in.Silenced, in.Since, in.Limit = q.MinSeverity, q.Silenced, q.Since, q.Limit
	if in.Limit == 0 {
		in.Limit = defaultLimit
	}
	in.Silences, _ = s.deps.Quiet.InForce()
	return in, bad
}

// presented is an incident as it is now, its lists not nil.
func (s *Server) presented(in alert.Incident) alert.Incident {
	now := s.deps.Now()
	if b, ok := s.deps.Quiet.Budget(); ok {
		now = b.Until // stream time
	}
	in.Status = in.StatusAt(now, s.deps.IncidentGap)
	for _, list := range []*[]string{&in.Absorbed, &in.Assets, &in.Peers, &in.Countries, &in.Detectors, &in.AlertIDs} {
		if *list == nil {
			*list = []string{}
		}
	}
	if in.Timeline == nil {
		in.Timeline = []alert.Stage{}
	}
	if in.Folds == nil {
		in.Folds = []alert.Fold{}
	}
	return in
}

func (s *Server) showIncident(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	in, ok, err := s.findIncident(r.Context(), r.PathValue("id"))
	if err == nil && !ok {
		missing("incident", r.PathValue("id"), "/api/v1/incidents").write(w)
		return
	}
	answer := oneIncident{Incident: s.presented(in)}
	if err == nil {
		answer.Alerts, err = s.alertsOf(r.Context(), &in)
	}
	if err != nil {
		s.unavailable(w, r, "incident", err)
		return
	}
	answer.AlertsLeftOut = max(0, len(in.AlertIDs)-maxLimit)
	writeJSON(w, answer)
}

// absorptions is how often an incident that absorbed others may have been absorbed
// itself.
const absorptions = 20

// findIncident gives the incident, or the one that it became a part of.
func (s *Server) findIncident(ctx context.Context, id string) (alert.Incident, bool, error) {
	for range absorptions {
		found, err := s.deps.Incidents.Incidents(ctx, alert.IncidentQuery{IDs: []string{id}})
		if err != nil || len(found) == 0 {
			return alert.Incident{}, false, err
		}
		if found[0].AbsorbedInto == "" {
			return found[0], true, nil
		}
		id = found[0].AbsorbedInto
	}
	return alert.Incident{}, false, nil
}

// alertsOf gives the alerts of the incident, the worst fold first.
func (s *Server) alertsOf(ctx context.Context, in *alert.Incident) ([]shownAlert, error) {
	ids := in.AlertIDs[:min(len(in.AlertIDs), maxLimit)]
	if len(ids) == 0 {
		return []shownAlert{}, nil
	}
	found, err := s.deps.Alerts.Alerts(ctx, alert.Query{IDs: ids, Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	slices.SortFunc(found, func(a, b alert.Alert) int { return at[a.ID] - at[b.ID] })
	silences, approvals := s.deps.Quiet.InForce()
	return s.inIncidents(ctx, found, silences, approvals)
}
