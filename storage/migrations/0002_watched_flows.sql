CREATE TABLE IF NOT EXISTS watched_flows AS flows
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (toStartOfMinute(received_at), dst_asset, src_asset, src_addr, dst_addr)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000
COMMENT 'The flow records that touch a protected zone, kept longest. Detectors read this table.'
