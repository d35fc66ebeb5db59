-- Who sent one way over a protocol that can carry a copy: almost nothing came back in the
-- hour. Of two protected ends either may be stored as the asset.
SELECT
    p.asset AS asset, p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol,
    argMax(p.port, p.bytes_in + p.bytes_out) AS port,
    argMax(p.asset_serves, p.hour) AS serves, '' AS opened,
    any(p.asset_name) AS asset_is, any(p.asset_zone) AS asset_in, any(p.asset_zone_kind) AS asset_kind, any(p.asset_role) AS asset_does,
    any(p.peer_name) AS peer_is, any(p.peer_zone) AS peer_in, any(p.peer_zone_kind) AS peer_kind, any(p.peer_role) AS peer_does,
    any(p.peer_country) AS country, any(p.peer_asn) AS asn, any(p.peer_as_org) AS as_org,
    sum(p.bytes_in) AS bytes_in, sum(p.bytes_out) AS bytes_out, sum(p.packets_in) AS packets_in, sum(p.packets_out) AS packets_out,
    max(p.last_seen) AS last_seen
FROM pair_hours AS p
WHERE p.hour >= {start:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.protocol IN (4, 17, 41, 47, 50, 115)
GROUP BY asset, asset_addr, peer_addr, protocol
HAVING (bytes_out >= {bytes:UInt64} AND packets_in <= packets_out * {reverse:Float64})
    OR (bytes_in >= {bytes:UInt64} AND packets_out <= packets_in * {reverse:Float64} AND peer_in IN {protected:Array(String)})
ORDER BY asset, peer_addr, protocol
LIMIT 1000
