CREATE MATERIALIZED VIEW IF NOT EXISTS watched_flows_feed TO watched_flows
AS SELECT * FROM flows WHERE watched
