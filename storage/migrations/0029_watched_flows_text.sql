CREATE OR REPLACE VIEW watched_flows_text AS
WITH
    /* Names as people say them; empty where a number has none. */
    (SELECT (groupArray(number), groupArray(name)) FROM protocols) AS protocol_list,
    (SELECT (groupArray(toUInt32(protocol) * 65536 + port), groupArray(name)) FROM services) AS service_list,
    (SELECT (groupArray(code), groupArray(name)) FROM countries) AS country_list
SELECT * REPLACE (
    replaceRegexpOne(toString(exporter), '^::ffff:([0-9.]+)$', '\\1') AS exporter,
    replaceRegexpOne(toString(peer), '^::ffff:([0-9.]+)$', '\\1') AS peer,
    replaceRegexpOne(toString(src_addr), '^::ffff:([0-9.]+)$', '\\1') AS src_addr,
    replaceRegexpOne(toString(dst_addr), '^::ffff:([0-9.]+)$', '\\1') AS dst_addr,
    replaceRegexpOne(toString(next_hop), '^::ffff:([0-9.]+)$', '\\1') AS next_hop,
    replaceRegexpOne(toString(src_addr_nat), '^::ffff:([0-9.]+)$', '\\1') AS src_addr_nat,
    replaceRegexpOne(toString(dst_addr_nat), '^::ffff:([0-9.]+)$', '\\1') AS dst_addr_nat,
    replaceRegexpOne(toString(inner_src_addr), '^::ffff:([0-9.]+)$', '\\1') AS inner_src_addr,
    replaceRegexpOne(toString(inner_dst_addr), '^::ffff:([0-9.]+)$', '\\1') AS inner_dst_addr
),
    start_at, end_at,
    transform(protocol, protocol_list.1, protocol_list.2, toString(protocol)) AS protocol_name,
    /* Of the end that was asked; where a record alone does not tell, of the lower port. */
    transform(toUInt32(protocol) * 65536 + multiIf(initiator = 'src', dst_port, initiator = 'dst', src_port, least(src_port, dst_port)),
        service_list.1, service_list.2, '') AS service_name,
    transform(src_country, country_list.1, country_list.2, src_country) AS src_country_name,
    transform(dst_country, country_list.1, country_list.2, dst_country) AS dst_country_name
FROM watched_flows
