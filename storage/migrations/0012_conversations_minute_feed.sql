CREATE MATERIALIZED VIEW IF NOT EXISTS conversations_minute_feed TO {{.Table "conversations_minute"}}
{{template "conversations_feed.sql" .By "minute"}}
