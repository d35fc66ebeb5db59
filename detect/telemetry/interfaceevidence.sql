/* What went through interfaces {list} of {router}, by ten minutes. */
SELECT
    toStartOfTenMinutes(t.at) AS ten_minutes,
    t.in_if AS in_if,
    t.out_if AS out_if,
    sum(t.flows) AS flows,
    sum(t.bytes) AS bytes,
    max(t.sampling_interval) AS sampling
FROM traffic_minute AS t
WHERE t.exporter = toIPv6('{addr}') AND (t.in_if IN ({list}) OR t.out_if IN ({list}))
    AND t.at >= toDateTime('{since}', 'UTC') AND t.at < toDateTime('{until}', 'UTC')
GROUP BY ten_minutes, in_if, out_if
ORDER BY ten_minutes DESC, in_if, out_if
