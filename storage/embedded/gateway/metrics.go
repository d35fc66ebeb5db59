package gateway

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what keeps clients out. Safe for concurrent use.
type Metrics struct {
	// Refused counts connections ended at once because too many others had shown
	// no password yet.
	Refused prometheus.Counter
	// AcceptErrors counts failures to accept a connection that were waited out.
	AcceptErrors prometheus.Counter
}

// NewMetrics makes the metrics; the caller registers them, see Collectors.
func NewMetrics() *Metrics {
	return &Metrics{
		Refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapwatch_embedded_refused_connections_total",
			Help: "Connections to the embedded ClickHouse refused because too many others had shown no password yet.",
		}),
		AcceptErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapwatch_embedded_accept_errors_total",
			Help: "Failures to accept a connection to the embedded ClickHouse, such as no free file descriptor.",
		}),
	}
}

// Collectors are all of them.
func (m *Metrics) Collectors() []prometheus.Collector {
	return []prometheus.Collector{m.Refused, m.AcceptErrors}
}
