-- title: Traffic with listed addresses
-- finds: Protected systems and their traffic with addresses on an intelligence list, as tagged when the flows came; conversations before bare attempts.
-- technique: T1071 Application Layer Protocol
-- technique: T1583.003 Virtual Private Server
-- param: list String = ; only of this list; empty any
-- param: since Time = 30d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
hits AS
(
    SELECT
        outward, received_at, protocol, packets,
        if(outward, dst_intel, src_intel) AS indicator,
        if(outward, src_addr, dst_addr) AS own_addr, if(outward, dst_addr, src_addr) AS listed_addr,
        if(outward, src_asset, dst_asset) AS own_name, if(outward, src_zone, dst_zone) AS zone,
        if(outward, dst_country, src_country) AS country, if(outward, dst_as_org, src_as_org) AS organisation,
        if((initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))), dst_port, src_port) AS port,
        if((initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) = outward, 'ours', 'theirs') AS opened_by,
        (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AND (outward OR protocol = 6) AS talk
    FROM watched_flows
    ARRAY JOIN [true, false] AS outward
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND indicator != ''
        AND ({list:String} = '' OR startsWith(indicator, concat({list:String}, ':')))
)
SELECT
    indicator,
    text(listed_addr) AS listed,
    if(any(h.own_name) = '', text(own_addr), any(h.own_name)) AS asset, any(h.zone) AS zone,
    name_of(protocol) AS protocol_name, port, opened_by,
    any(h.country) AS country, any(h.organisation) AS organisation,
    toBool(max(h.talk)) AS talked, count() AS records, uniqExact(toDate(h.received_at)) AS days,
    min(h.received_at) AS first_seen, max(h.received_at) AS last_seen
FROM hits AS h
GROUP BY indicator, listed_addr, own_addr, protocol, port, opened_by
ORDER BY talked DESC, opened_by = 'ours' DESC, last_seen DESC
LIMIT {limit:UInt64}
