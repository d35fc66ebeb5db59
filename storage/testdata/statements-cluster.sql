-- 0001_flows.sql
CREATE TABLE IF NOT EXISTS flows_local
…
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (toStartOfFiveMinutes(received_at), exporter, src_addr, dst_addr, src_port, dst_port)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000, min_compress_block_size = 2097152, max_compress_block_size = 4194304
COMMENT 'Every flow record, as exported and enriched.'

-- 0001_flows.distributed
CREATE OR REPLACE TABLE flows AS flows_local
ENGINE = Distributed('carrier', currentDatabase(), flows_local, rand())
COMMENT 'Every flow record, as exported and enriched.'

-- 0002_watched_flows.sql
CREATE TABLE IF NOT EXISTS watched_flows_local
…
ENGINE = MergeTree
PARTITION BY toMonday(received_at)
ORDER BY (asset, toStartOfHour(received_at), peer)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'The flow records that touch a protected zone, in the order of each asset\'s history, kept longest. Detectors read this table.'

-- 0002_watched_flows.distributed
CREATE OR REPLACE TABLE watched_flows AS watched_flows_local
ENGINE = Distributed('carrier', currentDatabase(), watched_flows_local, cityHash64(asset))
COMMENT 'The flow records that touch a protected zone, in the order of each asset\'s history, kept longest. Detectors read this table.'

-- 0003_watched_flows_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS watched_flows_feed TO watched_flows_local
    … FROM flows_local AS f

-- 0004_exporter_activity.sql
CREATE TABLE IF NOT EXISTS exporter_activity_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'Who exported how much, by ten seconds: what the telemetry detector reads.'

-- 0004_exporter_activity.distributed
CREATE OR REPLACE TABLE exporter_activity AS exporter_activity_local
ENGINE = Distributed('carrier', currentDatabase(), exporter_activity_local, cityHash64(exporter))
COMMENT 'Who exported how much, by ten seconds: what the telemetry detector reads.'

-- 0005_exporter_activity_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_activity_feed TO exporter_activity_local
    … FROM flows_local

-- 0006_exporter_health.sql
CREATE TABLE IF NOT EXISTS exporter_health_local
…
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'What each exporter sent and what of it was lost, interval by interval.'

-- 0006_exporter_health.distributed
CREATE OR REPLACE TABLE exporter_health AS exporter_health_local
ENGINE = Distributed('carrier', currentDatabase(), exporter_health_local, cityHash64(exporter))
COMMENT 'What each exporter sent and what of it was lost, interval by interval.'

-- 0007_findings.sql
CREATE TABLE IF NOT EXISTS findings_local
…
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (id, window_start)
COMMENT 'What the detectors saw, one row for each alert and window. Read the view alerts.'

-- 0007_findings.distributed
CREATE OR REPLACE TABLE findings AS findings_local
ENGINE = Distributed('carrier', currentDatabase(), findings_local, cityHash64(id))
COMMENT 'What the detectors saw, one row for each alert and window. Read the view alerts.'

-- 0008_alerts.sql
CREATE OR REPLACE VIEW alerts AS

-- 0009_detect_progress.sql
CREATE TABLE IF NOT EXISTS detect_progress_local
…
ENGINE = ReplacingMergeTree(window_end)
ORDER BY detector
COMMENT 'How far each detector has come; live detection resumes here.'

-- 0009_detect_progress.distributed
CREATE OR REPLACE TABLE detect_progress AS detect_progress_local
ENGINE = Distributed('carrier', currentDatabase(), detect_progress_local, cityHash64(detector))
COMMENT 'How far each detector has come; live detection resumes here.'

-- 0010_countries.sql
CREATE OR REPLACE VIEW countries

-- 0011_conversations_minute.sql
CREATE TABLE IF NOT EXISTS conversations_minute_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (asset, at, peer_addr, protocol, port, asset_serves, to_asset, exporter, direction, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_asset, peer_zone, peer_country, peer_asn)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'Who talked with what protected end for which service, minute by minute, as each router saw it. Read the view conversations.'

