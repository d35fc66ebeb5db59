package console

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
)

const (
	// keptFor is how long after its end a silence or an approval is listed.
	keptFor = 365 * 24 * time.Hour
	// maxSilences is how many may be in force: each makes every question for alerts longer.
	maxSilences = 500
)

// shownSilence is a silence as the API shows it.
type shownSilence struct {
	alert.Silence
	InForce bool `json:"in_force"`
}

// silences answers /api/v1/silences: the list, or a new one.
func (s *Server) silences(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.addSilence(w, r)
		return
	}
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	found, err := s.deps.Quiet.Silences(r.Context(), s.deps.Now().Add(-keptFor))
	if err != nil {
		s.unavailable(w, r, "silences", err)
		return
	}
	answer := struct {
		Silences []shownSilence `json:"silences"`
	}{[]shownSilence{}}
	for _, f := range found {
		answer.Silences = append(answer.Silences, shownSilence{f, f.InForce(s.deps.Now())})
	}
	writeJSON(w, answer)
}

// silenceRequest is what a new silence is made of.
type silenceRequest struct {
	Detector string `json:"detector"`
	Rule     string `json:"rule"`
	Asset    string `json:"asset"`
	// Peer is an address or a prefix.
	Peer   string `json:"peer"`
	Port   uint16 `json:"port"`
	Reason string `json:"reason"`
	Owner  string `json:"owner"`
	// ExpiresAt is as RFC 3339 has it, or a duration from now on.
	ExpiresAt string `json:"expires_at"`
}

func (q *silenceRequest) silence(now time.Time) (alert.Silence, error) {
	a := alert.Silence{
		ID: alert.NewID(), Detector: q.Detector, Rule: q.Rule, Asset: q.Asset, Port: q.Port,
		Reason: strings.TrimSpace(q.Reason), Owner: strings.TrimSpace(q.Owner), CreatedAt: now,
	}
	var err error
	if a.Peer, err = parsePeer(q.Peer); err != nil {
		return a, err
	}
	if a.ExpiresAt, err = parseExpiry(q.ExpiresAt, now); err != nil {
		return a, err
	}
	return a, a.Validate()
}

// parsePeer reads an address or a prefix; nothing is the zero Prefix.
func parsePeer(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, &alert.FieldError{Field: "peer", Problem: fmt.Sprintf("%q is neither an address nor a prefix.", text), Remedy: "Write 198.51.100.7 or 198.51.100.0/24."}
	}
	return p, nil
}

// parseExpiry reads a moment, or how long from now on; nothing is the zero time.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC().Truncate(time.Millisecond), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, &alert.FieldError{Field: "expires_at", Problem: fmt.Sprintf("%q is not a time.", text), Remedy: "Use RFC 3339, as in 2026-03-01T06:00:00Z, or a duration from now on, as in 8h."}
}

func (s *Server) addSilence(w http.ResponseWriter, r *http.Request) {
	var q silenceRequest
	if !readBody(w, r, &q) {
		return
	}
	a, err := q.silence(s.deps.Now().UTC().Truncate(time.Millisecond))
	if refused(w, err) {
		return
	}
	if active, _ := s.deps.Quiet.InForce(); len(active) >= maxSilences {
		problem{
			Status: http.StatusConflict, Type: "too-many-silences", Title: "Too many silences are in force",
			Detail: fmt.Sprintf("%d are, which is the most.", maxSilences),
			Remedy: "End some. What is normal here belongs in the inventory as allow rules, or a threshold fits badly.",
		}.write(w)
		return
	}
	if err := s.deps.Quiet.SaveSilence(r.Context(), a); err != nil {
		s.unavailable(w, r, "silence", err)
		return
	}
	s.logger.Info("silence made", "silence", a.ID, "owner", a.Owner, "reason", a.Reason, "expires_at", a.ExpiresAt,
		"detector", a.Detector, "rule", a.Rule, "asset", a.Asset, "peer", q.Peer, "port", a.Port, "remote", r.RemoteAddr)
	writeStatus(w, http.StatusCreated, shownSilence{a, true})
}

// silence answers DELETE of /api/v1/silences/{id}: it ends the silence and keeps it for
// the record. Ending it again changes nothing.
func (s *Server) silence(w http.ResponseWriter, r *http.Request) {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	found, err := s.deps.Quiet.Silences(r.Context(), now.Add(-keptFor))
	if err != nil {
		s.unavailable(w, r, "silence", err)
		return
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(found, func(a alert.Silence) bool { return a.ID == id })
	if i < 0 {
		missing("silence", id, "/api/v1/silences").write(w)
		return
	}
	a := found[i]
	if a.InForce(now) {
		a.EndedAt = now
		if err := s.deps.Quiet.SaveSilence(r.Context(), a); err != nil {
			s.unavailable(w, r, "silence", err)
			return
		}
		s.logger.Info("silence ended", "silence", a.ID, "owner", a.Owner, "remote", r.RemoteAddr)
	}
	writeJSON(w, shownSilence{a, false})
}
