-- title: Systems used as stepping stones
-- finds: Protected systems that are managed from one address while they manage another: who came in, and where it went on to.
-- technique: T1090.003 Multi-hop Proxy
-- technique: T1021.004 SSH
-- param: role String = jump; role of the systems that are there for this
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
sessions AS
(
    SELECT
        (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, src_addr, dst_addr) AS client_addr, if(forward, dst_addr, src_addr) AS server_addr,
        if(forward, dst_port, src_port) AS port, if(forward, src_port, dst_port) AS client_port,
        any(if(forward, src_asset, dst_asset)) AS client_name, any(if(forward, src_role, dst_role)) AS client_role,
        any(if(forward, dst_asset, src_asset)) AS server_name,
        any(if(forward, src_zone, dst_zone)) AS client_zone, any(if(forward, src_country, dst_country)) AS country,
        toStartOfHour(received_at) AS hour,
        min(if(toYear(start_at) > 1970, start_at, received_at)) AS began, max(if(toYear(end_at) > 1970, end_at, received_at)) AS ended
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND protocol = 6 AND (port IN (22, 23, 830, 3389, 57722) OR (port >= 10000 AND port % 100 = 22))
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
    -- By the hour, for the ports of a client come again.
    GROUP BY forward, client_addr, server_addr, port, client_port, hour
)
SELECT
    text(i.client_addr) AS came_from, any(i.client_name) AS came_from_asset, any(i.country) AS country,
    if(any(i.server_name) = '', text(i.server_addr), any(i.server_name)) AS through, i.port AS through_port,
    if(any(o.server_name) = '', text(o.server_addr), any(o.server_name)) AS went_to, o.port AS to_port,
    -- How long after it came in it went on: seconds, of the closest two sessions.
    min(abs(dateDiff('second', i.began, o.began))) AS seconds_between,
    min(o.began) AS first_seen,
    max(o.ended) AS last_seen
FROM sessions AS i
GLOBAL INNER JOIN sessions AS o ON i.server_addr = o.client_addr AND i.hour = o.hour
WHERE i.began <= o.began + INTERVAL 60 SECOND AND o.began <= i.ended + INTERVAL 60 SECOND
    AND i.client_addr != o.server_addr AND o.client_role != {role:String}
GROUP BY i.client_addr, i.server_addr, i.port, o.server_addr, o.port
ORDER BY any(i.client_zone) = '' DESC, seconds_between
LIMIT {limit:UInt64}
