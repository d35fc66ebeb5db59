package console

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler answers all requests of the console, as Run serves them. Before Listen
// it takes the host for the loopback.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/alerts", s.listAlerts)
	mux.HandleFunc("/api/v1/alerts/{id}", s.showAlert)
	mux.HandleFunc("/api/v1/alerts/stream", s.streamAlerts)
	mux.HandleFunc("/api/v1/alerts/{id}/approve", s.approve)
	mux.HandleFunc("/api/v1/incidents", s.listIncidents)
	mux.HandleFunc("/api/v1/incidents/{id}", s.showIncident)
	mux.HandleFunc("/api/v1/silences", s.silences)
	mux.HandleFunc("/api/v1/silences/{id}", s.silence)
	mux.HandleFunc("/api/v1/approvals", s.listApprovals)
	mux.HandleFunc("/api/v1/approvals/{id}", s.approval)
	mux.HandleFunc("/api/v1/approvals.yaml", s.approvalsYAML)
	mux.HandleFunc("/api/v1/exporters", s.listExporters)
	mux.HandleFunc("/api/v1/hunts", s.listHunts)
	mux.HandleFunc("/api/v1/hunts/{name}", s.showHunt)
	mux.HandleFunc("/api/v1/hunts/{name}/rows", s.runHunt)
	mux.Handle("/metrics", promhttp.HandlerFor(s.deps.Gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("/healthz", s.live)
	mux.HandleFunc("/readyz", s.ready)
	mux.HandleFunc("/{$}", s.page.index)
	mux.HandleFunc("/assets/{file}", s.page.asset)
	mux.HandleFunc("/", notFound)
	return s.metrics.count(secure(s.onlyOwnHost(s.onlyKnownMethods(mux))))
}

func notFound(w http.ResponseWriter, r *http.Request) {
	problem{
		Status: http.StatusNotFound, Type: "not-found", Title: "There is nothing at this path",
		Detail: r.URL.Path + " does not exist.", Remedy: "The page is at /, the API below /api/v1/.",
	}.write(w)
}

// writeJSON answers 200 with v.
func writeJSON(w http.ResponseWriter, v any) { writeStatus(w, http.StatusOK, v) }

func writeStatus(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // v is one of this package's types, which all have a JSON form
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
