package dashboards_test

import (
	"testing"
	"time"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// seeded is a database with a day of what every panel has to show, up to now.
func seeded(t *testing.T, now time.Time) *storage.Store {
	t.Helper()
	s := testkit.Store(t)
	for _, sql := range []string{seedFlows, seedNewcomer, seedHealth, seedFindings} {
		if err := s.Exec(t.Context(), "INSERT INTO "+sql, now.UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// seedFlows is a record every 720 ms for a day, of six conversations in turn: a
// stranger and an LI system (both ways), delivery within the LI site, an IPv6
// stranger and a core system, and two that touch nothing protected. The last two
// minutes of one exporter are missing.
const seedFlows = `flows (
	received_at, export_delay_ms, duration_ms, exporter, export_protocol, sampling_interval,
	src_addr, dst_addr, src_port, dst_port, protocol, ip_version, bytes, packets,
	src_country, dst_country, src_asn, dst_asn, src_as_org, dst_as_org,
	src_zone, dst_zone, src_zone_kind, dst_zone_kind, src_asset, dst_asset, initiator, asset_end, watched, in_if, out_if, tcp_flags
)
SELECT
	fromUnixTimestamp64Milli(? - number * 720) AS at, 1000, 29000,
	toIPv6(['10.30.0.1', '10.30.0.2', '10.30.0.3', '2001:db8:30::1'][1 + intDiv(number, 6) % 4]),
	['netflow5', 'netflow9', 'ipfix', 'sflow5'][1 + intDiv(number, 6) % 4],
	[1000, 1000, 1, 1000, 1, 0][c],
	toIPv6(['203.0.113.7', '10.66.0.10', '10.40.2.10', '2001:db8:bad::1', '100.64.3.4', '198.51.100.9'][c]),
	toIPv6(['10.66.0.10', '203.0.113.7', '10.66.0.20', '10.40.1.10', '198.51.100.9', '192.0.2.80'][c]),
	[40001, 443, 50000, 3868, 51000, 0][c], [443, 40001, 8890, 40100, 443, 0][c], [6, 6, 6, 132, 17, 1][c],
	[4, 4, 4, 6, 4, 4][c], 64 + number % 9000, 1 + number % 7,
	['RU', '', '', 'CN', '', 'US'][c], ['', 'RU', '', '', 'US', 'DE'][c],
	[64500, 0, 0, 64501, 0, 64502][c], [0, 64500, 0, 0, 64502, 64503][c],
	['EXAMPLE-RU', '', '', 'EXAMPLE-CN', '', 'EXAMPLE-US'][c], ['', 'EXAMPLE-RU', '', '', 'EXAMPLE-US', 'EXAMPLE-DE'][c],
	['', 'li-east', 'core-east', '', 'subscribers', ''][c], ['li-east', '', 'li-east', 'core-east', '', ''][c],
	['', 'lawful-intercept', 'core', '', 'customer', ''][c], ['lawful-intercept', '', 'lawful-intercept', 'core', '', ''][c],
	['', 'admf-1', 'smf-poi-1', '', '', ''][c], ['admf-1', '', 'mdf2-1', 'hss-1', '', ''][c],
	['src', 'dst', 'src', 'unknown', 'src', 'unknown'][c], ['dst', 'src', 'dst', 'dst', 'none', 'none'][c], c <= 4,
	1 + number % 5, 1 + number % 3, if(c <= 3, 27, 0)
FROM (SELECT number, 1 + number % 6 AS c FROM numbers(120000))
WHERE NOT (intDiv(number, 6) % 4 = 2 AND number < 180)`

// seedNewcomer is a peer that was never seen before, from a country and a network that
// were not either, a minute ago.
const seedNewcomer = `flows (
	received_at, exporter, src_addr, dst_addr, src_port, dst_port, protocol, bytes, packets, tcp_flags, src_country, src_asn, src_as_org,
	dst_zone, dst_zone_kind, dst_asset, initiator, asset_end, watched
)
SELECT
	fromUnixTimestamp64Milli(? - 60000), toIPv6('10.30.0.1'), toIPv6('203.0.113.99'), toIPv6('10.66.0.10'), 40002, 443, 6, 5000, 10, 27,
	'BR', 64504, 'EXAMPLE-BR', 'li-east', 'lawful-intercept', 'admf-1', 'src', 'dst', true`

// seedMany is a record of one of fifty routers every five seconds for three weeks, of as many
// peers of an LI system as a busy one has.
const seedMany = `flows (
	received_at, exporter, src_addr, dst_addr, src_port, dst_port, protocol, bytes, packets,
	dst_zone, dst_zone_kind, dst_asset, initiator, asset_end, watched, in_if, out_if
)
SELECT
	fromUnixTimestamp64Milli(? - number * 5000), toIPv6(concat('10.31.0.', toString(number % 50))),
	toIPv6(concat('198.51.100.', toString(cityHash64(number) % 250))), toIPv6('10.66.0.10'), 40001, 443, 6, 1000, 10,
	'li-east', 'lawful-intercept', 'admf-1', 'src', 'dst', true, number % 20, number % 20 + 1
FROM numbers(21 * 17280)`

// seedHealth is what four exporters lost, minute by minute for a day.
const seedHealth = `exporter_health (
	at, collector, exporter, export_protocols, datagrams, bytes, records, options_records, dropped, templates,
	sampling_intervals, unsampled_records, last_received_at
)
SELECT
	fromUnixTimestamp64Milli(? - intDiv(number, 4) * 60000) AS minute, 'collector-1',
	toIPv6(['10.30.0.1', '10.30.0.2', '10.30.0.3', '2001:db8:30::1'][1 + number % 4]),
	[['netflow5', 'netflow9', 'ipfix', 'sflow5'][1 + number % 4]], 60, 60000, 1500, 1,
	if(number % 4 = 1, map('unknown_template', toUInt64(3), 'truncated', toUInt64(1)), map()),
	number % 4, if(number % 4 = 3, [], [1000]), if(number % 4 = 3, 1500, 0), minute
FROM numbers(4 * 1440)`

// seedFindings is four alerts, one of each severity, of windows of five minutes
// for three hours; the critical one was raised eight minutes ago.
const seedFindings = `findings (
	id, detector, rule, window_start, window_end, first_seen, last_seen, severity, title, summary, reasons,
	asset_addr, asset_zone, asset_zone_kind, asset, peer_addr, peer_country, peer_asn, peer_as_org, initiator, protocol, port,
	flows, bytes_to_asset, bytes_to_peer, packets, exporters, technique_ids, technique_names, stored_at, version
)
SELECT
	concat('alert-', toString(c)), ['telemetry', 'intel', 'intel', 'policy'][c], ['silent', 'listed', 'listed', 'not-allowed'][c],
	fromUnixTimestamp64Milli(? - intDiv(number, 4) * 300000 - 240000) AS begin, begin + 300, begin + 10, begin + 290,
	c, ['pe3.east fell silent', 'A listed host talks with hss-1', 'A listed host talks with core-east', '203.0.113.7 reached admf-1'][c],
	'What happened, in a sentence.', ['never seen before'],
	toIPv6(['::', '10.40.1.10', '10.40.1.11', '10.66.0.10'][c]), ['', 'core-east', 'core-east', 'li-east'][c],
	['', 'core', 'core', 'lawful-intercept'][c], ['', 'hss-1', '', 'admf-1'][c],
	toIPv6(['::', '2001:db8:bad::1', '2001:db8:bad::2', '203.0.113.7'][c]), ['', 'CN', 'CN', 'RU'][c], [0, 64501, 64501, 64500][c],
	['', 'EXAMPLE-CN', 'EXAMPLE-CN', 'EXAMPLE-RU'][c], 'peer', [0, 132, 132, 6][c], [0, 3868, 3868, 443][c],
	7, 1000, 90000, 40, ['10.30.0.1'], if(c = 1, [], ['T1041', 'T1133']),
	if(c = 1, [], ['Exfiltration Over C2 Channel', 'External Remote Services']), begin + 250, number
FROM (SELECT number, toInt8(1 + number % 4) AS c FROM numbers(4 * 36))
WHERE c < 4 OR number < 8`
