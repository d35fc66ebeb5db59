CREATE TABLE IF NOT EXISTS {{.Table "conversations_hour"}}
{{template "conversations_table.sql" .By "hour"}}
COMMENT 'Who talked with what protected end for which service, hour by hour, as each router saw it.'
