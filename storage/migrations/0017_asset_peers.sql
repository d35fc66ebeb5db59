CREATE TABLE IF NOT EXISTS {{.Table "asset_peers"}}
(
    asset_zone LowCardinality(String) COMMENT 'Zone of the protected end.' CODEC(ZSTD(1)),
    asset LowCardinality(String) COMMENT 'The protected end: its name in the inventory, else its address.' CODEC(ZSTD(1)),
    peer_addr IPv6 COMMENT 'Address of the other end.' CODEC(ZSTD(1)),
    protocol UInt8 COMMENT 'IP protocol number.' CODEC(ZSTD(1)),
    port UInt16 COMMENT 'Service port: that of the end that was asked; where a record alone does not tell, the lower one.' CODEC(ZSTD(1)),
    asset_serves Bool COMMENT 'True: port is the asset\'s.' CODEC(ZSTD(1)),
    talked Bool COMMENT 'True: a conversation, that is data over TCP, or over another protocol a word of the asset or of a peer in a zone; false: no more than attempts, as scans are.' CODEC(ZSTD(1)),
    asset_zone_kind SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'Kind of asset_zone.' CODEC(ZSTD(1)),
    peer_asset SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'Name of the other end in the inventory; empty none.' CODEC(ZSTD(1)),
    peer_zone SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'Zone of the other end; empty outside all zones.' CODEC(ZSTD(1)),
    peer_country SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'Country of the other end.' CODEC(ZSTD(1)),
    peer_asn SimpleAggregateFunction(anyLast, UInt32) COMMENT 'Autonomous system of the other end.' CODEC(ZSTD(1)),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Earliest received_at ever.' CODEC(ZSTD(1)),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest received_at.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records of all routers together.' CODEC(T64, ZSTD(1)),
    opened_by_peer SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that show that the peer opened the conversation.' CODEC(T64, ZSTD(1)),
    opened_by_asset SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that show that the asset opened it.' CODEC(T64, ZSTD(1)),
    INDEX peer_filter peer_addr TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
ORDER BY (asset_zone, asset, peer_addr, protocol, port, asset_serves, talked)
SETTINGS {{.Deduplication}}
COMMENT 'Since when each protected end has had each peer, for which service. Kept for good, so that a year of silence makes no old friend new. Group by the key: several rows may be of one pair until they are merged.'
