CREATE TABLE IF NOT EXISTS {{.Table "zone_asns"}}
(
    zone LowCardinality(String) COMMENT 'Protected zone.' CODEC(ZSTD(1)),
    zone_kind LowCardinality(String) COMMENT 'Kind of the zone.' CODEC(ZSTD(1)),
    asn UInt32 COMMENT 'Autonomous system of its peers, by the geography database.' CODEC(ZSTD(1)),
    talked Bool COMMENT 'True: in conversations; false: in no more than attempts, as scans are. See asset_peers.' CODEC(ZSTD(1)),
    organisation SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'Organisation of asn; empty unknown.' CODEC(ZSTD(1)),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Earliest received_at ever.' CODEC(ZSTD(1)),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest received_at.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records of all routers together.' CODEC(T64, ZSTD(1)),
    opened_by_peer SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that show that a peer in that system opened the conversation.' CODEC(T64, ZSTD(1)),
    opened_by_asset SimpleAggregateFunction(sum, UInt64) COMMENT 'Records that show that the zone\'s end opened it.' CODEC(T64, ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
ORDER BY (zone, zone_kind, asn, talked)
SETTINGS {{.Deduplication}}
COMMENT 'Since when each protected zone has had peers in each autonomous system. Kept for good. Group by the key: several rows may be of one pair until they are merged.'
