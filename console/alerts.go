package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"tapwatch/alert"
)

// shownAlert is an alert as the API shows it.
type shownAlert struct {
	alert.Alert
	// Incident is the identity of the latest incident that holds the alert, and Related
	// the alerts of that about the same asset, peer and port, the worst first. The stream
	// has neither, for an incident is made of alerts that were told before.
	Incident string   `json:"incident,omitempty"`
	Related  []string `json:"related,omitzero"`
	// SilencedBy are the silences that it is under, Approval the latest approval that
	// was made from it, as far as they are in force.
	SilencedBy []string `json:"silenced_by"`
	Approval   string   `json:"approval"`
}

func shown(a alert.Alert, silences []alert.Silence, approvals []alert.Approval) shownAlert {
	s := shownAlert{Alert: withLists(a), SilencedBy: alert.Silencing(silences, &a)}
	if i := slices.IndexFunc(approvals, func(p alert.Approval) bool { return p.AlertID == a.ID }); i >= 0 {
		s.Approval = approvals[i].ID
	}
	return s
}

// alertList is the answer of /api/v1/alerts.
type alertList struct {
	Alerts []shownAlert `json:"alerts"`
	// Next is the cursor of the next page; empty on the last.
	Next string `json:"next"`
	// LastVersion is where a stream goes on after this listing: the latest version
	// in it, as text because it may exceed what JavaScript's numbers hold.
	LastVersion string `json:"last_version"`
	// Silenced is how many alerts the same filters select that are left out, on this
	// and all other pages, because they are under a silence.
	Silenced uint64 `json:"silenced"`
	// Budget is absent while it is not known.
	Budget *alert.Budget `json:"budget,omitempty"`
}

func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request) {
	q, bad := parseQuery(r, listParameters(), s.deps.Now())
	if bad != nil {
		bad.write(w)
		return
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	var approvals []alert.Approval
	q.Silences, approvals = s.deps.Quiet.InForce()
	size := q.Limit
	q.Limit++ // one more tells whether there is a next page
	found, err := s.deps.Alerts.Alerts(r.Context(), q)
	if err != nil {
		s.unavailable(w, r, "alerts", err)
		return
	}
	answer := alertList{LastVersion: "0"}
	if len(found) > 0 {
		answer.LastVersion = strconv.FormatUint(found[0].Version, 10)
	}
	if len(found) > size {
		found = found[:size]
		answer.Next = strconv.FormatUint(found[size-1].Version, 10)
	}
	if answer.Silenced, err = s.leftOut(r.Context(), q); err == nil {
		answer.Alerts, err = s.inIncidents(r.Context(), found, q.Silences, approvals)
	}
	if err != nil {
		s.unavailable(w, r, "alerts", err)
		return
	}
	if b, ok := s.deps.Quiet.Budget(); ok {
		answer.Budget = &b
	}
	writeJSON(w, answer)
}

// leftOut is how many alerts the query does not show because they are silenced.
func (s *Server) leftOut(ctx context.Context, q alert.Query) (uint64, error) {
	if q.Silenced != alert.WithoutSilenced || len(q.Silences) == 0 {
		return 0, nil
	}
	q.Silenced, q.BeforeVersion = alert.OnlySilenced, 0
	return s.deps.Alerts.CountAlerts(ctx, q)
}

// inIncidents adds to alerts what the incidents say of them.
func (s *Server) inIncidents(ctx context.Context, found []alert.Alert, silences []alert.Silence, approvals []alert.Approval) ([]shownAlert, error) {
	all := make([]shownAlert, len(found))
	ids := make([]string, len(found))
	at := make(map[string]*shownAlert, len(found))
	for i, a := range found {
		all[i] = shown(a, silences, approvals)
		all[i].Related = []string{}
		ids[i], at[a.ID] = a.ID, &all[i]
	}
	if len(ids) == 0 {
		return all, nil
	}
	incidents, err := s.deps.Incidents.Incidents(ctx, alert.IncidentQuery{Alerts: ids, Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	for _, in := range incidents { // the latest first
		for _, f := range in.Folds {
			fold := append([]string{f.Lead}, f.Also...)
			for _, id := range fold {
				a := at[id]
				if a == nil || a.Incident != "" {
					continue
				}
				a.Incident = in.ID
				for _, other := range fold {
					if other != id {
						a.Related = append(a.Related, other)
					}
				}
			}
		}
	}
	return all, nil
}

func (s *Server) showAlert(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	a, ok := s.findAlert(w, r)
	if !ok {
		return
	}
	silences, approvals := s.deps.Quiet.InForce()
	all, err := s.inIncidents(r.Context(), []alert.Alert{a}, silences, approvals)
	if err != nil {
		s.unavailable(w, r, "alert", err)
		return
	}
	writeJSON(w, all[0])
}

// findAlert gives the alert of the path, or answers why not.
func (s *Server) findAlert(w http.ResponseWriter, r *http.Request) (alert.Alert, bool) {
	id := r.PathValue("id")
	a, ok, err := s.deps.Alerts.Alert(r.Context(), id)
	switch {
	case err != nil:
		s.unavailable(w, r, "alert", err)
	case !ok:
		missing("alert", id, "/api/v1/alerts").write(w)
	}
	return a, ok && err == nil
}

// missing is the problem that there is nothing with the identity.
func missing(what, id, from string) problem {
	return problem{
		Status: http.StatusNotFound, Type: "no-such-" + what, Title: "There is no such " + what,
		Detail: fmt.Sprintf("No %s has the identity %q.", what, id),
		Remedy: "Take the id from " + from + ".",
	}
}

// withLists makes lists that are missing empty, so that clients need not tell null
// from [].
func withLists(a alert.Alert) alert.Alert {
	for _, list := range []*[]string{&a.Reasons, &a.NextSteps, &a.Exporters, &a.Quality} {
		if *list == nil {
			*list = []string{}
		}
	}
	if a.Techniques == nil {
		a.Techniques = []alert.Technique{}
	}
	if a.Measures == nil {
		a.Measures = []alert.Measure{}
	}
	return a
}
