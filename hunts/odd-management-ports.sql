-- title: Devices that serve on odd management ports
-- finds: Established sessions to a network device on TCP 57722 (the second SSH of IOS XR), on xxx22 from 10022 up, or on 18xxx.
-- technique: T1571 Non-Standard Port
-- technique: T1021.004 SSH
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
-- One in a hundred ephemeral ports ends in 22, and 57722 and 18xxx may be ephemeral too:
-- a record that shows the device as the client is none of these.
served AS
(
    SELECT
        outward,
        if(outward, src_addr, dst_addr) AS device_addr,
        if(outward, src_asset, dst_asset) AS device_name,
        if(outward, src_port, dst_port) AS port,
        if(outward, dst_addr, src_addr) AS client_addr,
        if(outward, dst_port, src_port) AS client_port,
        if(outward, dst_asset, src_asset) AS client_name,
        if(outward, dst_zone, src_zone) AS zone,
        if(outward, dst_country, src_country) AS country,
        if(outward, dst_as_org, src_as_org) AS organisation,
        received_at, exporter, packets
    FROM watched_flows
    ARRAY JOIN [true, false] AS outward
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND if(outward, src_zone_kind, dst_zone_kind) = 'infrastructure'
        AND protocol = 6
        AND (port = 57722 OR (port >= 10000 AND port % 100 = 22) OR port BETWEEN 18000 AND 18999)
        AND initiator != if(outward, 'src', 'dst')
        -- Established: data, not the bare headers of a scan or a refusal.
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
)
SELECT
    if(any(s.device_name) = '', text(device_addr), any(s.device_name)) AS device,
    port,
    text(client_addr) AS client,
    any(s.client_name) AS client_asset,
    any(s.zone) AS client_zone,
    any(s.country) AS country,
    any(s.organisation) AS organisation,
    uniqExact(s.client_port) AS sessions,
    min(s.received_at) AS first_seen,
    max(s.received_at) AS last_seen,
    arraySort(groupUniqArray(text(s.exporter))) AS seen_by
FROM served AS s
GROUP BY device_addr, port, client_addr
ORDER BY client_zone = '' DESC, port = 57722 DESC, last_seen - first_seen DESC
LIMIT {limit:UInt64}
