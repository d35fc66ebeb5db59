package geo

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the enrichment. The label database is country or asn.
type metrics struct {
	unknownCountry, unknownASN prometheus.Counter
	unknown                    *prometheus.CounterVec
	built                      *prometheus.GaugeVec
	reloads                    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		unknown: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_geo_not_found_total",
			Help: "Public addresses that the database did not know.",
		}, []string{"database"}),
		built: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tapwatch_geo_database_build_timestamp_seconds",
			Help: "When the database in force was built, in Unix seconds.",
		}, []string{"database"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_geo_reloads_total",
			Help: "Reloads of the databases by result: ok, or failed, which kept those of before.",
		}, []string{"result"}),
	}
	m.unknownCountry, m.unknownASN = m.unknown.WithLabelValues("country"), m.unknown.WithLabelValues("asn")
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	return m, errors.Join(reg.Register(m.unknown), reg.Register(m.built), reg.Register(m.reloads))
}

func (m *metrics) count(unknown misses) {
	m.unknownCountry.Add(float64(unknown.country))
	m.unknownASN.Add(float64(unknown.asn))
}
