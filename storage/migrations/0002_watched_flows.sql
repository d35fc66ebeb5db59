CREATE TABLE IF NOT EXISTS {{.Table "watched_flows"}}
(
    asset LowCardinality(String) COMMENT 'The protected end (asset_end): its name in the inventory, else its address.' CODEC(ZSTD(1)),
    peer IPv6 COMMENT 'Address of the other end.' CODEC(ZSTD(3)),
{{template "flow_columns.sql" .}}
    INDEX peer_filter peer TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX src_asset_filter src_asset TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX dst_asset_filter dst_asset TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY toMonday(received_at)
ORDER BY (asset, toStartOfHour(received_at), peer)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'The flow records that touch a protected zone, in the order of each asset\'s history, kept longest. Detectors read this table.'
