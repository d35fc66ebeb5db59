package console

import (
	"fmt"
	"net/http"
	"strconv"

	"tapwatch/alert"
)

// alertList is the answer of /api/v1/alerts.
type alertList struct {
	Alerts []alert.Alert `json:"alerts"`
	// Next is the cursor of the next page; empty on the last.
	Next string `json:"next"`
	// LastVersion is where a stream goes on after this listing: the latest version
	// in it, as text because it may exceed what JavaScript's numbers hold.
	LastVersion string `json:"last_version"`
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
	size := q.Limit
	q.Limit++ // one more tells whether there is a next page
	found, err := s.deps.Alerts.Alerts(r.Context(), q)
	if err != nil {
		s.unavailable(w, r, "alerts", err)
		return
	}
	answer := alertList{Alerts: make([]alert.Alert, 0, len(found)), LastVersion: "0"}
	for i, a := range found {
		if i == size {
			answer.Next = strconv.FormatUint(found[i-1].Version, 10)
			break
		}
		answer.Alerts = append(answer.Alerts, withLists(a))
	}
	if len(found) > 0 {
		answer.LastVersion = strconv.FormatUint(found[0].Version, 10)
	}
	writeJSON(w, answer)
}

func (s *Server) showAlert(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	id := r.PathValue("id")
	a, ok, err := s.deps.Alerts.Alert(r.Context(), id)
	switch {
	case err != nil:
		s.unavailable(w, r, "alert", err)
	case !ok:
		problem{
			Status: http.StatusNotFound, Type: "no-such-alert", Title: "There is no such alert",
			Detail: fmt.Sprintf("No alert has the identity %q.", id),
			Remedy: "Take the id from /api/v1/alerts.",
		}.write(w)
	default:
		writeJSON(w, withLists(a))
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
	return a
}
