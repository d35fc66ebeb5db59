-- The internet's scanners of a day, by zone: sources outside all zones that tried at
-- least so many protected systems and got nowhere with any. What the internet cannot
-- reach has alerts of its own.
SELECT
    zone, any(kind) AS zone_kind,
    count() AS sources,
    max(targets) AS most_targets,
    argMax(source, (targets, source)) AS busiest,
    argMax(country, (targets, source)) AS busiest_country,
    argMax(asn, (targets, source)) AS busiest_asn,
    argMax(example, (targets, source)) AS example_addr,
    sum(s.flows) AS zone_flows, sum(s.bytes) AS zone_bytes, sum(s.packets) AS zone_packets,
    min(s.first) AS zone_first, max(s.last) AS zone_last,
    topK(3)(top_port) AS ports
FROM
(
    SELECT
        asset_zone AS zone, any(asset_zone_kind) AS kind, peer_addr AS source,
        uniqExact(asset_addr) AS targets, min(asset_addr) AS example,
        any(peer_country) AS country, any(peer_asn) AS asn,
        topK(1)(port)[1] AS top_port,
        sum(p.flows) AS flows, sum(p.bytes_in) AS bytes, sum(p.packets_in) AS packets,
        min(p.first_seen) AS first, max(p.last_seen) AS last
    FROM pair_hours AS p
    WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
        AND initiator = 'peer' AND peer_zone = '' AND protocol IN (6, 17)
        AND NOT {unreachable:asset_addr}
    GROUP BY zone, source
    HAVING max(if(protocol = 6, established, answered)) = 0 AND targets >= {targets:UInt64}
) AS s
GROUP BY zone
ORDER BY zone
