-- Which session that came in to a protected system was followed, within the lag, by one
-- that the system opened and that carried as much, each way: the two pairs, once each.
-- Between equals a pair may be stored from the side of its other end, so a system is
-- looked for at both.
WITH starts AS
(
    SELECT
        p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol, p.port AS port, p.hour AS hour,
        if(p.asset_serves, p.asset_addr, p.peer_addr) AS server,
        if(p.asset_serves, p.peer_addr, p.asset_addr) AS client,
        if(p.asset_serves, true, p.peer_zone IN {protected:Array(String)}) AS server_ours,
        if(p.asset_serves, p.peer_zone IN {protected:Array(String)}, true) AS client_ours,
        lower(if(p.asset_serves, p.asset_role, p.peer_role)) AS server_role,
        x.1 AS ms,
        if(p.asset_serves, x.2, x.3) AS up,
        if(p.asset_serves, x.3, x.2) AS down
    FROM pair_hours AS p
    ARRAY JOIN arrayZip(arrayMap(t -> toUnixTimestamp64Milli(t), p.starts), p.start_bytes_in, p.start_bytes_out) AS x
    WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.least_sampling <= 1 AND p.established > 0
        AND p.protocol IN (6, 17) AND up + down >= {bytes:UInt64}
),
came AS
(
    SELECT *, arrayJoin([intDiv(ms - {early:Int64}, {span:Int64}), intDiv(ms - {early:Int64}, {span:Int64}) + 1]) AS bucket
    FROM starts
    WHERE server_ours AND server_role NOT IN {roles:Array(String)}
),
went AS
(
    SELECT *, intDiv(ms, {span:Int64}) AS bucket
    FROM starts
    WHERE client_ours
)
SELECT
    a.server AS device, a.client AS from_addr, b.server AS to_addr,
    a.asset_addr AS in_asset, a.peer_addr AS in_peer, a.protocol AS in_protocol, a.port AS in_port,
    b.asset_addr AS out_asset, b.peer_addr AS out_peer, b.protocol AS out_protocol, b.port AS out_port
FROM came AS a
GLOBAL INNER JOIN went AS b ON a.server = b.client AND a.bucket = b.bucket
WHERE b.ms >= a.ms - {early:Int64} AND b.ms <= a.ms + {lag:Int64} AND a.client != b.server
    AND (a.hour >= {start:DateTime64(3)} OR b.hour >= {start:DateTime64(3)})
    AND b.up <= a.up * {most:Float64} AND a.up <= b.up * {most:Float64}
    AND b.down <= a.down * {most:Float64} AND a.down <= b.down * {most:Float64}
GROUP BY ALL
ORDER BY ALL
LIMIT 10000