-- 0011_conversations_minute.distributed
CREATE OR REPLACE TABLE conversations_minute AS conversations_minute_local
ENGINE = Distributed('carrier', currentDatabase(), conversations_minute_local, cityHash64(asset))
COMMENT 'Who talked with what protected end for which service, minute by minute, as each router saw it. Read the view conversations.'

-- 0012_conversations_minute_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS conversations_minute_feed TO conversations_minute_local
    … FROM flows_local

-- 0013_conversations_hour.sql
CREATE TABLE IF NOT EXISTS conversations_hour_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (asset, at, peer_addr, protocol, port, asset_serves, to_asset, exporter, direction, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_asset, peer_zone, peer_country, peer_asn)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'Who talked with what protected end for which service, hour by hour, as each router saw it.'

-- 0013_conversations_hour.distributed
CREATE OR REPLACE TABLE conversations_hour AS conversations_hour_local
ENGINE = Distributed('carrier', currentDatabase(), conversations_hour_local, cityHash64(asset))
COMMENT 'Who talked with what protected end for which service, hour by hour, as each router saw it.'

-- 0014_conversations_hour_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS conversations_hour_feed TO conversations_hour_local
    … FROM flows_local

-- 0015_traffic_minute.sql
CREATE TABLE IF NOT EXISTS traffic_minute_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (at, exporter, in_if, out_if, direction)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'How much went through which interfaces of each router, minute by minute: what to read instead of flows for amounts over time.'

-- 0015_traffic_minute.distributed
CREATE OR REPLACE TABLE traffic_minute AS traffic_minute_local
ENGINE = Distributed('carrier', currentDatabase(), traffic_minute_local, cityHash64(exporter))
COMMENT 'How much went through which interfaces of each router, minute by minute: what to read instead of flows for amounts over time.'

-- 0016_traffic_minute_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_minute_feed TO traffic_minute_local
    … FROM flows_local AS f

-- 0017_asset_peers.sql
CREATE TABLE IF NOT EXISTS asset_peers_local
…
ENGINE = AggregatingMergeTree
ORDER BY (asset_zone, asset, peer_addr, protocol, port, asset_serves, talked)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Since when each protected end has had each peer, for which service. Kept for good, so that a year of silence makes no old friend new. Group by the key: several rows may be of one pair until they are merged.'

-- 0017_asset_peers.distributed
CREATE OR REPLACE TABLE asset_peers AS asset_peers_local
ENGINE = Distributed('carrier', currentDatabase(), asset_peers_local, cityHash64(asset))
COMMENT 'Since when each protected end has had each peer, for which service. Kept for good, so that a year of silence makes no old friend new. Group by the key: several rows may be of one pair until they are merged.'

-- 0018_asset_peers_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS asset_peers_feed TO asset_peers_local
    … FROM conversations_minute_local AS c

-- 0019_zone_countries.sql
CREATE TABLE IF NOT EXISTS zone_countries_local
…
ENGINE = AggregatingMergeTree
ORDER BY (zone, zone_kind, country, talked)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Since when each protected zone has had peers in each country. Kept for good. Group by the key: several rows may be of one pair until they are merged.'

-- 0019_zone_countries.distributed
CREATE OR REPLACE TABLE zone_countries AS zone_countries_local
ENGINE = Distributed('carrier', currentDatabase(), zone_countries_local, cityHash64(zone))
COMMENT 'Since when each protected zone has had peers in each country. Kept for good. Group by the key: several rows may be of one pair until they are merged.'

-- 0020_zone_countries_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS zone_countries_feed TO zone_countries_local
    … FROM conversations_minute_local AS c

