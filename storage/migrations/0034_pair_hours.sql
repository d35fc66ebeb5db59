CREATE TABLE IF NOT EXISTS {{.Table "pair_hours"}}
(
    hour DateTime('UTC') COMMENT 'Start of the hour of stream time.' CODEC(DoubleDelta, ZSTD(1)),
    asset LowCardinality(String) COMMENT 'The protected end: its name in the inventory, else its address.' CODEC(ZSTD(1)),
    asset_addr IPv6 COMMENT 'Address of the protected end.' CODEC(ZSTD(1)),
    peer_addr IPv6 COMMENT 'Address of the other end.' CODEC(ZSTD(1)),
    protocol UInt8 COMMENT 'IP protocol number.' CODEC(ZSTD(1)),
    port UInt16 COMMENT 'Service port; 0 none.' CODEC(ZSTD(1)),
    asset_serves Bool COMMENT 'True: port is the asset\'s.' CODEC(ZSTD(1)),
    initiator Enum8('' = 0, 'peer' = 1, 'asset' = 2) COMMENT 'Which end opened it; empty: the flows do not tell.' CODEC(ZSTD(1)),
    asset_name LowCardinality(String) COMMENT 'Name of the protected end in the inventory; empty none.' CODEC(ZSTD(1)),
    asset_zone LowCardinality(String) COMMENT 'Zone of the protected end.' CODEC(ZSTD(1)),
    asset_zone_kind LowCardinality(String) COMMENT 'Kind of that zone.' CODEC(ZSTD(1)),
    asset_role LowCardinality(String) COMMENT 'Role of the protected end.' CODEC(ZSTD(1)),
    peer_name LowCardinality(String) COMMENT 'Name of the other end in the inventory; empty none.' CODEC(ZSTD(1)),
    peer_zone LowCardinality(String) COMMENT 'Zone of the other end; empty outside all zones.' CODEC(ZSTD(1)),
    peer_zone_kind LowCardinality(String) COMMENT 'Kind of that zone.' CODEC(ZSTD(1)),
    peer_role LowCardinality(String) COMMENT 'Role of the other end.' CODEC(ZSTD(1)),
    peer_country LowCardinality(String) COMMENT 'Country of the other end.' CODEC(ZSTD(1)),
    peer_asn UInt32 COMMENT 'Autonomous system of the other end.' CODEC(ZSTD(1)),
    peer_as_org LowCardinality(String) COMMENT 'Its organisation.' CODEC(ZSTD(1)),
    active UInt32 COMMENT 'Five-tuples that were active in the hour.' CODEC(T64, ZSTD(1)),
    established UInt32 COMMENT 'Of these, those that were more than an attempt.' CODEC(T64, ZSTD(1)),
    answered UInt32 COMMENT 'Of these, those of which both directions were seen to take part.' CODEC(T64, ZSTD(1)),
    begun UInt32 COMMENT 'Sessions that began: parts of one five-tuple that follow one another closely are one session.' CODEC(T64, ZSTD(1)),
    flows UInt64 COMMENT 'Flow records, counted once however many routers saw them.' CODEC(T64, ZSTD(1)),
    bytes_in UInt64 COMMENT 'Bytes toward the asset, multiplied by the sampling interval where known.' CODEC(T64, ZSTD(1)),
    bytes_out UInt64 COMMENT 'Bytes toward the peer.' CODEC(T64, ZSTD(1)),
    packets_in UInt64 COMMENT 'Packets toward the asset.' CODEC(T64, ZSTD(1)),
    packets_out UInt64 COMMENT 'Packets toward the peer.' CODEC(T64, ZSTD(1)),
    active_ms UInt64 COMMENT 'Milliseconds in which its sessions carried something, each session by itself, as far as exported in the hour.' CODEC(T64, ZSTD(1)),
    first_seen DateTime64(3, 'UTC') COMMENT 'First record, by received_at.' CODEC(T64, ZSTD(1)),
    last_seen DateTime64(3, 'UTC') COMMENT 'Last record, by received_at.' CODEC(T64, ZSTD(1)),
    starts Array(DateTime64(3, 'UTC')) COMMENT 'When the sessions that began in the hour began, by the routers\' clocks, ascending; at most 1000.' CODEC(ZSTD(1)),
    start_bytes_in Array(UInt64) COMMENT 'Bytes toward the asset of each of these sessions, as far as exported in the hour.' CODEC(ZSTD(1)),
    start_bytes_out Array(UInt64) COMMENT 'Bytes toward the peer of each of these sessions.' CODEC(ZSTD(1)),
    least_sampling UInt32 COMMENT 'Sampling interval of the router that tells best; 0 unknown. Above 1 sessions are missed, and their number and times tell little.' CODEC(ZSTD(1)),
    exporters UInt16 COMMENT 'How many routers saw it.' CODEC(ZSTD(1)),
    inserted_on Date DEFAULT today() COMMENT 'When it was stored; retention counts from here.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, asset, peer_addr, protocol, port, asset_serves, initiator, asset_addr)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'What each protected end had with each peer for each service in an hour: the history that detectors learn from. Made from sessions once the hour is over.'
