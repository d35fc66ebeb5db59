-- The pairs that called lately and often enough to be looked at: of outside peers all,
-- of inside ones, where {inside}, those that have not talked for long. Calls that nobody
-- answered count where the system itself calls out: the server that a program calls home
-- to may be gone, blocked or not there yet. What only sampling routers saw is left out:
-- its times tell little.
SELECT
    {pair},
    sum(p.begun) AS calls, sum(p.established) AS established,
    min(p.first_seen) AS first_seen, max(p.last_seen) AS last_seen,
    -- How many calls in each hour that had some.
    arrayMap(x -> toUInt64(x), sumMap([toUnixTimestamp(p.hour)], [toUInt64(p.begun)]).2) AS hourly
FROM pair_hours AS p
WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.least_sampling <= 1
    AND (p.peer_zone = '' OR {inside:Bool})
    AND (p.asset_addr, p.peer_addr, p.protocol, p.port) GLOBAL IN
    (
        SELECT l.asset_addr, l.peer_addr, l.protocol, l.port
        FROM pair_hours AS l
        WHERE l.hour >= {recent:DateTime64(3)} AND l.hour < {end:DateTime64(3)} AND l.begun > 0
            AND (l.established > 0 OR (l.initiator = 'asset' AND l.peer_zone = ''))
            AND l.protocol IN (6, 17, 132) AND l.least_sampling <= 1
            AND (l.peer_zone = '' OR ({inside:Bool} AND (l.asset, l.peer_addr) GLOBAL IN
            (
                SELECT a.asset, a.peer_addr
                FROM asset_peers AS a
                WHERE a.talked AND a.peer_zone != ''
                GROUP BY a.asset, a.peer_addr
                HAVING min(a.first_seen) >= {young:DateTime64(3)} AND min(a.first_seen) < {end:DateTime64(3)}
            )))
    )
GROUP BY {by}
HAVING calls >= {calls:UInt64} AND (established * 2 >= calls OR sumIf(p.begun, p.initiator = 'asset' AND p.peer_zone = '') * 2 >= calls)
ORDER BY asset, peer_addr, protocol, port
