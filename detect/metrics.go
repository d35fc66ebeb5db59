package detect

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of all detectors, by detector.
type metrics struct {
	windows, failures, findings, held *prometheus.CounterVec
	seconds                           *prometheus.HistogramVec
	sessions                          prometheus.Counter
}

// detectorMetrics are those of one detector; findings has the severity still open.
type detectorMetrics struct {
	windows, errors, held prometheus.Counter
	findings              *prometheus.CounterVec
	seconds               prometheus.Observer
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		windows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_detect_windows_total",
			Help: "Windows that a detector has finished.",
		}, []string{"detector"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_detect_errors_total",
			Help: "Attempts at a window that failed; each is tried again.",
		}, []string{"detector"}),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_detect_findings_total",
			Help: "Findings recorded, by severity; one alert has one for each window it shows in.",
		}, []string{"detector", "severity"}),
		held: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_detect_held_total",
			Help: "Findings that a maintenance window held back.",
		}, []string{"detector"}),
		sessions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapwatch_detect_sessions_total",
			Help: "Sessions made of watched flow records, counted in each pane in which they were active.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tapwatch_detect_window_seconds",
			Help:    "How long a detector took for a window, its queries and the recording included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"detector"}),
	}
	return m, errors.Join(reg.Register(m.windows), reg.Register(m.failures), reg.Register(m.findings), reg.Register(m.seconds), reg.Register(m.held), reg.Register(m.sessions))
}

// of makes the series of one detector, so that they show before the first event.
func (m *metrics) of(detector string) detectorMetrics {
	return detectorMetrics{
		windows:  m.windows.WithLabelValues(detector),
		errors:   m.failures.WithLabelValues(detector),
		held:     m.held.WithLabelValues(detector),
		findings: m.findings,
		seconds:  m.seconds.WithLabelValues(detector),
	}
}
