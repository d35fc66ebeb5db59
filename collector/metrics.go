package collector

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics exposes what the decoders count anyway, read when Prometheus asks. There
// is no label for the exporter: anyone can make up exporters.
type metrics struct {
	collector *Collector

	datagrams, bytes, records, options, unsampled *prometheus.Desc
	dropped, exporters, templates                 *prometheus.Desc
	queued, buffer, failed, watermark             *prometheus.Desc
}

func (c *Collector) register(reg prometheus.Registerer) error {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tapwatch_collector_"+name, help, labels, nil)
	}
	return reg.Register(&metrics{
		collector: c,
		datagrams: desc("datagrams_total", "Datagrams received and decoded or refused."),
		bytes:     desc("bytes_total", "UDP payload bytes of these datagrams."),
		records:   desc("records_total", "Flow records decoded."),
		options:   desc("options_records_total", "Options data records and sFlow counter samples decoded."),
		unsampled: desc("unsampled_records_total", "Flow records whose sampling interval is not known."),
		dropped:   desc("dropped_total", "Datagrams, sets, templates or records dropped, by reason.", "reason"),
		exporters: desc("exporters", "Exporters known."),
		templates: desc("templates", "Templates known."),
		queued:    desc("queue_bytes", "Bytes that wait for a worker."),
		buffer:    desc("receive_buffer_bytes", "Receive buffer that the kernel granted.", "listen"),
		failed:    desc("receive_errors_total", "Receives that failed.", "listen"),
		watermark: desc("watermark_timestamp_seconds", "All records received before it were handed on."),
	})
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.datagrams, m.bytes, m.records, m.options, m.unsampled, m.dropped,
		m.exporters, m.templates, m.queued, m.buffer, m.failed, m.watermark,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	var total Tally
	exporters, templates, queued := 0, 0, 0
	for _, w := range m.collector.workers {
		queued += w.queue.waitingBytes()
		w.mu.Lock()
		t := w.decoder.Total()
		total.Add(&t)
		exporters += len(w.decoder.table.byAddr)
		templates += w.decoder.templates()
		w.mu.Unlock()
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter(m.datagrams, total.Datagrams)
	counter(m.bytes, total.Bytes)
	counter(m.records, total.Records)
	counter(m.options, total.OptionsRecords)
	counter(m.unsampled, total.Unsampled)
	for r, n := range total.Dropped {
		counter(m.dropped, n, Reason(r).String())
	}
	gauge(m.exporters, float64(exporters))
	gauge(m.templates, float64(templates))
	gauge(m.queued, float64(queued))
	gauge(m.watermark, float64(m.collector.Watermark().UnixMilli())/1000)
	for _, s := range m.collector.bound() {
		listen := s.conn.LocalAddr().String()
		gauge(m.buffer, float64(s.granted), listen)
		counter(m.failed, s.failed.Load(), listen)
	}
}
