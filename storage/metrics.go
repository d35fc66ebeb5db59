package storage

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// The reasons for which records are given up, as metrics label them.
const (
	droppedRefused  = "refused"  // ClickHouse will never take them
	droppedShutdown = "shutdown" // they could not be stored before the process ended
)

type writerMetrics struct {
	rows, batches, bytes, retries prometheus.Counter
	errors, dropped               *prometheus.CounterVec
	seconds                       prometheus.Histogram
}

func newWriterMetrics(reg prometheus.Registerer, q *queue) *writerMetrics {
	factory := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return factory.NewCounter(prometheus.CounterOpts{Name: "tapwatch_storage_" + name, Help: help})
	}
	vector := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := factory.NewCounterVec(prometheus.CounterOpts{Name: "tapwatch_storage_" + name, Help: help}, []string{label})
		for _, value := range values {
			v.WithLabelValues(value) // so that a counter of 0 is there before the first error
		}
		return v
	}
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tapwatch_storage_queue_records", Help: "Flow records that wait to be stored.",
	}, func() float64 { return float64(q.size()) })
	return &writerMetrics{
		rows:    counter("rows_total", "Flow records stored."),
		batches: counter("batches_total", "Inserts that stored flow records."),
		bytes:   counter("bytes_total", "Bytes of the values of the flow records stored, before compression."),
		retries: counter("retries_total", "Inserts of flow records tried again."),
		errors: vector("errors_total", "Inserts of flow records that failed, by kind.", "kind",
			errorUnreachable, errorServer, errorPermanent),
		dropped: vector("rows_dropped_total", "Flow records given up, by reason.", "reason",
			droppedRefused, droppedShutdown),
		seconds: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "tapwatch_storage_insert_seconds", Help: "How long inserts of flow records took, failed ones included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
}
