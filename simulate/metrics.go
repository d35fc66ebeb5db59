package simulate

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of Run, by router.
type metrics struct {
	records, datagrams, sendErrors *prometheus.CounterVec
}

// newMetrics registers the counters, which must not be registered yet.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tapwatch", Subsystem: "simulate", Name: name, Help: help,
		}, []string{"router"})
	}
	m := &metrics{
		records:    counter("records_total", "Flow records that simulated routers exported."),
		datagrams:  counter("datagrams_total", "Datagrams that simulated routers sent."),
		sendErrors: counter("send_errors_total", "Datagrams that could not be sent."),
	}
	for _, c := range []prometheus.Collector{m.records, m.datagrams, m.sendErrors} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of the simulation: %w", err)
		}
	}
	return m, nil
}
