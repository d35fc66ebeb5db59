-- What went through the interfaces of some routers, minute by minute.
SELECT
    t.exporter AS exporter, t.in_if AS in_if, t.out_if AS out_if, toString(t.direction) AS side,
    toUInt32(intDiv(toUnixTimestamp(t.at) - toUnixTimestamp({start:DateTime64(3)}), 60)) AS minute,
    sum(t.bytes) AS bytes, max(t.sampling_interval) AS sampling
FROM traffic_minute AS t
WHERE t.at >= {start:DateTime64(3)} AND t.at < {end:DateTime64(3)}
    AND t.exporter GLOBAL IN (SELECT toIPv6(arrayJoin({exporters:Array(String)})))
GROUP BY exporter, in_if, out_if, side, minute
ORDER BY exporter, in_if, out_if, side, minute
