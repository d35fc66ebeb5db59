(
    at DateTime('UTC') COMMENT 'Start of the {{.Unit}}, by received_at.' CODEC(DoubleDelta, ZSTD(1)),
    asset LowCardinality(String) COMMENT 'The protected end: its name in the inventory, else its address.' CODEC(ZSTD(1)),
    asset_addr IPv6 COMMENT 'Address of the protected end.' CODEC(ZSTD(1)),
    asset_zone LowCardinality(String) COMMENT 'Zone of the protected end.' CODEC(ZSTD(1)),
    asset_zone_kind LowCardinality(String) COMMENT 'Kind of that zone.' CODEC(ZSTD(1)),
    asset_role LowCardinality(String) COMMENT 'Role of the protected end.' CODEC(ZSTD(1)),
    peer_addr IPv6 COMMENT 'Address of the other end.' CODEC(ZSTD(1)),
    peer_asset LowCardinality(String) COMMENT 'Name of the other end in the inventory; empty none.' CODEC(ZSTD(1)),
    peer_zone LowCardinality(String) COMMENT 'Zone of the other end; empty outside all zones.' CODEC(ZSTD(1)),
    peer_country LowCardinality(String) COMMENT 'Country of the other end.' CODEC(ZSTD(1)),
    peer_asn UInt32 COMMENT 'Autonomous system of the other end.' CODEC(ZSTD(1)),
    protocol UInt8 COMMENT 'IP protocol number.' CODEC(ZSTD(1)),
    port UInt16 COMMENT 'Service port: that of the end that was asked; where a record alone does not tell, the lower one.' CODEC(ZSTD(1)),
    asset_serves Bool COMMENT 'True: port is the asset\'s.' CODEC(ZSTD(1)),
    to_asset Bool COMMENT 'True: what the peer sent; false: what the asset sent.' CODEC(ZSTD(1)),
    exporter IPv6 COMMENT 'Address of the router that saw it.' CODEC(ZSTD(1)),
    direction Enum8('unknown' = 0, 'ingress' = 1, 'egress' = 2) COMMENT 'On which side the router saw it.' CODEC(ZSTD(1)),
    sampling_interval SimpleAggregateFunction(max, UInt32) COMMENT 'Of the router; 0 unknown.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records.' CODEC(T64, ZSTD(1)),
    bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Bytes, multiplied by the sampling interval where it is known.' CODEC(T64, ZSTD(1)),
    packets SimpleAggregateFunction(sum, UInt64) COMMENT 'Packets, multiplied by the sampling interval where it is known.' CODEC(T64, ZSTD(1)),
    tcp_flags SimpleAggregateFunction(groupBitOr, UInt16) COMMENT 'All TCP flags seen, or-ed.' CODEC(ZSTD(1)),
    opened_by_peer SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that show that the peer opened the conversation.' CODEC(T64, ZSTD(1)),
    opened_by_asset SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that show that the asset opened it.' CODEC(T64, ZSTD(1)),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Earliest received_at.' CODEC(ZSTD(1)),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest received_at.' CODEC(ZSTD(1)),
    longest_ms SimpleAggregateFunction(max, Int64) COMMENT 'Longest record from its first packet to its last, in milliseconds.' CODEC(T64, ZSTD(1)),
    total_ms SimpleAggregateFunction(sum, Int64) COMMENT 'All records from their first packets to their last, in milliseconds.' CODEC(T64, ZSTD(1)),
    starts SimpleAggregateFunction(groupUniqArrayArray(100), Array(DateTime64(3, 'UTC'))) COMMENT 'When its flows began, by the exporter\'s clock, at most 100.' CODEC(ZSTD(1)),
    inserted_on SimpleAggregateFunction(max, Date) COMMENT 'When the latest of it was stored; retention counts from here.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toMonday(at)
ORDER BY (asset, at, peer_addr, protocol, port, asset_serves, to_asset, exporter, direction, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_asset, peer_zone, peer_country, peer_asn)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}