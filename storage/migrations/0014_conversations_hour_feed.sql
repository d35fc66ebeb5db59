CREATE MATERIALIZED VIEW IF NOT EXISTS conversations_hour_feed TO {{.Table "conversations_hour"}}
{{template "conversations_feed.sql" .By "hour"}}
