CREATE TABLE IF NOT EXISTS {{.Table "exporter_activity"}}
(
    at DateTime('UTC') COMMENT 'Start of ten seconds of stream time.' CODEC(Delta, ZSTD(1)),
    exporter IPv6 COMMENT 'Address of the router.',
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records received.',
    bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Bytes as exported.',
    packets SimpleAggregateFunction(sum, UInt64) COMMENT 'Packets as exported.',
    last_received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest record of the ten seconds.',
    inserted_at SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When the latest of it was stored; retention counts from here.'
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'Who exported how much, by ten seconds: what the telemetry detector reads.'