-- 0021_zone_asns.sql
CREATE TABLE IF NOT EXISTS zone_asns_local
…
ENGINE = AggregatingMergeTree
ORDER BY (zone, zone_kind, asn, talked)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Since when each protected zone has had peers in each autonomous system. Kept for good. Group by the key: several rows may be of one pair until they are merged.'

-- 0021_zone_asns.distributed
CREATE OR REPLACE TABLE zone_asns AS zone_asns_local
ENGINE = Distributed('carrier', currentDatabase(), zone_asns_local, cityHash64(zone))
COMMENT 'Since when each protected zone has had peers in each autonomous system. Kept for good. Group by the key: several rows may be of one pair until they are merged.'

-- 0022_zone_asns_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS zone_asns_feed TO zone_asns_local
    … FROM flows_local AS f

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

-- 0031_findings_measures.sql
ALTER TABLE findings_local

-- 0031_findings_measures.distributed
CREATE OR REPLACE TABLE findings AS findings_local
ENGINE = Distributed('carrier', currentDatabase(), findings_local, cityHash64(id))
COMMENT 'What the detectors saw, one row for each alert and window. Read the view alerts.'

-- 0032_alerts.sql
CREATE OR REPLACE VIEW alerts AS

-- 0033_sessions.sql
CREATE TABLE IF NOT EXISTS sessions_local
…
ENGINE = MergeTree
PARTITION BY toMonday(pane)
ORDER BY (pane, asset, peer_addr, protocol, asset_port, peer_port)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'What each five-tuple of a protected system carried in two seconds, counted once over routers, oriented, with what shows it established. Detectors read this table.'

-- 0033_sessions.distributed
CREATE OR REPLACE TABLE sessions AS sessions_local
ENGINE = Distributed('carrier', currentDatabase(), sessions_local, cityHash64(asset))
COMMENT 'What each five-tuple of a protected system carried in two seconds, counted once over routers, oriented, with what shows it established. Detectors read this table.'

-- 0034_pair_hours.sql
CREATE TABLE IF NOT EXISTS pair_hours_local
…
ENGINE = MergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, asset, peer_addr, protocol, port, asset_serves, initiator, asset_addr)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'What each protected end had with each peer for each service in an hour: the history that detectors learn from. Made from sessions once the hour is over.'

-- 0034_pair_hours.distributed
CREATE OR REPLACE TABLE pair_hours AS pair_hours_local
ENGINE = Distributed('carrier', currentDatabase(), pair_hours_local, cityHash64(asset))
COMMENT 'What each protected end had with each peer for each service in an hour: the history that detectors learn from. Made from sessions once the hour is over.'

-- 0035_history_hours.sql
CREATE TABLE IF NOT EXISTS history_hours_local
…
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY hour
COMMENT 'Which hours of sessions and pair_hours are complete, and how many records they stand for. An hour that has got more since is made anew by tapwatch baseline rebuild.'

-- 0035_history_hours.distributed
CREATE OR REPLACE TABLE history_hours AS history_hours_local
ENGINE = Distributed('carrier', currentDatabase(), history_hours_local, cityHash64(hour))
COMMENT 'Which hours of sessions and pair_hours are complete, and how many records they stand for. An hour that has got more since is made anew by tapwatch baseline rebuild.'

-- 0040_incidents.sql
CREATE TABLE IF NOT EXISTS incidents_local
…
ENGINE = ReplacingMergeTree(version)
ORDER BY id
COMMENT 'Alerts about the same asset or peer within a time, together. Read it with FINAL and absorbed_into = empty.'

-- 0040_incidents.distributed
CREATE OR REPLACE TABLE incidents AS incidents_local
ENGINE = Distributed('carrier', currentDatabase(), incidents_local, cityHash64(id))
COMMENT 'Alerts about the same asset or peer within a time, together. Read it with FINAL and absorbed_into = empty.'

-- 0041_silences.sql
CREATE TABLE IF NOT EXISTS silences_local
…
ENGINE = ReplacingMergeTree(version)
ORDER BY id
COMMENT 'Which alerts are kept out of sight for a time. Kept for the record; read it with FINAL.'

