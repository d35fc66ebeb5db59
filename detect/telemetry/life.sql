-- The minutes in which the collector was surely alive: it stored a flow, or wrote
-- what it counted. What it counted is taken only up to settled: it may be stored a
-- little later than the flows are.
SELECT minute, max(heard) AS heard
FROM
(
    SELECT toStartOfMinute(at) AS minute, true AS heard
    FROM exporter_activity
    WHERE at >= {since:DateTime64(3)} AND at < {end:DateTime64(3)}
    UNION ALL
    SELECT toStartOfMinute(toDateTime(at, 'UTC')) AS minute, false AS heard
    FROM exporter_health
    WHERE at >= {since:DateTime64(3)} AND at < {settled:DateTime64(3)}
)
GROUP BY minute
ORDER BY minute
