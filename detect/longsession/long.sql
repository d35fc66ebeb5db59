-- The pairs that were active in the last hour and whose sessions, all added up, were open
-- for long enough in the last day, told from a few columns; inside says that the peer lay
-- in a zone all along. Most hours have none.
SELECT
    p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol, p.port AS port,
    countIf(p.peer_zone = '') = 0 AS inside
FROM pair_hours AS p
WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.least_sampling <= 1
    AND p.protocol IN (6, 17, 132) AND (p.active_ms > 0 OR p.peer_zone = '')
GROUP BY asset_addr, peer_addr, protocol, port
HAVING sum(p.active_ms) >= {active_ms:UInt64} AND countIf(p.hour >= {start:DateTime64(3)} AND p.answered > 0 AND p.active_ms > 0) > 0
