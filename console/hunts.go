package console

import (
	"fmt"
	"net/http"

	"tapwatch/hunts"
)

// HuntColumn is a column of a hunt's answer, with its type as ClickHouse names it.
type HuntColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// HuntRows is what a hunt found.
type HuntRows struct {
	Columns []HuntColumn
	// Rows have a value for each column, such as encoding/json takes.
	Rows [][]any
	// Truncated says that there were more rows than asked for.
	Truncated bool
}

// HuntError is what ClickHouse has against a hunt's query.
type HuntError struct {
	// Words say what is wrong and what to do.
	Words string
	// Limit says that the query took too long or too much.
	Limit bool
	Err   error
}

func (e *HuntError) Error() string { return e.Err.Error() }

// Unwrap gives the error behind it.
func (e *HuntError) Unwrap() error { return e.Err }

// huntParameter is a parameter in the API.
type huntParameter struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	Default  string `json:"default"`
	Comment  string `json:"comment"`
}

type huntTechnique struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// hunt is a hunt in the API; SQL is there where it is the only one.
type hunt struct {
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	Finds      string          `json:"finds"`
	Techniques []huntTechnique `json:"techniques"`
	Parameters []huntParameter `json:"parameters"`
	SQL        string          `json:"sql,omitempty"`
}

// huntList is the answer of /api/v1/hunts.
type huntList struct {
	Hunts []hunt `json:"hunts"`
}

func toHunt(h *hunts.Hunt) hunt {
	shown := hunt{Name: h.Name, Title: h.Title, Finds: h.Finds, Techniques: []huntTechnique{}, Parameters: []huntParameter{}}
	for _, t := range h.Techniques {
		shown.Techniques = append(shown.Techniques, huntTechnique(t))
	}
	for _, p := range h.Params {
		shown.Parameters = append(shown.Parameters, huntParameter{p.Name, string(p.Type), p.Required, p.Default, p.Comment})
	}
	return shown
}

func (s *Server) listHunts(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	answer := huntList{Hunts: make([]hunt, 0, len(s.deps.Hunts))}
	for i := range s.deps.Hunts {
		answer.Hunts = append(answer.Hunts, toHunt(&s.deps.Hunts[i]))
	}
	writeJSON(w, answer)
}

func (s *Server) showHunt(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	h := s.findHunt(w, r)
	if h == nil {
		return
	}
	shown := toHunt(h)
	shown.SQL = h.SQL
	writeJSON(w, shown)
}

// findHunt gives the hunt of the path, or answers that there is none.
func (s *Server) findHunt(w http.ResponseWriter, r *http.Request) *hunts.Hunt {
	name := r.PathValue("name")
	for i := range s.deps.Hunts {
		if s.deps.Hunts[i].Name == name {
			return &s.deps.Hunts[i]
		}
	}
	problem{
		Status: http.StatusNotFound, Type: "no-such-hunt", Title: "There is no such hunt",
		Detail: fmt.Sprintf("No hunt has the name %q.", name),
		Remedy: "Take the name from /api/v1/hunts.",
	}.write(w)
	return nil
}
