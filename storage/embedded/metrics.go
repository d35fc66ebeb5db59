package embedded

import (
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/storage/embedded/gateway"
)

type metrics struct {
	up       prometheus.Gauge
	restarts prometheus.Counter
	gateway  *gateway.Metrics
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
		gateway: gateway.NewMetrics(),
	}
}

// Register adds the engine's metrics to reg.
func (e *Engine) Register(reg prometheus.Registerer) error {
	all := append([]prometheus.Collector{e.metrics.up, e.metrics.restarts}, e.metrics.gateway.Collectors()...)
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
