package console

import (
	"encoding/json"
	"net/http"
)

// problem is an error as RFC 9457 writes it, application/problem+json, with two
// members of our own: the parameter at fault and what to do.
type problem struct {
	// Type is the last part of the problem's URI, in kebab case.
	Type   string
	Title  string
	Status int
	Detail string
	// Parameter is the query parameter or header at fault, if any.
	Parameter string
	Remedy    string
}

// MarshalJSON writes the members in the order a person reads them.
func (p problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Parameter string `json:"parameter,omitempty"`
		Remedy    string `json:"remedy,omitempty"`
	}{"urn:tapwatch:problem:" + p.Type, p.Title, p.Status, p.Detail, p.Parameter, p.Remedy})
}

func (p problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n'))
}

// badParameter is the problem of a query parameter that cannot be used.
func badParameter(name, detail, remedy string) *problem {
	return &problem{
		Status: http.StatusBadRequest, Type: "bad-parameter", Title: "A parameter of the request cannot be used",
		Detail: detail, Parameter: name, Remedy: remedy,
	}
}

// unavailable answers that storage failed, and logs why unless the client left.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, what string, err error) {
	if r.Context().Err() == nil {
		s.logger.Error("cannot answer from storage", "what", what, "path", r.URL.Path, "error", err)
	}
	problem{
		Status: http.StatusServiceUnavailable, Type: "storage-unavailable", Title: "Storage does not answer",
		Detail: "The " + what + " could not be read. The log has the reason.",
		Remedy: "Try again shortly; /readyz says what is not ready.",
	}.write(w)
}
