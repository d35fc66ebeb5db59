CREATE OR REPLACE VIEW conversations_text AS
WITH
    /* Names as people say them; empty where a number has none. */
    (SELECT (groupArray(number), groupArray(name)) FROM protocols) AS protocol_list,
    (SELECT (groupArray(toUInt32(protocol) * 65536 + port), groupArray(name)) FROM services) AS service_list,
    (SELECT (groupArray(code), groupArray(name)) FROM countries) AS country_list
SELECT * REPLACE (
    replaceRegexpOne(toString(asset_addr), '^::ffff:([0-9.]+)$', '\\1') AS asset_addr,
    replaceRegexpOne(toString(peer_addr), '^::ffff:([0-9.]+)$', '\\1') AS peer_addr,
    replaceRegexpOne(toString(told_by), '^::ffff:([0-9.]+)$', '\\1') AS told_by,
    arrayMap(e -> replaceRegexpOne(toString(e), '^::ffff:([0-9.]+)$', '\\1'), exporters) AS exporters
),
    transform(protocol, protocol_list.1, protocol_list.2, toString(protocol)) AS protocol_name,
    transform(toUInt32(protocol) * 65536 + port, service_list.1, service_list.2, '') AS service_name,
    transform(peer_country, country_list.1, country_list.2, peer_country) AS peer_country_name
FROM conversations
