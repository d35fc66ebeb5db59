AS SELECT
    toStartOf{{.Start}}(r.received_at) AS at,
    r.asset AS asset, r.asset_addr AS asset_addr, r.asset_zone AS asset_zone, r.asset_zone_kind AS asset_zone_kind, r.asset_role AS asset_role,
    r.peer_addr AS peer_addr, r.peer_asset AS peer_asset, r.peer_zone AS peer_zone, r.peer_country AS peer_country, r.peer_asn AS peer_asn,
    r.protocol AS protocol, r.port AS port, r.asset_serves AS asset_serves, r.to_asset AS to_asset, r.exporter AS exporter, r.direction AS direction,
    max(r.sampling_interval) AS sampling_interval,
    count() AS flows,
    sum(r.bytes * greatest(r.sampling_interval, 1)) AS bytes,
    sum(r.packets * greatest(r.sampling_interval, 1)) AS packets,
    groupBitOr(r.tcp_flags) AS tcp_flags,
    countIf(r.opener = 'peer') AS opened_by_peer,
    countIf(r.opener = 'asset') AS opened_by_asset,
    min(r.received_at) AS first_seen,
    max(r.received_at) AS last_seen,
    max(greatest(r.duration_ms, 0)) AS longest_ms,
    sum(greatest(r.duration_ms, 0)) AS total_ms,
    groupUniqArray(100)(if(r.duration_ms = -9223372036854775808, r.received_at, r.start_at)) AS starts,
    today() AS inserted_on
FROM
(
    SELECT
        received_at, exporter, direction, sampling_interval, protocol, bytes, packets, tcp_flags, duration_ms, start_at,
        asset_end = 'dst' AS to_asset,
        if(to_asset, dst_addr, src_addr) AS asset_addr,
        if(to_asset, src_addr, dst_addr) AS peer_addr,
        if(to_asset, dst_asset, src_asset) AS named,
        if(named != '', named, replaceRegexpOne(toString(asset_addr), '^::ffff:([0-9.]+)$', '\\1')) AS asset,
        if(to_asset, dst_zone, src_zone) AS asset_zone,
        if(to_asset, dst_zone_kind, src_zone_kind) AS asset_zone_kind,
        if(to_asset, dst_role, src_role) AS asset_role,
        if(to_asset, src_asset, dst_asset) AS peer_asset,
        if(to_asset, src_zone, dst_zone) AS peer_zone,
        if(to_asset, src_country, dst_country) AS peer_country,
        if(to_asset, src_asn, dst_asn) AS peer_asn,
        multiIf(initiator = 'unknown', '', (initiator = 'src') = to_asset, 'peer', 'asset') AS opener,
        if(to_asset, dst_port, src_port) AS asset_port,
        if(to_asset, src_port, dst_port) AS peer_port,
        /* Without a known opener the lower port is the service, 0 is none. */
        multiIf(opener = 'peer', true, opener = 'asset', false, peer_port = 0, true, asset_port = 0, false, asset_port <= peer_port) AS asset_serves,
        if(asset_serves, asset_port, peer_port) AS port
    FROM {{.Table "flows"}}
    WHERE watched
) AS r
GROUP BY ALL