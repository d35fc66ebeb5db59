/* How {router} exports, by ten minutes: protocol, sampling, and in how many of its records which fields are. */
SELECT
    toStartOfTenMinutes(e.at) AS ten_minutes,
    e.export_protocol AS protocol,
    e.sampling_interval AS sampling,
    sum(e.flows) AS records,
    sum(e.tcp) AS tcp_records,
    sum(e.with_tcp_flags) AS with_tcp_flags,
    sum(e.with_ports) AS with_ports,
    sum(e.with_times) AS with_times,
    sum(e.with_in_if) AS with_in_if,
    sum(e.with_out_if) AS with_out_if,
    sum(e.with_direction) AS with_direction,
    sum(e.with_next_hop) AS with_next_hop
FROM exporter_minute AS e
WHERE e.exporter = toIPv6('{addr}') AND e.at >= toDateTime('{since}', 'UTC') AND e.at < toDateTime('{until}', 'UTC')
GROUP BY ten_minutes, protocol, sampling
ORDER BY ten_minutes DESC, protocol, sampling
