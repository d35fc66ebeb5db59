-- title: Administration at unusual hours
-- finds: Sessions by SSH, Telnet, NETCONF or remote desktop to protected systems outside working hours, from sources that otherwise work in them first.
-- technique: T1078 Valid Accounts
-- technique: T1021.004 SSH
-- param: from_hour Number = 7; hour of the day (UTC) when work begins
-- param: to_hour Number = 19; hour of the day (UTC) when work ends
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: history Duration = 56d; how far before since a source's habit is looked at
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
sessions AS
(
    SELECT
        (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, src_addr, dst_addr) AS client_addr, if(forward, dst_addr, src_addr) AS server_addr,
        if(forward, dst_port, src_port) AS port, if(forward, src_port, dst_port) AS client_port,
        any(if(forward, src_asset, dst_asset)) AS client_name, any(if(forward, src_zone, dst_zone)) AS zone,
        any(if(forward, dst_asset, src_asset)) AS server_name,
        any(if(forward, src_country, dst_country)) AS country,
        min(if(toYear(start_at) > 1970, start_at, received_at)) AS began, max(if(toYear(end_at) > 1970, end_at, received_at)) AS ended,
        toHour(began) >= {from_hour:UInt64} AND toHour(began) < {to_hour:UInt64} AND toDayOfWeek(began) <= 5 AS at_work
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} - toIntervalSecond({history:UInt64}) AND received_at < {until:DateTime64(3, 'UTC')}
        AND protocol = 6 AND port IN (22, 23, 830, 3389, 57722) AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
        AND if(forward, dst_zone, src_zone) != ''
    -- A client's port is used again, but hardly on the same day.
    GROUP BY forward, client_addr, server_addr, port, client_port, toDate(received_at)
),
-- Backups and pollers work at all hours: a habit is what a source does to this port of anyone.
habits AS
(
    SELECT client_addr, port, countIf(at_work) AS in_hours, countIf(NOT at_work) AS out_of_hours
    FROM sessions
    WHERE began < {since:DateTime64(3, 'UTC')}
    GROUP BY client_addr, port
)
SELECT
    text(s.client_addr) AS client, any(s.client_name) AS client_asset, any(s.zone) AS client_zone, any(s.country) AS country,
    if(any(s.server_name) = '', text(s.server_addr), any(s.server_name)) AS asset,
    s.port AS port,
    toDate(s.began) AS day,
    dateName('weekday', day) AS weekday,
    count() AS sessions_made,
    min(s.began) AS began,
    max(s.ended) AS ended,
    any(h.in_hours) AS before_in_hours,
    any(h.out_of_hours) AS before_out_of_hours
FROM sessions AS s
GLOBAL LEFT JOIN habits AS h ON s.client_addr = h.client_addr AND s.port = h.port
WHERE s.began >= {since:DateTime64(3, 'UTC')} AND NOT s.at_work
GROUP BY s.client_addr, s.server_addr, s.port, day
-- The more of a source's sessions were at night before, the less this one means.
ORDER BY before_out_of_hours / greatest(before_in_hours + before_out_of_hours, 1), client_zone = '' DESC, client_asset = '' DESC, began DESC
LIMIT {limit:UInt64}
