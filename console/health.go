package console

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// readyTimeout is how long one check may take.
const readyTimeout = 3 * time.Second

// live answers /healthz: the process runs and serves.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

// ready answers /readyz: 200 when all checks pass, else 503 that says which do not.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	answer := struct {
		Ready  bool              `json:"ready"`
		Checks map[string]string `json:"checks"`
	}{Ready: true, Checks: map[string]string{}}

	results := make([]error, len(s.deps.Checks))
	var wg sync.WaitGroup
	for i, c := range s.deps.Checks {
		wg.Go(func() { results[i] = c.Ready(ctx) })
	}
	wg.Wait()
	for i, c := range s.deps.Checks {
		answer.Checks[c.Name] = "ok"
		if results[i] != nil {
			answer.Ready, answer.Checks[c.Name] = false, results[i].Error()
		}
	}
	if answer.Ready {
		writeJSON(w, answer)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	json.NewEncoder(w).Encode(answer)
}
