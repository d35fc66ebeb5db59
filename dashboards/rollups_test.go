package dashboards_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/dashboards/grafana"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// timezones are those that the tests give a server: rollups are by the hours of UTC,
// which in the second one begin in the middle of an hour.
var timezones = []string{"UTC", "Asia/Kolkata"}

func askIn(t *testing.T, s *storage.Store, timezone, sql string) result {
	t.Helper()
	r, err := askWith(t, s, sql, clickhouse.Settings{"session_timezone": timezone})
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return r
}

// insertOften inserts a packet of one byte from a peer for an LI system at every one of
// the times, as three routers tell it: one samples one of so many packets, one tells it
// twice, where it enters and where it leaves, and one does not say its sampling rate.
func insertOften(t *testing.T, s *storage.Store, times []time.Time, sampling uint32) {
	t.Helper()
	var millis []int64
	for _, at := range times {
		millis = append(millis, at.UnixMilli())
	}
	const insert = `INSERT INTO flows (received_at, exporter, sampling_interval, direction, src_addr, dst_addr, src_port, dst_port, protocol,
		bytes, packets, src_country, src_asn, src_as_org, dst_zone, dst_zone_kind, dst_asset, initiator, asset_end, watched, in_if, out_if)
	SELECT fromUnixTimestamp64Milli(arrayJoin(?)), exporter, sampling, side, '203.0.113.7', '10.66.0.10', 40001, 443, 6,
		1, 1, 'RU', 64500, 'EXAMPLE-RU', 'li-east', 'lawful-intercept', 'admf-1', 'src', 'dst', true, 7, 8
	FROM VALUES('exporter String, sampling UInt32, side String',
		('10.30.0.1', ?, 'ingress'), ('10.30.0.2', 1, 'ingress'), ('10.30.0.2', 1, 'egress'), ('10.30.0.3', 0, 'unknown'))`
	if err := s.Exec(t.Context(), insert, millis, sampling); err != nil {
		t.Fatal(err)
	}
}

// minutely are the middles of all minutes of the length before now.
func minutely(now time.Time, length time.Duration) (all []time.Time) {
	for at := now.Add(-length).Truncate(time.Minute).Add(30 * time.Second); at.Before(now); at = at.Add(time.Minute) {
		all = append(all, at)
	}
	return all
}

// TestTablesCountWholeMinutesOnce compares the bytes in tables of many time ranges,
// which are put together from hours and minutes, with the number of minutes that the
// range touches.
func TestTablesCountWholeMinutesOnce(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Hour).Add(17*time.Minute + 40*time.Second)
	for _, c := range []struct {
		sampling uint32
		told     uint64 // bytes a minute that the router tells that tells best
	}{
		{3, 1},     // the one that samples least
		{901, 901}, // the others saw less than a tenth of it
	} {
		store := testkit.Store(t)
		insertOften(t, store, minutely(now, 6*time.Hour), c.sampling)
		for _, timezone := range timezones {
			for _, length := range []time.Duration{
				10 * time.Second, 7 * time.Minute, 18 * time.Minute, time.Hour, 78 * time.Minute, 137 * time.Minute, 5 * time.Hour,
			} {
				minutes := uint64(len(minutely(now, length)))
				for name, want := range map[string]struct {
					column int
					bytes  uint64
				}{
					"Countries that talk with protected zones/A": {1, c.told},
					"Networks that talk with protected zones/A":  {2, c.told},
					"Conversations with protected systems/A":     {6, c.told},
					"Busiest interfaces/A":                       {2, uint64(c.sampling)},
				} {
					r := askIn(t, store, timezone, interpolated(t, query(t, name), everything(), now, length))
					if len(r.rows) == 0 || r.rows[0][want.column] != minutes*want.bytes {
						t.Errorf("%s of %s, one of %d sampled, server in %s: %v, want %d bytes",
							name, length, c.sampling, timezone, r.rows, minutes*want.bytes)
					}
				}
			}
		}
	}
}

// TestSeriesCountWholeIntervals compares what graphs add up to with the records of the
// intervals they show: minutes in short ranges, hours in long ones.
func TestSeriesCountWholeIntervals(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Hour).Add(17*time.Minute + 40*time.Second)
	store := testkit.Store(t)
	insertOften(t, store, minutely(now, 6*time.Hour), 901)
	for _, timezone := range timezones {
		for _, length := range []time.Duration{20 * time.Minute, 5 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour} {
			interval := grafana.Interval(length, 400, time.Minute)
			records := 0
			for _, at := range minutely(now, 6*time.Hour) {
				if !at.Before(now.Add(-length).Truncate(interval)) && at.Before(now.Truncate(interval)) {
					records++
				}
			}
			seconds := interval.Seconds()
			for name, want := range map[string]float64{
				"Traffic of protected zones/to": float64(records) * (901 + 1 + 1 + 1) * 8 / seconds,
				"Services of protected zones/A": float64(records) * 4 / seconds,
				"Traffic by exporter/A":         float64(records) * (901 + 1 + 1) * 8 / seconds, // the second side does not count
			} {
				r := askIn(t, store, timezone, interpolated(t, query(t, name), everything(), now, length))
				var got float64
				for _, row := range r.rows {
					got += row[len(row)-1].(float64)
				}
				if fmt.Sprintf("%.3f", got) != fmt.Sprintf("%.3f", want) {
					t.Errorf("%s of %s in intervals of %s, server in %s: %g, want %g", name, length, interval, timezone, got, want)
				}
			}
		}
	}
}
