-- title: Rare ports of a zone
-- finds: Services within or into a zone that fewest clients and servers use, rarest first.
-- technique: T1571 Non-Standard Port
-- technique: T1205 Traffic Signaling
-- param: zone String; zone of the inventory
-- param: max Number = 2; how many pairs of client and server may use a service
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
used AS
(
    SELECT
        received_at, protocol, (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, dst_port, src_port) AS port,
        if(forward, src_addr, dst_addr) AS client_addr, if(forward, dst_addr, src_addr) AS server_addr,
        if(forward, src_asset, dst_asset) AS client_name, if(forward, dst_asset, src_asset) AS server_name,
        if(forward, src_zone, dst_zone) AS client_zone
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND (src_zone = {zone:String} OR dst_zone = {zone:String})
        AND protocol IN (6, 17, 132)
        -- Used: data over TCP, or a word from somebody of ours; the internet's probes are neither.
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AND (protocol = 6 OR src_zone != '')
)
SELECT
    name_of(protocol) AS protocol_name,
    port,
    uniqExact(u.client_addr, u.server_addr) AS pairs,
    arraySlice(arraySort(groupUniqArray(concat(if(u.client_name = '', text(u.client_addr), u.client_name), ' -> ',
        if(u.server_name = '', text(u.server_addr), u.server_name)))), 1, 5) AS who,
    toBool(countIf(u.client_zone = '') > 0) AS from_outside,
    count() AS records,
    uniqExact(toDate(u.received_at)) AS days,
    min(u.received_at) AS first_seen,
    max(u.received_at) AS last_seen
FROM used AS u
GROUP BY protocol, port
HAVING pairs <= {max:UInt64}
-- A service of one pair that runs every day is by design more often than one of today.
ORDER BY days, pairs, records
LIMIT {limit:UInt64}
