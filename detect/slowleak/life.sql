-- Since when each of some systems is known, and how many systems of each role there are.
SELECT
    asset_name AS from_name,
    if(asset_name = '', asset_addr, toIPv6('::')) AS from_addr_key,
    argMax(asset_role, hour) AS from_role,
    min(hour) AS first
FROM pair_hours
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)} AND asset_zone IN {protected:Array(String)}
GROUP BY from_name, from_addr_key
