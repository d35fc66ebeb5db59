CREATE TABLE IF NOT EXISTS exporter_activity
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Start of ten seconds of stream time.',
    exporter IPv6 COMMENT 'Address of the router.',
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records received.',
    bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Bytes as exported.',
    packets SimpleAggregateFunction(sum, UInt64) COMMENT 'Packets as exported.',
    last_received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest record of the ten seconds.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Who exported how much, by ten seconds: what the telemetry detector reads.'
