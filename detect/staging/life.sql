-- Since when each of some systems is known, as far as the history goes.
SELECT
    name,
    addr,
    min(hour) AS first
FROM
(
    SELECT hour, if(turned, peer_name, asset_name) AS name, if(name = '', if(turned, peer_addr, asset_addr), toIPv6('::')) AS addr
    FROM pair_hours
    ARRAY JOIN [false, true] AS turned
    PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
        AND (asset_name IN {names:Array(String)} OR peer_name IN {names:Array(String)} OR asset_addr IN {addrs:Array(IPv6)} OR peer_addr IN {addrs:Array(IPv6)})
)
WHERE name != '' AND name IN {names:Array(String)} OR name = '' AND addr IN {addrs:Array(IPv6)}
GROUP BY name, addr
