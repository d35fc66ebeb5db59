-- title: Management from device to device
-- finds: Network devices that manage one another over SSH, Telnet, HTTP(S), SNMP, NETCONF or gNMI, which only management stations should.
-- technique: T1021.004 SSH
-- technique: T1570 Lateral Tool Transfer
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
        (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, src_addr, dst_addr) AS client_addr, if(forward, dst_addr, src_addr) AS server_addr,
        if(forward, src_asset, dst_asset) AS client_name, if(forward, dst_asset, src_asset) AS server_name,
        protocol, if(forward, dst_port, src_port) AS port, if(forward, src_port, dst_port) AS client_port,
        received_at, exporter
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND src_zone_kind = 'infrastructure' AND dst_zone_kind = 'infrastructure'
        AND protocol IN (6, 17) AND port IN (22, 23, 80, 443, 161, 830, 6513, 9339, 57400, 57722)
        -- Established: data, not the bare headers of an attempt.
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
)
SELECT
    if(any(m.client_name) = '', text(client_addr), any(m.client_name)) AS client,
    text(client_addr) AS client_address,
    if(any(m.server_name) = '', text(server_addr), any(m.server_name)) AS server,
    text(server_addr) AS server_address,
    name_of(protocol) AS protocol_name,
    port,
    uniqExact(m.client_port) AS sessions,
    min(m.received_at) AS first_seen,
    max(m.received_at) AS last_seen,
    arraySort(groupUniqArray(text(m.exporter))) AS seen_by
FROM managed AS m
GROUP BY client_addr, server_addr, protocol, port
-- SSH and Telnet are people, or somebody who pretends to be.
ORDER BY port IN (22, 23, 57722) DESC, last_seen DESC
LIMIT {limit:UInt64}
