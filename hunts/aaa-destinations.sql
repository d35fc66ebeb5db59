-- title: Where devices send their logins
-- finds: TACACS+ and RADIUS of network devices with an address that is no AAA server of the inventory; outsiders first.
-- technique: T1556.004 Network Device Authentication
-- technique: T1557 Adversary-in-the-Middle
-- param: role String = aaa; role of the AAA servers in the inventory
-- param: since Time = 30d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
(49, 1645, 1646, 1812, 1813, 2083, 3799) AS aaa_ports,
-- Both directions: of a router that does not meter its own packets only the answers show.
logins AS
(
    SELECT
        outward,
        if(outward, src_addr, dst_addr) AS device_addr,
        if(outward, src_asset, dst_asset) AS device_name,
        if(outward, dst_addr, src_addr) AS server_addr,
        if(outward, dst_asset, src_asset) AS server_name,
        if(outward, dst_zone, src_zone) AS zone,
        if(outward, dst_country, src_country) AS country,
        if(outward, dst_as_org, src_as_org) AS organisation,
        protocol,
        if(outward, dst_port, src_port) AS port,
        received_at, exporter
    FROM watched_flows
    ARRAY JOIN [true, false] AS outward
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND if(outward, src_zone_kind, dst_zone_kind) = 'infrastructure'
        AND if(outward, dst_role, src_role) != {role:String}
        AND if(outward, dst_port, src_port) IN aaa_ports AND protocol IN (6, 17)
        -- An answer counts when it carries data: refused attempts of the device show by what it sends.
        AND (outward OR protocol = 17 OR (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)))
)
SELECT
    if(any(l.device_name) = '', text(device_addr), any(l.device_name)) AS device,
    text(server_addr) AS server,
    any(l.server_name) AS server_asset,
    any(l.zone) AS server_zone,
    any(l.country) AS country,
    any(l.organisation) AS organisation,
    name_of(protocol) AS protocol_name,
    port,
    count() AS records,
    min(l.received_at) AS first_seen,
    max(l.received_at) AS last_seen,
    arraySort(groupUniqArray(text(l.exporter))) AS seen_by
FROM logins AS l
GROUP BY device_addr, server_addr, protocol, port
ORDER BY server_zone = '' DESC, last_seen DESC
LIMIT {limit:UInt64}
