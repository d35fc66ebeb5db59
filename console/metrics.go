package console

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests      *prometheus.CounterVec
	streamClients prometheus.Gauge
	streamAlerts  prometheus.Counter
	streamCuts    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_console_requests_total",
			Help: "HTTP requests answered, by route and status code. A stream counts when it ends.",
		}, []string{"route", "code"}),
		streamClients: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tapwatch_console_stream_clients",
			Help: "Clients that follow the live stream of alerts.",
		}),
		streamAlerts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapwatch_console_stream_alerts_total",
			Help: "Alerts written to streams, counted once per client.",
		}),
		streamCuts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_console_stream_cuts_total",
			Help: "Streams that the server ended before the client did, by reason: lag, write, storage.",
		}, []string{"reason"}),
	}
	return m, errors.Join(reg.Register(m.requests), reg.Register(m.streamClients), reg.Register(m.streamAlerts), reg.Register(m.streamCuts))
}

// count counts each request by the pattern that answered it, so that paths made up
// by clients do not grow the metric.
func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &statusRecorder{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(recorder, r)
		route := r.Pattern // set by the mux; empty when a guard refused the request
		if route == "" {
			route = "refused"
		}
		m.requests.WithLabelValues(route, strconv.Itoa(recorder.code)).Inc()
	})
}

// statusRecorder remembers the status code of an answer.
type statusRecorder struct {
	http.ResponseWriter
	code    int
	written bool
}

func (r *statusRecorder) WriteHeader(code int) {
	if !r.written {
		r.code, r.written = code, true
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *statusRecorder) Write(data []byte) (int, error) {
	r.written = true
	return r.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
