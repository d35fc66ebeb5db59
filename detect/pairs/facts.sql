-- Since when each of some pairs has talked, or the system has called in vain.
WITH wanted AS
(
    SELECT x.1 AS asset, toIPv6(x.2) AS peer_addr
    FROM (SELECT arrayJoin(arrayZip({assets:Array(String)}, {peers:Array(String)})) AS x)
)
SELECT p.asset AS asset, p.peer_addr AS peer_addr, min(p.first_seen) AS first
FROM asset_peers AS p
WHERE (p.talked OR p.opened_by_asset > 0) AND p.first_seen < {end:DateTime64(3)}
    AND (p.asset, p.peer_addr) GLOBAL IN (SELECT asset, peer_addr FROM wanted)
GROUP BY asset, peer_addr
