-- title: Sessions that last for hours
-- finds: Sessions of protected systems that last at least so long; those between ends that did not talk before come first.
-- technique: T1571 Non-Standard Port
-- technique: T1219 Remote Access Tools
-- param: zone String = ; only of this zone; empty any
-- param: min Duration = 4h; the shortest session to show
-- param: gap Duration = 10m; the longest silence within a session
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: history Duration = 30d; how far before since the ends may have talked
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
records AS
(
    SELECT
        if(toYear(start_at) > 1970, start_at, received_at) AS began,
        if(toYear(end_at) > 1970, end_at, received_at) AS ended,
        protocol,
        (src_addr, src_port) AS src,
        (dst_addr, dst_port) AS dst,
        least(src, dst) AS one,
        greatest(src, dst) AS other,
        (src_asset::String, src_zone::String, src_country::String, src_as_org::String) AS src_is,
        (dst_asset::String, dst_zone::String, dst_country::String, dst_as_org::String) AS dst_is,
        -- Of a tunnel, which has no ports, who speaks first is the client.
        protocol IN (47, 50) OR (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS src_asks
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND ({zone:String} = '' OR src_zone = {zone:String} OR dst_zone = {zone:String})
        AND protocol IN (6, 17, 47, 50, 132)
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
),
-- Routers cut a long flow at their active timeout: its records are joined by addresses and
-- ports, in whichever direction. What several routers or records tell of the same minute is one part.
parts AS
(
    SELECT
        one, other, protocol,
        toStartOfMinute(r.began) AS minute,
        argMin(r.src_asks = (r.src = one), r.began) AS one_asks,
        any(if(r.src = one, r.src_is, r.dst_is)) AS one_is,
        any(if(r.src = one, r.dst_is, r.src_is)) AS other_is,
        min(r.began) AS began,
        max(r.ended) AS ended
    FROM records AS r
    GROUP BY one, other, protocol, minute
),
opened AS
(
    SELECT
        *,
        began > max(ended) OVER (PARTITION BY one, other, protocol ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            + toIntervalSecond({gap:UInt64}) AS opens
    FROM parts
),
numbered AS
(
    SELECT *, sum(opens) OVER (PARTITION BY one, other, protocol ORDER BY began) AS session
    FROM opened
),
acquainted AS
(
    SELECT DISTINCT least(src_addr, dst_addr) AS a, greatest(src_addr, dst_addr) AS b
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} - toIntervalSecond({history:UInt64}) AND received_at < {since:DateTime64(3, 'UTC')}
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
)
SELECT
    text(if(argMin(n.one_asks, n.began) AS ask, one.1, other.1)) AS client,
    if(ask, any(n.one_is) AS a, any(n.other_is) AS b).1 AS client_asset,
    if(ask, a, b).2 AS client_zone,
    text(if(ask, other.1, one.1)) AS server,
    if(ask, b, a).1 AS server_asset,
    if(ask, b, a).2 AS server_zone,
    name_of(protocol) AS protocol_name,
    if(ask, other.2, one.2) AS port,
    -- Of the end outside the carrier, if there is one.
    if(a.2 = '', a.3, b.3) AS country,
    if(a.2 = '', a.4, b.4) AS organisation,
    toBool((least(one.1, other.1), greatest(one.1, other.1)) GLOBAL IN acquainted) AS talked_before,
    round(dateDiff('second', min(n.began), max(n.ended)) / 3600, 1) AS hours,
    min(n.began) AS began,
    max(n.ended) AS ended
FROM numbered AS n
GROUP BY one, other, protocol, session
HAVING dateDiff('second', began, ended) >= {min:UInt64}
ORDER BY talked_before, client_zone = '' OR server_zone = '' DESC, hours DESC
LIMIT {limit:UInt64}
