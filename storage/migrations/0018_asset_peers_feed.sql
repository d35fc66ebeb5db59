CREATE MATERIALIZED VIEW IF NOT EXISTS asset_peers_feed TO {{.Table "asset_peers"}}
AS
/* From the minute's conversations: these are far fewer rows than the flows that the same insert brought. */
SELECT
    c.asset_zone AS asset_zone, c.asset AS asset, c.peer_addr AS peer_addr, c.protocol AS protocol, c.port AS port, c.asset_serves AS asset_serves,
    (c.protocol != 6 OR bitAnd(c.tcp_flags, 24) = 24 OR (bitAnd(c.tcp_flags, 4) = 0 AND c.bytes > c.packets * 90))
        AND (NOT c.to_asset OR c.protocol = 6 OR c.peer_zone != '') AS talked,
    anyLast(c.asset_zone_kind) AS asset_zone_kind,
    anyLast(c.peer_asset) AS peer_asset,
    anyLast(c.peer_zone) AS peer_zone,
    anyLast(c.peer_country) AS peer_country,
    anyLast(c.peer_asn) AS peer_asn,
    min(c.first_seen) AS first_seen,
    max(c.last_seen) AS last_seen,
    sum(c.flows) AS flows,
    sum(c.opened_by_peer) AS opened_by_peer,
    sum(c.opened_by_asset) AS opened_by_asset
FROM {{.Table "conversations_minute"}} AS c
GROUP BY ALL
