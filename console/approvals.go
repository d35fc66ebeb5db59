package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
)

// shownApproval is an approval as the API shows it.
type shownApproval struct {
	alert.Approval
	InForce bool `json:"in_force"`
}

func (s *Server) listApprovals(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	found, err := s.deps.Quiet.Approvals(r.Context(), s.deps.Now().Add(-keptFor))
	if err != nil {
		s.unavailable(w, r, "approvals", err)
		return
	}
	answer := struct {
		Approvals []shownApproval `json:"approvals"`
	}{[]shownApproval{}}
	for _, f := range found {
		answer.Approvals = append(answer.Approvals, shownApproval{f, f.InForce(s.deps.Now())})
	}
	writeJSON(w, answer)
}

// approvalsYAML answers with the approvals in force as rules of the inventory file.
func (s *Server) approvalsYAML(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/yaml") // RFC 9512
	w.Write([]byte(s.deps.Quiet.ApprovalsYAML()))
}

// approveRequest is what an approval is made of, beside its alert.
type approveRequest struct {
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
	Ticket string `json:"ticket"`
	// ExpiresAt is as RFC 3339 has it, or a duration from now on.
	ExpiresAt string `json:"expires_at"`
	// Confirm must be true where an address outside all zones is to reach a
	// lawful-intercept system, or the other way around.
	Confirm bool `json:"confirm_outside_to_lawful_intercept"`
}

// approve answers POST of /api/v1/alerts/{id}/approve.
func (s *Server) approve(w http.ResponseWriter, r *http.Request) {
	var q approveRequest
	if !readBody(w, r, &q) {
		return
	}
	a, ok := s.findAlert(w, r)
	if !ok {
		return
	}
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	p, err := alert.Approve(&a)
	if err == nil {
		p.ID, p.CreatedAt = alert.NewID(), now
		p.Owner, p.Reason, p.Ticket = strings.TrimSpace(q.Owner), strings.TrimSpace(q.Reason), strings.TrimSpace(q.Ticket)
		if p.ExpiresAt, err = parseExpiry(q.ExpiresAt, now); err == nil {
			err = p.Validate()
		}
	}
	if refused(w, err) {
		return
	}
	if a.OutsideToIntercept() && !q.Confirm {
		problem{
			Status: http.StatusConflict, Type: "confirmation-needed", Title: "This would open lawful interception to the outside",
			Detail:    "One end is a lawful-intercept system, the other an address that no zone holds: what an intruder would like to be approved.",
			Parameter: "confirm_outside_to_lawful_intercept",
			Remedy:    "Have it confirmed by the lawful-intercept duty officer over another channel; then send the field as true.",
		}.write(w)
		return
	}
	if err := s.deps.Quiet.SaveApproval(r.Context(), p); err != nil {
		s.unavailable(w, r, "approval", err)
		return
	}
	s.logger.Info("approval made", "approval", p.ID, "alert", p.AlertID, "client", p.Client.String(), "server", p.Server.String(),
		"protocol", p.Protocol, "port", p.Port, "owner", p.Owner, "ticket", p.Ticket, "expires_at", p.ExpiresAt, "remote", r.RemoteAddr)
	writeStatus(w, http.StatusCreated, shownApproval{p, true})
}

// approval answers DELETE of /api/v1/approvals/{id}: it ends the approval and keeps it
// for the record. Ending it again changes nothing.
func (s *Server) approval(w http.ResponseWriter, r *http.Request) {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	found, err := s.deps.Quiet.Approvals(r.Context(), now.Add(-keptFor))
	if err != nil {
		s.unavailable(w, r, "approval", err)
		return
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(found, func(p alert.Approval) bool { return p.ID == id })
	if i < 0 {
		missing("approval", id, "/api/v1/approvals").write(w)
		return
	}
	p := found[i]
	if p.InForce(now) {
		p.EndedAt = now
		if err := s.deps.Quiet.SaveApproval(r.Context(), p); err != nil {
			s.unavailable(w, r, "approval", err)
			return
		}
		s.logger.Info("approval ended", "approval", p.ID, "alert", p.AlertID, "remote", r.RemoteAddr)
	}
	writeJSON(w, shownApproval{p, false})
}
