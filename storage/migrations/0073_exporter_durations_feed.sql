CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_durations_feed TO {{.Table "exporter_durations"}}
AS SELECT
    toStartOfInterval(toDateTime(f.received_at, 'UTC'), INTERVAL 10 MINUTE) AS at,
    f.exporter AS exporter,
    toUInt8(least(2 * log2(f.duration_ms / 1000), 40)) AS bucket,
    count() AS flows,
    max(f.duration_ms) AS longest_ms,
    today() AS inserted_on
FROM {{.Table "flows"}} AS f
WHERE f.duration_ms >= 15000
GROUP BY ALL
