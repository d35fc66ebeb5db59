CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_minute_feed TO {{.Table "traffic_minute"}}
AS SELECT
    toStartOfMinute(toDateTime(f.received_at, 'UTC')) AS at,
    f.exporter AS exporter,
    f.in_if AS in_if,
    f.out_if AS out_if,
    f.direction AS direction,
    count() AS flows,
    sum(f.bytes * greatest(f.sampling_interval, 1)) AS bytes,
    sum(f.packets * greatest(f.sampling_interval, 1)) AS packets,
    max(f.sampling_interval) AS sampling_interval,
    max(f.received_at) AS last_received_at,
    today() AS inserted_on
FROM {{.Table "flows"}} AS f
GROUP BY ALL
