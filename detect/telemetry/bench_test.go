package telemetry_test

import (
	"fmt"
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/telemetry"
	"tapwatch/internal/testkit"
)

// BenchmarkMinute measures a minute in which nothing happens, live and in a backtest,
// with the roll-ups of so many routers over eight days (a thousand: three hours).
func BenchmarkMinute(b *testing.B) {
	for _, routers := range []int{12, 1000} {
		for _, ahead := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d routers, ahead %t", routers, ahead), func(b *testing.B) { benchMinute(b, routers, ahead) })
		}
	}
}

func benchMinute(b *testing.B, routers int, ahead bool) {
	store := testkit.Store(b)
	minutes := 8 * 24 * 60
	if routers > 100 {
		minutes = 3 * 60
	}
	from := at(0).Add(-time.Duration(minutes) * time.Minute)
	for _, query := range []string{
		`INSERT INTO exporter_activity (at, exporter, flows, last_received_at, inserted_at)
			SELECT {from:DateTime64(3)} + 10 * intDiv(number, {n:UInt64}), toIPv6(toString(toIPv4(toUInt32(169738240 + number % {n:UInt64})))), 100, {from:DateTime64(3)} + 10 * intDiv(number, {n:UInt64}) + 9, now()
			FROM numbers({n:UInt64} * {minutes:UInt64} * 6)`,
		`INSERT INTO exporter_minute (at, exporter, export_protocol, sampling_interval, flows, tcp, ported, with_tcp_flags, with_ports, with_times, inserted_on)
			SELECT {from:DateTime64(3)} + 60 * intDiv(number, {n:UInt64}), toIPv6(toString(toIPv4(toUInt32(169738240 + number % {n:UInt64})))), 'ipfix', 1000, 600, 400, 500, 400, 500, 600, today()
			FROM numbers({n:UInt64} * {minutes:UInt64})`,
		`INSERT INTO device_minute (at, device, log, server, exporter, flows, inserted_on)
			SELECT {from:DateTime64(3)} + 60 * intDiv(number, {n:UInt64} * 2), toIPv6(toString(toIPv4(toUInt32(169738240 + number % {n:UInt64})))), if(number % (2 * {n:UInt64}) < {n:UInt64}, 'syslog', 'none'), toIPv6('10.20.0.30'), toIPv6('10.30.0.3'), 2, today()
			FROM numbers(2 * {n:UInt64} * {minutes:UInt64})`,
		`INSERT INTO traffic_minute (at, exporter, in_if, out_if, flows, inserted_on)
			SELECT {from:DateTime64(3)} + 60 * intDiv(number, {n:UInt64} * 5), toIPv6(toString(toIPv4(toUInt32(169738240 + number % {n:UInt64})))), intDiv(number % (5 * {n:UInt64}), {n:UInt64}) + 1, 99, 2, today()
			FROM numbers(5 * {n:UInt64} * {minutes:UInt64})`,
	} {
		if err := store.Exec(b.Context(), query, detect.Param("from", from), detect.Param("n", uint64(routers)), detect.Param("minutes", uint64(minutes))); err != nil {
			b.Fatal(err)
		}
	}
	h := &history{Store: detecttest.Store(store)}
	if ahead {
		h.complete = at(0)
	}
	start := at(0).Add(-24 * time.Hour)
	if routers > 100 {
		start = at(0).Add(-time.Hour)
	}
	d := telemetry.New(telemetry.DefaultConfig(), detecttest.Inventory(b, detecttest.Operator))
	minute := func(now time.Time) {
		if _, err := d.Detect(b.Context(), detect.Window{Start: now, End: now.Add(time.Minute)}, h); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	minute(start)
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "first-ms")
	b.ResetTimer()
	now := start
	for range b.N {
		if now = now.Add(time.Minute); !now.Before(at(0)) {
			now = start.Add(time.Minute)
		}
		minute(now)
	}
}
