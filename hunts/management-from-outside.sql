-- title: Management from outside the management zones
-- finds: Established sessions on management ports of protected systems from neither a management zone nor their own; from outside the carrier first.
-- technique: T1021.004 SSH
-- technique: T1133 External Remote Services
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
managed AS
(
    SELECT
        received_at,
        (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, dst_addr, src_addr) AS server_addr, if(forward, src_addr, dst_addr) AS client_addr,
        if(forward, dst_asset, src_asset) AS server_name, if(forward, dst_zone, src_zone) AS server_zone,
        if(forward, src_asset, dst_asset) AS client_name, if(forward, src_zone, dst_zone) AS zone,
        if(forward, src_country, dst_country) AS country, if(forward, src_as_org, dst_as_org) AS organisation,
        protocol, if(forward, dst_port, src_port) AS port, if(forward, src_port, dst_port) AS client_port
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND protocol IN (6, 17) AND port IN (22, 23, 80, 443, 161, 830, 6513, 9339, 57400, 57722)
        AND server_zone != '' AND server_zone != zone
        AND if(forward, src_zone_kind, dst_zone_kind) != 'management'
        -- Established: data over TCP, or that the system answers over UDP. Scans are neither.
        AND (protocol = 6 OR NOT forward OR zone != '') AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
)
SELECT
    text(client_addr) AS client, any(m.client_name) AS client_asset, any(m.zone) AS client_zone,
    any(m.country) AS country, any(m.organisation) AS organisation,
    if(any(m.server_name) = '', text(server_addr), any(m.server_name)) AS asset,
    text(server_addr) AS address, any(m.server_zone) AS asset_zone,
    name_of(protocol) AS protocol_name, port,
    uniqExact(m.client_port) AS sessions, min(m.received_at) AS first_seen, max(m.received_at) AS last_seen
FROM managed AS m
GROUP BY client_addr, server_addr, protocol, port
ORDER BY client_zone = '' DESC, last_seen DESC
LIMIT {limit:UInt64}
