CREATE TABLE IF NOT EXISTS {{.Table "traffic_minute"}}
(
    at DateTime('UTC') COMMENT 'Start of the minute, by received_at.' CODEC(DoubleDelta, ZSTD(1)),
    exporter IPv6 COMMENT 'Address of the router.' CODEC(ZSTD(1)),
    in_if UInt32 COMMENT 'SNMP index of the ingress interface; 0 unknown or the router itself.' CODEC(ZSTD(1)),
    out_if UInt32 COMMENT 'SNMP index of the egress interface; 0 unknown, dropped, or the router itself.' CODEC(ZSTD(1)),
    direction Enum8('unknown' = 0, 'ingress' = 1, 'egress' = 2) COMMENT 'On which side the router saw it: one that meters both sides counts its traffic in each.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records.' CODEC(T64, ZSTD(1)),
    bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Bytes, multiplied by the sampling interval where it is known.' CODEC(T64, ZSTD(1)),
    packets SimpleAggregateFunction(sum, UInt64) COMMENT 'Packets, multiplied by the sampling interval where it is known.' CODEC(T64, ZSTD(1)),
    sampling_interval SimpleAggregateFunction(max, UInt32) COMMENT 'The largest of the records; 0 unknown.' CODEC(ZSTD(1)),
    last_received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest record of the minute.' CODEC(ZSTD(1)),
    inserted_on SimpleAggregateFunction(max, Date) COMMENT 'Day on which the latest of it was stored; retention counts from here.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toMonday(at)
ORDER BY (at, exporter, in_if, out_if, direction)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'How much went through which interfaces of each router, minute by minute: what to read instead of flows for amounts over time.'
