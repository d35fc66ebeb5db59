CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_activity_feed TO {{.Table "exporter_activity"}}
AS SELECT
    toStartOfInterval(toDateTime(received_at, 'UTC'), INTERVAL 10 SECOND) AS at,
    exporter,
    count() AS flows,
    sum(bytes) AS bytes,
    sum(packets) AS packets,
    max(received_at) AS last_received_at,
    now() AS inserted_at
FROM {{.Table "flows"}}
GROUP BY at, exporter
