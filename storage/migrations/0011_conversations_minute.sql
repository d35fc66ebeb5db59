CREATE TABLE IF NOT EXISTS {{.Table "conversations_minute"}}
{{template "conversations_table.sql" .By "minute"}}
COMMENT 'Who talked with what protected end for which service, minute by minute, as each router saw it. Read the view conversations.'
