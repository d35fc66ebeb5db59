CREATE MATERIALIZED VIEW IF NOT EXISTS zone_countries_feed TO {{.Table "zone_countries"}}
AS SELECT
    c.asset_zone AS zone, c.asset_zone_kind AS zone_kind, c.peer_country AS country,
    (c.protocol != 6 OR bitAnd(c.tcp_flags, 24) = 24 OR (bitAnd(c.tcp_flags, 4) = 0 AND c.bytes > c.packets * 90))
        AND (NOT c.to_asset OR c.protocol = 6 OR c.peer_zone != '') AS talked,
    min(c.first_seen) AS first_seen,
    max(c.last_seen) AS last_seen,
    sum(c.flows) AS flows,
    sum(c.opened_by_peer) AS opened_by_peer,
    sum(c.opened_by_asset) AS opened_by_asset
FROM {{.Table "conversations_minute"}} AS c
WHERE c.peer_country != ''
GROUP BY ALL
