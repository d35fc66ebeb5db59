-- What is known of the pairs, of some addresses, that were active in the last hour and
-- whose sessions, all added up, were open for long enough in the last day: of outside
-- peers all, of inside ones, where {inside}, those that have not talked for long.
SELECT
    {pair},
    sum(p.active_ms) AS active_ms, sum(p.begun) AS begun,
    min(p.first_seen) AS first_seen, max(p.last_seen) AS last_seen
FROM pair_hours AS p
WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.least_sampling <= 1
    AND p.asset_addr GLOBAL IN (SELECT toIPv6(arrayJoin({assets:Array(String)})))
    AND p.peer_addr GLOBAL IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
    AND (p.peer_zone = '' OR {inside:Bool})
    AND (p.asset_addr, p.peer_addr, p.protocol, p.port) GLOBAL IN
    (
        SELECT l.asset_addr, l.peer_addr, l.protocol, l.port
        FROM pair_hours AS l
        WHERE l.hour >= {start:DateTime64(3)} AND l.hour < {end:DateTime64(3)} AND l.answered > 0 AND l.active_ms > 0
            AND l.protocol IN (6, 17, 132) AND l.least_sampling <= 1
            AND l.peer_addr GLOBAL IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
            AND (l.peer_zone = '' OR ({inside:Bool} AND (l.asset, l.peer_addr) GLOBAL IN
            (
                SELECT a.asset, a.peer_addr
                FROM asset_peers AS a
                WHERE a.talked AND a.peer_zone != '' AND a.peer_addr GLOBAL IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
                GROUP BY a.asset, a.peer_addr
                HAVING min(a.first_seen) >= {young:DateTime64(3)} AND min(a.first_seen) < {end:DateTime64(3)}
            )))
    )
GROUP BY {by}
HAVING active_ms >= {active_ms:UInt64}
ORDER BY asset, peer_addr, protocol, port
