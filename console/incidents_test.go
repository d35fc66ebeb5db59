package console_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
)

// related is what another detector says about the session of sshFromAbroad.
func related(now time.Time) alert.Alert {
	a := sshFromAbroad(now)
	a.ID, a.Detector, a.Rule, a.Severity = "77aa33bb55cc99dd", "longsession", "long-session", alert.Medium
	a.Title = "A session of 203.0.113.34 with mdf3-1 lasts for 47 minutes"
	a.Techniques = []alert.Technique{{ID: "T1571", Name: "Non-Standard Port", Tactic: "Command and Control", Matrix: "Enterprise 17.1"}}
	return a
}

type incident struct {
	alert.Incident
	Alerts        []shownAlert `json:"alerts"`
	AlertsLeftOut int          `json:"alerts_left_out"`
}

type shownAlert struct {
	alert.Alert
	Incident   string
	Related    []string
	SilencedBy []string `json:"silenced_by"`
	Approval   string
}

type incidentListing struct {
	Incidents []alert.Incident
	Next      string
	Silenced  uint64
}

func TestIncidents(t *testing.T) {
	f := sampled(noon)
	f.alerts.put(related(noon))
	f.now = func() time.Time { return noon }
	f.quiet.now = f.now
	h := f.server(t).Handler()
	all := decode[incidentListing](t, ask(t, h, "/api/v1/incidents"))
	if len(all.Incidents) != 4 || all.Next != "" || all.Silenced != 0 || all.Incidents[0].Status != alert.IncidentOpen {
		t.Fatalf("%+v", all)
	}
	id := all.Incidents[0].ID
	w := ask(t, h, "/api/v1/incidents/"+id)
	if strings.Contains(w.Body.String(), "null") {
		t.Errorf("a missing list is null: %s", w.Body)
	}
	one := decode[incident](t, w)
	worst, other := sshFromAbroad(noon).ID, related(noon).ID
	if one.Title != sshFromAbroad(noon).Title || len(one.Alerts) != 2 || one.Alerts[0].ID != worst || !slices.Equal(one.Alerts[0].Related, []string{other}) ||
		one.Alerts[1].Incident != id || len(one.Timeline) != 3 || one.Folds[0].Lead != worst {
		t.Errorf("%+v", one)
	}
	if a := decode[shownAlert](t, ask(t, h, "/api/v1/alerts/"+other)); a.Incident != id || !slices.Equal(a.Related, []string{worst}) {
		t.Errorf("%+v", a)
	}
	list := decode[struct{ Alerts []shownAlert }](t, ask(t, h, "/api/v1/alerts"))
	if a := list.Alerts[0]; a.ID != other || a.Incident != id || !slices.Equal(a.Related, []string{worst}) {
		t.Errorf("%+v", a)
	}
	if w := ask(t, h, "/api/v1/incidents/none"); w.Code != 404 || !strings.Contains(w.Body.String(), "no-such-incident") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if high := decode[incidentListing](t, ask(t, h, "/api/v1/incidents?severity=high&since=1h")); len(high.Incidents) != 2 {
		t.Errorf("%d incidents of high severity", len(high.Incidents))
	}
	f.now = func() time.Time { return noon.Add(25 * time.Hour) }
	if quiet := decode[incidentListing](t, ask(t, f.again(t), "/api/v1/incidents")); quiet.Incidents[0].Status != alert.IncidentQuiet {
		t.Errorf("after a day it is %s", quiet.Incidents[0].Status)
	}
}

func TestIncidentsPage(t *testing.T) {
	f := newFixture()
	f.now = func() time.Time { return noon }
	for i := range 7 {
		a := silent(noon.Add(-time.Duration(i) * time.Minute))
		a.ID, a.Asset.Asset, a.Asset.Addr = fmt.Sprint("alert", i), fmt.Sprint("pe", i), tunnel(noon).Peer.Addr.Next()
		for range i {
			a.Asset.Addr = a.Asset.Addr.Next()
		}
		f.alerts.put(a)
	}
	h := f.server(t).Handler()
	var got []string
	pages := 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		answer := decode[incidentListing](t, ask(t, h, "/api/v1/incidents?limit=3&cursor="+cursor))
		for _, in := range answer.Incidents {
			got = append(got, in.AlertIDs[0])
		}
		cursor = answer.Next
	}
	if want := []string{"alert0", "alert1", "alert2", "alert3", "alert4", "alert5", "alert6"}; !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d pages: %v", pages, got)
	}
}

// TestAbsorbedIncident: whoever asks for one that grew into another gets that.
func TestAbsorbedIncident(t *testing.T) {
	f := newFixture()
	f.now = func() time.Time { return noon }
	a, b, link := tunnel(noon), listed(noon), silent(noon)
	f.alerts.put(a)
	f.alerts.put(b)
	h := f.server(t).Handler()
	was := alert.Identity("incident", b.ID)
	if in := decode[incident](t, ask(t, h, "/api/v1/incidents/"+was)); in.ID != was {
		t.Fatalf("%+v", in)
	}
	link.Asset, link.Peer, link.FirstSeen = a.Asset, b.Peer, noon.Add(-7*time.Minute)
	f.alerts.put(link)
	in := decode[incident](t, ask(t, h, "/api/v1/incidents/"+was))
	if in.ID != alert.Identity("incident", a.ID) || !slices.Equal(in.Absorbed, []string{was}) || len(in.Alerts) != 3 {
		t.Errorf("%+v", in)
	}
}

func TestBudgetIsTold(t *testing.T) {
	f := sampled(noon)
	b := alert.NewBudget(2, noon.Add(-24*time.Hour), noon, []alert.Raised{{Detector: "policy", Rule: "not-allowed", Alerts: 3}}, 1)
	f.quiet.budget = &b
	got := decode[struct{ Budget alert.Budget }](t, ask(t, f.server(t).Handler(), "/api/v1/alerts")).Budget
	if !got.Exceeded || got.New != 3 || got.PerDay != 2 || got.Silenced != 1 || got.Loudest[0].Rule != "not-allowed" || !strings.Contains(got.Text, "3 new alerts in 24 hours") {
		t.Errorf("%+v", got)
	}
}