-- 0041_silences.distributed
CREATE OR REPLACE TABLE silences AS silences_local
ENGINE = Distributed('carrier', currentDatabase(), silences_local, cityHash64(id))
COMMENT 'Which alerts are kept out of sight for a time. Kept for the record; read it with FINAL.'

-- 0042_approvals.sql
CREATE TABLE IF NOT EXISTS approvals_local
…
ENGINE = ReplacingMergeTree(version)
ORDER BY id
COMMENT 'Conversations that alerts told of and somebody allowed: rules beside those of the inventory. Kept for the record; read it with FINAL.'

-- 0042_approvals.distributed
CREATE OR REPLACE TABLE approvals AS approvals_local
ENGINE = Distributed('carrier', currentDatabase(), approvals_local, cityHash64(id))
COMMENT 'Conversations that alerts told of and somebody allowed: rules beside those of the inventory. Kept for the record; read it with FINAL.'

-- 0060_indicators.sql
CREATE TABLE IF NOT EXISTS indicators_local
…
ENGINE = ReplacingMergeTree
ORDER BY (list, indicator, changed_at)
COMMENT 'What intelligence lists held and since when, one row for each change. Kept for good: an indicator that comes back is not matched twice.'

-- 0060_indicators.distributed
CREATE OR REPLACE TABLE indicators AS indicators_local
ENGINE = Distributed('carrier', currentDatabase(), indicators_local, cityHash64(list, indicator))
COMMENT 'What intelligence lists held and since when, one row for each change. Kept for good: an indicator that comes back is not matched twice.'

-- 0070_exporter_minute.sql
CREATE TABLE IF NOT EXISTS exporter_minute_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (at, exporter, export_protocol, sampling_interval)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'How each router exports, minute by minute: protocol, sampling, and which fields its records carry. The telemetry detector reads it.'

-- 0070_exporter_minute.distributed
CREATE OR REPLACE TABLE exporter_minute AS exporter_minute_local
ENGINE = Distributed('carrier', currentDatabase(), exporter_minute_local, cityHash64(exporter))
COMMENT 'How each router exports, minute by minute: protocol, sampling, and which fields its records carry. The telemetry detector reads it.'

-- 0071_exporter_minute_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_minute_feed TO exporter_minute_local
    … FROM flows_local AS f

-- 0072_exporter_durations.sql
CREATE TABLE IF NOT EXISTS exporter_durations_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (at, exporter, bucket)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'How long the longer records of each router are (15 seconds and more), by ten minutes: they pile up where its active timeout cuts them.'

-- 0072_exporter_durations.distributed
CREATE OR REPLACE TABLE exporter_durations AS exporter_durations_local
ENGINE = Distributed('carrier', currentDatabase(), exporter_durations_local, cityHash64(exporter))
COMMENT 'How long the longer records of each router are (15 seconds and more), by ten minutes: they pile up where its active timeout cuts them.'

-- 0073_exporter_durations_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_durations_feed TO exporter_durations_local
    … FROM flows_local AS f

-- 0074_device_minute.sql
CREATE TABLE IF NOT EXISTS device_minute_local
…
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(at)
ORDER BY (at, device, log, server, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 10000
COMMENT 'What each system of a protected zone sent, minute by minute, its logs apart from the rest: a system whose logs stop while the rest goes on is told by it.'

-- 0074_device_minute.distributed
CREATE OR REPLACE TABLE device_minute AS device_minute_local
ENGINE = Distributed('carrier', currentDatabase(), device_minute_local, cityHash64(device))
COMMENT 'What each system of a protected zone sent, minute by minute, its logs apart from the rest: a system whose logs stop while the rest goes on is told by it.'

-- 0075_device_minute_feed.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS device_minute_feed TO device_minute_local
    … FROM flows_local AS f

