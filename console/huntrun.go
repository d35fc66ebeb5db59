package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tapwatch/hunts"
)

const (
	// maxHunting is how many hunts may run at once; each may use all processors and much
	// memory, and nobody has asked who it is that runs it.
	maxHunting = 4
	// huntWriteTimeout is how long a hunt and the sending of its rows may take.
	huntWriteTimeout = 2 * time.Minute

	defaultHuntRows = 1000
	maxHuntRows     = 10_000
)

// huntRequest is what the parameters of /api/v1/hunts/{name}/rows say.
type huntRequest struct {
	values map[string]string
	csv    bool
	limit  int
}

// runHunt binds and runs a hunt, and answers with its rows.
func (s *Server) runHunt(w http.ResponseWriter, r *http.Request) {
	h := s.findHunt(w, r)
	if h == nil {
		return
	}
	asked, bad := s.huntRequest(r, h)
	if bad != nil {
		bad.write(w)
		return
	}
	select {
	case s.hunting <- struct{}{}:
		defer func() { <-s.hunting }()
	default:
		w.Header().Set("Retry-After", "5")
		problem{
			Status: http.StatusServiceUnavailable, Type: "too-many-hunts", Title: "Too many hunts run",
			Detail: fmt.Sprintf("%d hunts run at this time, and no more may.", maxHunting), Remedy: "Try again shortly.",
		}.write(w)
		return
	}
	err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(huntWriteTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	found, err := s.deps.Hunter.Hunt(r.Context(), h.SQL, asked.values, asked.limit)
	switch {
	case err != nil:
		s.huntFailed(w, r, err)
	case asked.csv:
		s.writeHuntCSV(w, h, &found)
	default:
		s.writeHuntJSON(w, r, &found)
	}
}

// huntRequest reads the parameters of the request: those of the hunt, limit and format.
func (s *Server) huntRequest(r *http.Request, h *hunts.Hunt) (huntRequest, *problem) {
	asked := huntRequest{values: map[string]string{}, limit: defaultHuntRows, csv: prefersCSV(r.Header.Get("Accept"))}
	if hasParam(h, "limit") {
		asked.limit = maxHuntRows // the hunt has its own
	}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return asked, badParameter("", "The query string cannot be read: "+err.Error()+".", "Percent-encode the values.")
	}
	for name, values := range given {
		if len(values) > 1 {
			return asked, badParameter(name, fmt.Sprintf("It is given %d times.", len(values)), "Give it once.")
		}
		value, ours := values[0], !hasParam(h, name)
		switch {
		case value == "": // counts as not given
		case len(value) > maxValue:
			return asked, badParameter(name, fmt.Sprintf("It is %d bytes long.", len(value)), fmt.Sprintf("Use at most %d bytes.", maxValue))
		case ours && name == "limit":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxHuntRows {
				return asked, badParameter(name, fmt.Sprintf("%q is not a number from 1 to %d.", value, maxHuntRows), "Use a number in that range.")
			}
			asked.limit = n
		case ours && name == "format":
			if value != "json" && value != "csv" {
				return asked, badParameter(name, fmt.Sprintf("%q is not a format.", value), "Use json or csv.")
			}
			asked.csv = value == "csv"
		default:
			asked.values[name] = value
		}
	}
	asked.values, err = h.Bind(asked.values, s.deps.Now())
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		name, _, _ := strings.Cut(text, ":")
		return asked, badParameter(name, text+".", "See /api/v1/hunts/"+h.Name+" for its parameters; limit and format are ours.")
	}
	return asked, nil
}

func hasParam(h *hunts.Hunt, name string) bool {
	for _, p := range h.Params {
		if p.Name == name {
			return true
		}
	}
	return false
}

// prefersCSV tells whether an Accept header asks for text/csv, and not for JSON before it.
func prefersCSV(accept string) bool {
	for kind := range strings.SplitSeq(accept, ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/csv":
			return true
		case "application/json", "*/*":
			return false
		}
	}
	return false
}

// huntFailed answers that a hunt has no rows to give.
func (s *Server) huntFailed(w http.ResponseWriter, r *http.Request, err error) {
	var query *HuntError
	if !errors.As(err, &query) {
		s.unavailable(w, r, "hunt", err)
		return
	}
	if query.Limit {
		problem{
			Status: http.StatusGatewayTimeout, Type: "hunt-limit", Title: "The hunt took too long or too much",
			Detail: sentence(query.Words), Remedy: "Let since be later, or name an asset or address.",
		}.write(w)
		return
	}
	s.logger.Error("hunt failed", "path", r.URL.Path, "error", err)
	problem{
		Status: http.StatusInternalServerError, Type: "hunt-failed", Title: "ClickHouse refuses the hunt",
		Detail: sentence(query.Words), Remedy: "The tables may be older than the hunt: run `tapwatch migrate`, else tell its author.",
	}.write(w)
}

// sentence gives words a capital and a full stop.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + strings.TrimSuffix(words[1:], ".") + "."
}
