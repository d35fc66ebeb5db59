CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_minute_feed TO {{.Table "exporter_minute"}}
AS SELECT
    toStartOfMinute(toDateTime(f.received_at, 'UTC')) AS at,
    f.exporter AS exporter,
    f.export_protocol AS export_protocol,
    f.sampling_interval AS sampling_interval,
    count() AS flows,
    countIf(f.protocol = 6) AS tcp,
    countIf(f.protocol IN (6, 17, 132)) AS ported,
    countIf(f.protocol = 6 AND f.tcp_flags != 0) AS with_tcp_flags,
    countIf(f.protocol IN (6, 17, 132) AND (f.src_port != 0 OR f.dst_port != 0)) AS with_ports,
    countIf(f.duration_ms != -9223372036854775808) AS with_times,
    countIf(f.in_if != 0) AS with_in_if,
    countIf(f.out_if != 0) AS with_out_if,
    countIf(f.direction != 'unknown') AS with_direction,
    countIf(f.next_hop != toIPv6('::')) AS with_next_hop,
    today() AS inserted_on
FROM {{.Table "flows"}} AS f
GROUP BY ALL
