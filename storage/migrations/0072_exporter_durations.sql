CREATE TABLE IF NOT EXISTS {{.Table "exporter_durations"}}
(
    at DateTime('UTC') COMMENT 'Start of ten minutes, by received_at.' CODEC(DoubleDelta, ZSTD(1)),
    exporter IPv6 COMMENT 'Address of the router.' CODEC(ZSTD(1)),
    bucket UInt8 COMMENT 'How long the records are: at least 2 to the power of bucket/2 seconds, less than 2 to the power of (bucket+1)/2.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records.' CODEC(T64, ZSTD(1)),
    longest_ms SimpleAggregateFunction(max, Int64) COMMENT 'Longest of them, in milliseconds.' CODEC(T64, ZSTD(1)),
    inserted_on SimpleAggregateFunction(max, Date) COMMENT 'Day on which the latest of it was stored; retention counts from here.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toMonday(at)
ORDER BY (at, exporter, bucket)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'How long the longer records of each router are (15 seconds and more), by ten minutes: they pile up where its active timeout cuts them.'
