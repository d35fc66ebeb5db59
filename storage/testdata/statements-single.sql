-- 0001_flows.sql
CREATE TABLE IF NOT EXISTS flows
…
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (toStartOfFiveMinutes(received_at), exporter, src_addr, dst_addr, src_port, dst_port)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000, min_compress_block_size = 2097152, max_compress_block_size = 4194304
COMMENT 'Every flow record, as exported and enriched.'

-- 0002_watched_flows.sql
CREATE TABLE IF NOT EXISTS watched_flows
…
ENGINE = MergeTree
PARTITION BY toMonday(received_at)
ORDER BY (asset, toStartOfHour(received_at), peer)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'The flow records that touch a protected zone, in the order of each asset\'s history, kept longest. Detectors read this table.'

-- 0003_watched_flows_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS watched_flows_feed TO watched_flows

-- 0004_exporter_activity.sql
CREATE TABLE IF NOT EXISTS exporter_activity
…
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'Who exported how much, by ten seconds: what the telemetry detector reads.'

-- 0005_exporter_activity_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_activity_feed TO exporter_activity

-- 0006_exporter_health.sql
CREATE TABLE IF NOT EXISTS exporter_health
…
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'What each exporter sent and what of it was lost, interval by interval.'

-- 0007_findings.sql
CREATE TABLE IF NOT EXISTS findings
…
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (id, window_start)
COMMENT 'What the detectors saw, one row for each alert and window. Read the view alerts.'

-- 0008_alerts.sql
CREATE OR REPLACE VIEW alerts AS

-- 0009_detect_progress.sql
CREATE TABLE IF NOT EXISTS detect_progress
…
ENGINE = ReplacingMergeTree(window_end)
ORDER BY detector
COMMENT 'How far each detector has come; live detection resumes here.'

-- 0010_countries.sql
CREATE OR REPLACE VIEW countries

-- 0011_conversations_minute.sql
CREATE TABLE IF NOT EXISTS conversations_minute
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (asset, at, peer_addr, protocol, port, asset_serves, to_asset, exporter, direction, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_asset, peer_zone, peer_country, peer_asn)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'Who talked with what protected end for which service, minute by minute, as each router saw it. Read the view conversations.'

-- 0012_conversations_minute_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS conversations_minute_feed TO conversations_minute

-- 0013_conversations_hour.sql
CREATE TABLE IF NOT EXISTS conversations_hour
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (asset, at, peer_addr, protocol, port, asset_serves, to_asset, exporter, direction, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_asset, peer_zone, peer_country, peer_asn)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'Who talked with what protected end for which service, hour by hour, as each router saw it.'

-- 0014_conversations_hour_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS conversations_hour_feed TO conversations_hour

-- 0015_traffic_minute.sql
CREATE TABLE IF NOT EXISTS traffic_minute
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (at, exporter, in_if, out_if, direction)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'How much went through which interfaces of each router, minute by minute: what to read instead of flows for amounts over time.'

-- 0016_traffic_minute_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_minute_feed TO traffic_minute

-- 0017_asset_peers.sql
CREATE TABLE IF NOT EXISTS asset_peers
…
ENGINE = AggregatingMergeTree
ORDER BY (asset_zone, asset, peer_addr, protocol, port, asset_serves, talked)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Since when each protected end has had each peer, for which service. Kept for good, so that a year of silence makes no old friend new. Group by the key: several rows may be of one pair until they are merged.'

-- 0018_asset_peers_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS asset_peers_feed TO asset_peers

-- 0019_zone_countries.sql
CREATE TABLE IF NOT EXISTS zone_countries
…
ENGINE = AggregatingMergeTree
ORDER BY (zone, zone_kind, country, talked)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Since when each protected zone has had peers in each country. Kept for good. Group by the key: several rows may be of one pair until they are merged.'

-- 0020_zone_countries_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS zone_countries_feed TO zone_countries

-- 0021_zone_asns.sql
CREATE TABLE IF NOT EXISTS zone_asns
…
ENGINE = AggregatingMergeTree
ORDER BY (zone, zone_kind, asn, talked)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Since when each protected zone has had peers in each autonomous system. Kept for good. Group by the key: several rows may be of one pair until they are merged.'

-- 0022_zone_asns_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS zone_asns_feed TO zone_asns

-- 0023_conversations.sql
CREATE OR REPLACE VIEW conversations

-- 0024_conversations_by_hour.sql
CREATE OR REPLACE VIEW conversations_by_hour

-- 0025_protocols.sql
CREATE OR REPLACE VIEW protocols

-- 0026_services.sql
CREATE OR REPLACE VIEW services

-- 0027_asns.sql
CREATE OR REPLACE VIEW asns

-- 0028_flows_text.sql
CREATE OR REPLACE VIEW flows_text AS

-- 0029_watched_flows_text.sql
CREATE OR REPLACE VIEW watched_flows_text AS

-- 0030_conversations_text.sql
CREATE OR REPLACE VIEW conversations_text AS

