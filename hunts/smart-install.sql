-- title: Smart Install
-- finds: Who reached TCP 4786 of a protected system (CVE-2018-0171): sessions that carried data first, then bare attempts from inside.
-- technique: T1190 Exploit Public-Facing Application
-- technique: T1602.002 Network Device Configuration Dump
-- param: since Time = 30d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
installs AS
(
    SELECT
        dst_port = 4786 AS inward,
        if(inward, dst_addr, src_addr) AS device_addr, if(inward, src_addr, dst_addr) AS client_addr,
        if(inward, dst_asset, src_asset) AS device_name, if(inward, src_asset, dst_asset) AS client_name,
        if(inward, src_zone, dst_zone) AS zone, if(inward, src_country, dst_country) AS country,
        if(inward, src_as_org, dst_as_org) AS organisation,
        (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AS carries_data,
        received_at
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND protocol = 6 AND (dst_port = 4786 OR src_port = 4786)
        -- 4786 may be the ephemeral port of a client.
        AND initiator != if(dst_port = 4786, 'dst', 'src')
)
SELECT
    if(any(i.device_name) = '', text(device_addr), any(i.device_name)) AS device,
    text(client_addr) AS client,
    any(i.client_name) AS client_asset,
    any(i.zone) AS client_zone,
    any(i.country) AS country,
    any(i.organisation) AS organisation,
    toBool(max(i.carries_data)) AS data,
    count() AS records,
    min(i.received_at) AS first_seen,
    max(i.received_at) AS last_seen
FROM installs AS i
GROUP BY device_addr, client_addr
-- The internet probes this port all day: without data only what comes from inside is told.
HAVING data OR client_zone != ''
ORDER BY data DESC, client_zone = '' DESC, last_seen DESC
LIMIT {limit:UInt64}
