-- The sessions that began and carried enough, of pairs whose client or server is at the
-- other end of another pair. What came in is joined with what went on in candidates.go, at
-- a fraction of what it costs here.
WITH
    if(asset_serves, asset_addr, peer_addr) AS server,
    if(asset_serves, peer_addr, asset_addr) AS client
SELECT
    p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol, p.port AS port,
    p.asset_serves AS serves,
    p.peer_zone IN {protected:Array(String)} AS peer_ours,
    lower(if(p.asset_serves, p.asset_role, p.peer_role)) IN {roles:Array(String)} AS relays,
    p.hour >= {start:DateTime64(3)} AS fresh,
    toUnixTimestamp64Milli(x.1) AS ms,
    if(p.asset_serves, x.2, x.3) AS up,
    if(p.asset_serves, x.3, x.2) AS down
FROM pair_hours AS p
ARRAY JOIN arrayZip(p.starts, p.start_bytes_in, p.start_bytes_out) AS x
WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.least_sampling <= 1 AND p.established > 0
    AND p.protocol IN (6, 17) AND up + down >= {bytes:UInt64}
    AND (server GLOBAL IN (
            SELECT client FROM pair_hours
            WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)} AND least_sampling <= 1 AND established > 0 AND protocol IN (6, 17))
        OR client GLOBAL IN (
            SELECT server FROM pair_hours
            WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)} AND least_sampling <= 1 AND established > 0 AND protocol IN (6, 17)))
