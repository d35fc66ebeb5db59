CREATE OR REPLACE VIEW flows_text AS
{{template "text_lists.sql" .}}
SELECT * REPLACE (
    replaceRegexpOne(toString(exporter), '^::ffff:([0-9.]+)$', '\\1') AS exporter,
{{template "text_addresses.sql" .}}
),
{{template "text_names.sql" .}}
FROM flows
