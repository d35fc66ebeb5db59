CREATE OR REPLACE VIEW conversations
{{template "conversations_view.sql" .By "minute"}}
COMMENT 'Who talked with what protected end for which service, minute by minute, each conversation once however many routers saw it. Routers export the same session at different moments: for amounts of an hour or more read conversations_by_hour.'
