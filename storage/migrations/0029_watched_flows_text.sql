CREATE OR REPLACE VIEW watched_flows_text AS
{{template "text_lists.sql" .}}
SELECT * REPLACE (
    replaceRegexpOne(toString(exporter), '^::ffff:([0-9.]+)$', '\\1') AS exporter,
    replaceRegexpOne(toString(peer), '^::ffff:([0-9.]+)$', '\\1') AS peer,
{{template "text_addresses.sql" .}}
),
{{template "text_names.sql" .}}
FROM watched_flows
