CREATE TABLE IF NOT EXISTS {{.Table "exporter_health"}}
(
    at DateTime64(3, 'UTC') COMMENT 'End of the interval that the row counts.' CODEC(Delta, ZSTD(1)),
    collector LowCardinality(String) COMMENT 'Name of the collector that counted.',
    exporter IPv6 COMMENT 'Address of the router.',
    export_protocols Array(LowCardinality(String)) COMMENT 'Protocols seen: netflow5, netflow9, ipfix, sflow5.',
    datagrams UInt64 COMMENT 'Datagrams received in the interval.',
    bytes UInt64 COMMENT 'UDP payload bytes received in the interval.',
    records UInt64 COMMENT 'Flow records decoded in the interval.',
    options_records UInt64 COMMENT 'Options data records decoded in the interval.',
    lost_records UInt64 COMMENT 'Flow records of the interval that did not arrive, by gaps in the sequence numbers (NetFlow v5, v7, IPFIX).',
    lost_datagrams UInt64 COMMENT 'Datagrams of the interval that did not arrive, by gaps in the sequence numbers (NetFlow v9, sFlow).',
    late_datagrams UInt64 COMMENT 'Datagrams that arrived after ones that were sent later.',
    restarts UInt64 COMMENT 'How often in the interval the exporter began to number anew.',
    dropped Map(LowCardinality(String), UInt64) COMMENT 'What was dropped in the interval, by reason: datagrams, sets or records.',
    waiting_sets UInt32 COMMENT 'Data sets that wait for their template at the end of the interval.',
    templates UInt32 COMMENT 'Templates known at the end of the interval.',
    sampling_intervals Array(UInt32) COMMENT 'Sampling intervals known at the end of the interval; empty: the exporter has said none.',
    unsampled_records UInt64 COMMENT 'Records of the interval stored without a known sampling interval.',
    last_received_at DateTime64(3, 'UTC') COMMENT 'Latest datagram ever; 1970 none.',
    inserted_at DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored; retention counts from here.' CODEC(Delta, ZSTD(1))
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'What each exporter sent and what of it was lost, interval by interval.'
