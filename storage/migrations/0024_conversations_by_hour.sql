CREATE OR REPLACE VIEW conversations_by_hour
{{template "conversations_view.sql" .By "hour"}}
COMMENT 'Who talked with what protected end for which service, hour by hour, each conversation once however many routers saw it.'
