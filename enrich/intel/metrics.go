package intel

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the enrichment. The label list is the list's name.
type metrics struct {
	indicators *prometheus.GaugeVec
	matches    *prometheus.CounterVec
	reloads    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		indicators: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tapwatch_intel_indicators",
			Help: "Addresses and prefixes of the list in force.",
		}, []string{"list"}),
		matches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_intel_matches_total",
			Help: "Ends of flow records that the list names.",
		}, []string{"list"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_intel_reloads_total",
			Help: "Reloads of the lists by result: ok, or failed, which kept those of before.",
		}, []string{"result"}),
	}
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	return m, errors.Join(reg.Register(m.indicators), reg.Register(m.matches), reg.Register(m.reloads))
}
