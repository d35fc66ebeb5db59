-- title: Who answers on a new port
-- finds: Assets that serve on a port on which they never answered in the history before, with who asked; high ports and outsiders first.
-- technique: T1543 Create or Modify System Process
-- technique: T1571 Non-Standard Port
-- param: zone String = ; only of this zone; empty any
-- param: since Time = 24h; from when on a port counts as new
-- param: until Time = 0s; up to when
-- param: history Duration = 30d; how far before since the port may have answered
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
-- What a server says, and over TCP what a client says with data, for a router may not meter
-- its own packets.
served AS
(
    SELECT
        received_at,
        (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, dst_addr, src_addr) AS server_addr, if(forward, src_addr, dst_addr) AS client_addr,
        if(forward, dst_asset, src_asset) AS server_name, if(forward, dst_zone, src_zone) AS server_zone,
        if(forward, src_asset, dst_asset) AS client_name, if(forward, src_zone, dst_zone) AS client_zone,
        protocol, if(forward, dst_port, src_port) AS port
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} - toIntervalSecond({history:UInt64}) AND received_at < {until:DateTime64(3, 'UTC')}
        AND server_name != '' AND ({zone:String} = '' OR server_zone = {zone:String})
        AND protocol IN (6, 17, 132) AND (protocol = 6 OR NOT forward)
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
)
SELECT
    server_name AS asset,
    text(any(s.server_addr)) AS address,
    any(s.server_zone) AS zone,
    name_of(protocol) AS protocol_name,
    port,
    uniqExact(s.client_addr) AS clients,
    arraySlice(arraySort(groupUniqArray(if(s.client_name = '', text(s.client_addr), s.client_name))), 1, 10) AS some_clients,
    toBool(countIf(s.client_zone = '') > 0) AS from_outside,
    min(s.received_at) AS first_seen,
    max(s.received_at) AS last_seen,
    count() AS records
FROM served AS s
GROUP BY server_name, protocol, port
HAVING first_seen >= {since:DateTime64(3, 'UTC')}
ORDER BY from_outside DESC, port >= 1024 DESC, first_seen
LIMIT {limit:UInt64}
