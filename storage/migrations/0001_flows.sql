CREATE TABLE IF NOT EXISTS {{.Table "flows"}}
(
{{template "flow_columns.sql" .}}
    INDEX src_addr_filter src_addr TYPE bloom_filter(0.03) GRANULARITY 1,
    INDEX dst_addr_filter dst_addr TYPE bloom_filter(0.03) GRANULARITY 1
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY {{.Partition}}
ORDER BY (toStartOfFiveMinutes(received_at), exporter, src_addr, dst_addr, src_port, dst_port)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}, min_compress_block_size = 2097152, max_compress_block_size = 4194304
COMMENT 'Every flow record, as exported and enriched.'
