package collector_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
)

// TestKernelDrops: what the kernel drops because nobody reads is counted too.
func TestKernelDrops(t *testing.T) {
	payload, records := netflow5(t)
	cfg := collector.DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.ReceiveBufferBytes = 1 << 16
	cfg.HealthInterval = time.Second // when drops are counted
	cfg.BatchRecords = 1
	var s sink
	v := &server{reg: prometheus.NewRegistry()}
	var err error
	if v.Collector, err = collector.New(cfg, protocols, nil, &s, &s, slog.New(slog.DiscardHandler), v.reg); err != nil {
		t.Fatal(err)
	}
	if err := v.Listen(); err != nil {
		t.Fatal(err)
	}
	c := dial(t, "127.0.0.1", v.Addrs()[0])
	const n = 500 // of more than 1 kB each
	for range n {
		send(t, c, payload)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	eventually(t, "the first datagrams", func() bool { return s.records() > 0 })
	// The kernel tells of its drops with the next datagram that it keeps.
	eventually(t, "a counted drop", func() bool {
		send(t, c, payload)
		return v.metric(t, "tapwatch_collector_dropped_total{reason=socket_buffer_full}") > 0
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := s.dropped("socket_buffer_full"); got == 0 {
		t.Errorf("%d records of %d, and no drop counted", s.records(), n*records)
	}
}
