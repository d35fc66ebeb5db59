-- What some protected systems had with some addresses in the past and what was not
-- marked as listed when it came in: as each router saw it, each way, on each side.
--
-- assets, peers   of whom
-- froms, untils   for each peer, from when to when, in Unix milliseconds, half-open
-- start, end      the least and the greatest of these
WITH argMax((r.asset_zone, r.asset_zone_kind, r.asset_name, r.asset_role, r.peer_zone, r.peer_zone_kind, r.peer_name, r.peer_role, r.peer_country, r.peer_asn, r.peer_as_org), r.received_at) AS ends
SELECT
    toString(r.asset_addr) AS asset_addr, r.peer AS peer, r.protocol AS protocol, r.port AS port, r.asset_serves AS asset_serves,
    r.to_asset AS to_asset, toString(r.exporter) AS exporter, toUInt8(r.direction) AS direction,
    max(r.sampling_interval) AS sampling,
    min(r.sampling_interval) = 0 AS unsampled,
    count() AS flows,
    sum(r.bytes * greatest(r.sampling_interval, 1)) AS bytes,
    sum(r.packets * greatest(r.sampling_interval, 1)) AS packets,
    uniqExact(r.src_port, r.dst_port) AS sessions,
    min(r.received_at) AS first_seen,
    max(r.received_at) AS last_seen,
    max(r.protocol = 6 AND r.syn AND NOT r.ack) AS tried,
    max(if(r.protocol = 6, r.ack AND (r.psh OR (r.big AND NOT r.rst)), NOT r.icmp_error AND NOT r.icmp_reply)) AS spoke,
    max(if(r.protocol = 6, r.ack AND (r.syn OR r.psh OR r.big OR NOT r.rst), NOT r.icmp_error)) AS answered,
    countIf(r.opener = 'peer') AS peer_votes,
    countIf(r.opener = 'asset') AS asset_votes,
    ends.1 AS asset_zone, ends.2 AS asset_zone_kind, ends.3 AS asset_name, ends.4 AS asset_role,
    ends.5 AS peer_zone, ends.6 AS peer_zone_kind, ends.7 AS peer_name, ends.8 AS peer_role, ends.9 AS peer_country, ends.10 AS peer_asn, ends.11 AS peer_as_org
FROM
(
    SELECT
        received_at, exporter, direction, sampling_interval, protocol, bytes, packets, tcp_flags, src_port, dst_port,
        asset_end = 'dst' AS to_asset,
        toString(f.peer) AS peer,
        if(to_asset, dst_addr, src_addr) AS asset_addr,
        if(to_asset, dst_zone, src_zone)::String AS asset_zone, if(to_asset, dst_zone_kind, src_zone_kind)::String AS asset_zone_kind,
        if(to_asset, dst_asset, src_asset)::String AS asset_name, if(to_asset, dst_role, src_role)::String AS asset_role,
        if(to_asset, src_zone, dst_zone)::String AS peer_zone, if(to_asset, src_zone_kind, dst_zone_kind)::String AS peer_zone_kind,
        if(to_asset, src_asset, dst_asset)::String AS peer_name, if(to_asset, src_role, dst_role)::String AS peer_role,
        if(to_asset, src_country, dst_country)::String AS peer_country, if(to_asset, src_asn, dst_asn) AS peer_asn,
        if(to_asset, src_as_org, dst_as_org)::String AS peer_as_org,
        -- More than headers: 60 bytes is the longest bare TCP packet over IPv4.
        bytes > packets * if(ip_version = 6, 80, 60) AS big,
        bitAnd(tcp_flags, 2) != 0 AS syn, bitAnd(tcp_flags, 4) != 0 AS rst, bitAnd(tcp_flags, 8) != 0 AS psh, bitAnd(tcp_flags, 16) != 0 AS ack,
        (protocol = 1 AND icmp_type IN (3, 4, 5, 11, 12)) OR (protocol = 58 AND icmp_type BETWEEN 1 AND 4) AS icmp_error,
        (protocol = 1 AND icmp_type IN (0, 10, 14, 16, 18)) OR (protocol = 58 AND icmp_type IN (129, 136)) AS icmp_reply,
        multiIf(protocol = 6 AND syn AND NOT ack, if(to_asset, 'peer', 'asset'),
            initiator = 'unknown', '', (initiator = 'src') = to_asset, 'peer', 'asset') AS opener,
        if(to_asset, dst_port, src_port) AS asset_port,
        if(to_asset, src_port, dst_port) AS peer_port,
        multiIf(opener = 'peer', true, opener = 'asset', false, peer_port = 0, true, asset_port = 0, false, asset_port <= peer_port) AS asset_serves,
        if(asset_serves, asset_port, peer_port) AS port
    FROM watched_flows AS f
    WHERE f.asset IN {assets:Array(String)} AND f.peer IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
        AND f.received_at >= {start:DateTime64(3)} AND f.received_at < {end:DateTime64(3)}
        AND f.src_intel = '' AND f.dst_intel = ''
        AND toUnixTimestamp64Milli(f.received_at) >= transform(toString(f.peer), {peers:Array(String)}, {froms:Array(Int64)}, toInt64(0))
        AND toUnixTimestamp64Milli(f.received_at) < transform(toString(f.peer), {peers:Array(String)}, {untils:Array(Int64)}, toInt64(0))
) AS r
GROUP BY r.asset_addr, peer, protocol, port, asset_serves, to_asset, r.exporter, r.direction
ORDER BY r.asset_addr, peer, protocol, port, asset_serves, to_asset, r.exporter, r.direction
