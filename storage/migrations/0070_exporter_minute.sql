CREATE TABLE IF NOT EXISTS {{.Table "exporter_minute"}}
(
    at DateTime('UTC') COMMENT 'Start of the minute, by received_at.' CODEC(DoubleDelta, ZSTD(1)),
    exporter IPv6 COMMENT 'Address of the router.' CODEC(ZSTD(1)),
    export_protocol Enum8('unknown' = 0, 'netflow1' = 1, 'netflow5' = 5, 'netflow7' = 7, 'netflow9' = 9, 'ipfix' = 10, 'sflow5' = 105) COMMENT 'Protocol of the export.' CODEC(ZSTD(1)),
    sampling_interval UInt32 COMMENT 'One of how many packets was sampled; 0 the exporter has not said.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records.' CODEC(T64, ZSTD(1)),
    tcp SimpleAggregateFunction(sum, UInt64) COMMENT 'Of them TCP.' CODEC(T64, ZSTD(1)),
    ported SimpleAggregateFunction(sum, UInt64) COMMENT 'Of them TCP, UDP or SCTP.' CODEC(T64, ZSTD(1)),
    with_tcp_flags SimpleAggregateFunction(sum, UInt64) COMMENT 'TCP records that say flags.' CODEC(T64, ZSTD(1)),
    with_ports SimpleAggregateFunction(sum, UInt64) COMMENT 'TCP, UDP and SCTP records that say a port.' CODEC(T64, ZSTD(1)),
    with_times SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that say when the flow began and ended.' CODEC(T64, ZSTD(1)),
    with_in_if SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that say the ingress interface.' CODEC(T64, ZSTD(1)),
    with_out_if SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that say the egress interface.' CODEC(T64, ZSTD(1)),
    with_direction SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that say the direction.' CODEC(T64, ZSTD(1)),
    with_next_hop SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that say the next hop.' CODEC(T64, ZSTD(1)),
    inserted_on SimpleAggregateFunction(max, Date) COMMENT 'Day on which the latest of it was stored; retention counts from here.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toMonday(at)
ORDER BY (at, exporter, export_protocol, sampling_interval)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'How each router exports, minute by minute: protocol, sampling, and which fields its records carry. The telemetry detector reads it.'
