/* How long the longer records of {router} are, by the hour. */
SELECT
    toStartOfHour(d.at) AS hour,
    round(exp2(d.bucket / 2)) AS from_seconds,
    round(exp2((d.bucket + 1) / 2)) AS to_seconds,
    sum(d.flows) AS records
FROM exporter_durations AS d
WHERE d.exporter = toIPv6('{addr}') AND d.at >= toDateTime('{since}', 'UTC') AND d.at < toDateTime('{until}', 'UTC')
GROUP BY hour, d.bucket
ORDER BY hour DESC, d.bucket
