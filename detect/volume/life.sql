-- Since when each of some systems is known, as far as the history goes.
SELECT
    if(turned, peer_name, asset_name) AS from_name,
    if(from_name = '', if(turned, peer_addr, asset_addr), toIPv6('::')) AS from_addr_key,
    min(hour) AS first
FROM pair_hours
ARRAY JOIN [false, true] AS turned
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    {which_pairs}
WHERE from_name IN {names:Array(String)} OR from_name = '' AND from_addr_key IN {addrs:Array(IPv6)}
GROUP BY from_name, from_addr_key
