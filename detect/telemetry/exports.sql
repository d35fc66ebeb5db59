-- How each exporter exported: by the hour, and from fine on by the minute.
SELECT
    e.exporter AS exporter,
    if(e.at >= {fine:DateTime64(3)}, e.at, toStartOfHour(e.at)) AS start,
    toString(e.export_protocol) AS export_protocol,
    e.sampling_interval AS sampling_interval,
    sum(e.flows) AS flows, sum(e.tcp) AS tcp, sum(e.ported) AS ported,
    sum(e.with_tcp_flags) AS with_tcp_flags, sum(e.with_ports) AS with_ports, sum(e.with_times) AS with_times,
    sum(e.with_in_if) AS with_in_if, sum(e.with_out_if) AS with_out_if, sum(e.with_direction) AS with_direction,
    sum(e.with_next_hop) AS with_next_hop
FROM exporter_minute AS e
WHERE e.at >= {since:DateTime64(3)} AND e.at < {until:DateTime64(3)}
GROUP BY exporter, start, export_protocol, sampling_interval
ORDER BY start, exporter, export_protocol, sampling_interval
