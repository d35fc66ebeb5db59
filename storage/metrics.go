package storage

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// The reasons for which records are given up, as metrics label them.
const (
	droppedRefused  = "refused"  // ClickHouse will never take them
	droppedShutdown = "shutdown" // they could not be stored before the process ended
	// They waited for ClickHouse in the spool, and the spool was full, …
	droppedSpoolFull = "spool_full"
	// … or could not be read any more, …
	droppedCorrupt = "spool_corrupt"
	// … or were cut off in the middle at the end of a file: mostly because the process was
	// killed while it wrote them, and then nobody has counted them as received.
	droppedTorn = "spool_torn"
)

type writerMetrics struct {
	received, spilled             prometheus.Counter
	rows, batches, bytes, retries prometheus.Counter
	errors, dropped               *prometheus.CounterVec
	seconds                       prometheus.Histogram
}

func newWriterMetrics(reg prometheus.Registerer, q *queue, d *disk) *writerMetrics {
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
	gauge := func(name, help string, value func() float64) {
		factory.NewGaugeFunc(prometheus.GaugeOpts{Name: "tapwatch_storage_" + name, Help: help}, value)
	}
	gauge("queue_records", "Flow records that wait to be stored, in memory and in the spool.", func() float64 { return float64(q.size()) })
	gauge("spool_records", "Flow records in the spool; with a journal those that wait in memory too.", func() float64 { return float64(d.stats().Records) })
	gauge("spool_bytes", "Bytes of the files of the spool.", func() float64 { return float64(d.stats().Bytes) })
	gauge("spool_segments", "Files of the spool, one for each insert.", func() float64 { return float64(d.stats().Segments) })
	factory.NewCounterFunc(prometheus.CounterOpts{Name: "tapwatch_storage_spool_corrupt_bytes_total",
		Help: "Bytes of the spool that could not be read any more. How many records were in them is not always known."},
		func() float64 { return float64(d.stats().CorruptBytes) })
	m := &writerMetrics{
		received: counter("received_total", "Flow records received: they are in memory or, with a journal, on disk, and will be stored."),
		spilled:  counter("spilled_total", "Flow records moved from memory to the spool, because ClickHouse did not keep up."),
		rows:     counter("rows_total", "Flow records stored."),
		batches:  counter("batches_total", "Inserts that stored flow records."),
		bytes:    counter("bytes_total", "Bytes of the values of the flow records stored, before compression."),
		retries:  counter("retries_total", "Inserts of flow records tried again."),
		errors: vector("errors_total", "Inserts of flow records that failed, by kind.", "kind",
			errorUnreachable, errorServer, errorPermanent),
		dropped: vector("rows_dropped_total", "Flow records given up, by reason.", "reason",
			droppedRefused, droppedShutdown, droppedSpoolFull, droppedCorrupt, droppedTorn),
		seconds: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "tapwatch_storage_insert_seconds", Help: "How long inserts of flow records took, failed ones included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
	m.dropped.WithLabelValues(droppedTorn).Add(float64(d.stats().TornRecords))
	return m
}
