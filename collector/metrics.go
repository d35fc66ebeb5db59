package collector

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics exposes what the decoders count anyway, read when Prometheus asks. There
// is no label for the exporter: anyone can make up exporters.
type metrics struct {
	collector *Collector

	datagrams, bytes, records, options, unsampled        *prometheus.Desc
	lostRecords, lostDatagrams, lateDatagrams, restarts  *prometheus.Desc
	dropped, exporters, templates                        *prometheus.Desc
	waitingSets, waitingBytes, queued, watermark         *prometheus.Desc
	buffer, failed, socketDropped, connections, accepted *prometheus.Desc
}

func newMetrics(c *Collector) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tapwatch_collector_"+name, help, labels, nil)
	}
	return &metrics{
		collector:     c,
		datagrams:     desc("datagrams_total", "Datagrams, and messages of connections, received and decoded or refused."),
		bytes:         desc("bytes_total", "Payload bytes of these."),
		records:       desc("records_total", "Flow records received: decoded and handed on to be stored."),
		options:       desc("options_records_total", "Options data records and sFlow counter samples decoded."),
		unsampled:     desc("unsampled_records_total", "Flow records whose sampling interval is not known."),
		lostRecords:   desc("lost_records_total", "Flow records that exporters sent and that never came, by their sequence numbers."),
		lostDatagrams: desc("lost_datagrams_total", "Datagrams that exporters sent and that never came, by their sequence numbers."),
		lateDatagrams: desc("late_datagrams_total", "Datagrams that came after later ones."),
		restarts:      desc("restarts_total", "Times an exporter began its sequence anew."),
		dropped:       desc("dropped_total", "Datagrams, sets, templates, records or connections dropped, by reason.", "reason"),
		exporters:     desc("exporters", "Exporters known."),
		templates:     desc("templates", "Templates known."),
		waitingSets:   desc("waiting_sets", "Data sets that wait for their template."),
		waitingBytes:  desc("waiting_bytes", "Bytes that these count for."),
		queued:        desc("queue_bytes", "Bytes that wait for a worker."),
		watermark:     desc("watermark_timestamp_seconds", "All records received before it were handed on."),
		buffer:        desc("receive_buffer_bytes", "Receive buffer that the kernel granted to each socket of the address.", "listen"),
		failed:        desc("receive_errors_total", "Receives that failed, and connections that could not be accepted.", "listen"),
		socketDropped: desc("socket_dropped_total", "Datagrams that the kernel dropped because the receive buffer was full.", "listen", "socket"),
		connections:   desc("connections", "Connections open.", "transport"),
		accepted:      desc("connections_total", "Connections opened, those that failed in the handshake not counted.", "transport"),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.datagrams, m.bytes, m.records, m.options, m.unsampled,
		m.lostRecords, m.lostDatagrams, m.lateDatagrams, m.restarts,
		m.dropped, m.exporters, m.templates,
		m.waitingSets, m.waitingBytes, m.queued, m.watermark,
		m.buffer, m.failed, m.socketDropped, m.connections, m.accepted,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	var total Tally
	var held Size
	exporters, queued := 0, 0
	for _, w := range m.collector.workers {
		queued += w.queue.waitingBytes()
		w.refuse()
		w.mu.Lock()
		t := w.total()
		total.Add(&t)
		exporters += len(w.decoder.table.byAddr)
		for _, e := range w.decoder.table.byAddr {
			held.add(e.held, 1)
		}
		w.mu.Unlock()
	}
	counters := exposition{ch, prometheus.CounterValue}
	counters.add(m.datagrams, total.Datagrams)
	counters.add(m.bytes, total.Bytes)
	counters.add(m.records, total.Records)
	counters.add(m.options, total.OptionsRecords)
	counters.add(m.unsampled, total.Unsampled)
	counters.add(m.lostRecords, total.LostRecords)
	counters.add(m.lostDatagrams, total.LostDatagrams)
	counters.add(m.lateDatagrams, total.LateDatagrams)
	counters.add(m.restarts, total.Restarts)
	for r, n := range total.Dropped {
		counters.add(m.dropped, n, Reason(r).String())
	}
	gauges := exposition{ch, prometheus.GaugeValue}
	gauges.add(m.exporters, uint64(exporters))
	gauges.add(m.templates, uint64(held.Templates))
	gauges.add(m.waitingSets, uint64(held.WaitingSets))
	gauges.add(m.waitingBytes, uint64(held.WaitingBytes))
	gauges.add(m.queued, uint64(queued))
	ch <- prometheus.MustNewConstMetric(m.watermark, prometheus.GaugeValue, float64(m.collector.Watermark().UnixMilli())/1000)
	m.sockets(counters, gauges)
	m.streams(counters, gauges)
}

// sockets exposes what there is of each UDP socket, and of each address.
func (m *metrics) sockets(counters, gauges exposition) {
	failed := make(map[string]uint64)
	for _, s := range m.collector.bound() {
		listen := s.listens()
		s.lookForDrops()
		counters.add(m.socketDropped, s.dropped.Load(), listen, strconv.Itoa(s.number))
		failed[listen] += s.failed.Load()
		if s.number == 0 {
			gauges.add(m.buffer, uint64(s.granted), listen)
		}
	}
	for listen, n := range failed {
		counters.add(m.failed, n, listen)
	}
}

// streams exposes what there is of connections.
func (m *metrics) streams(counters, gauges exposition) {
	for _, transport := range []string{transportTCP, transportTLS, transportDTLS} {
		open, accepted := uint64(0), uint64(0)
		for _, l := range m.collector.streams.bound() {
			if l.transport == transport {
				open += uint64(l.connections.Load())
				accepted += l.accepted.Load()
				counters.add(m.failed, l.failed.Load(), l.listens())
				if u := l.socket; u != nil { // DTLS
					u.lookForDrops()
					counters.add(m.socketDropped, u.dropped.Load(), l.listens(), strconv.Itoa(u.number))
					gauges.add(m.buffer, uint64(u.granted), l.listens())
				}
			}
		}
		gauges.add(m.connections, open, transport)
		counters.add(m.accepted, accepted, transport)
	}
}

// exposition gives values of one type.
type exposition struct {
	ch   chan<- prometheus.Metric
	kind prometheus.ValueType
}

func (e exposition) add(d *prometheus.Desc, n uint64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, e.kind, float64(n), labels...)
}
