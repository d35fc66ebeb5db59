package embedded

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	up       prometheus.Gauge
	restarts prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tapwatch_embedded_up",
			Help: "1 while the embedded ClickHouse answers.",
		}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapwatch_embedded_restarts_total",
			Help: "How often the embedded ClickHouse was started again after it died.",
		}),
	}
}

// Register adds the engine's metrics to reg.
func (e *Engine) Register(reg prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{e.metrics.up, e.metrics.restarts} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
