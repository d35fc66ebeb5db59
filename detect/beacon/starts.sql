-- When the calls of some pairs began, each since its own moment, and what they carried.
WITH wanted AS
(
    SELECT toIPv6(x.1) AS asset_addr, toIPv6(x.2) AS peer_addr, toUInt8(x.3) AS protocol, x.4 AS port, x.5 AS since
    FROM
    (
        SELECT arrayJoin(arrayZip({assets:Array(String)}, {peers:Array(String)}, {protocols:Array(UInt16)}, {ports:Array(UInt16)},
            {sinces:Array(UInt32)})) AS x
    )
)
SELECT
    p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol, p.port AS port,
    groupArrayArray(arrayMap(x -> toUnixTimestamp64Milli(x), p.starts)) AS starts,
    groupArrayArray(arrayMap((a, b) -> a + b, p.start_bytes_in, p.start_bytes_out)) AS sizes
FROM pair_hours AS p
GLOBAL INNER JOIN wanted AS w ON p.asset_addr = w.asset_addr AND p.peer_addr = w.peer_addr AND p.protocol = w.protocol AND p.port = w.port
WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND toUnixTimestamp(p.hour) >= w.since AND p.least_sampling <= 1
GROUP BY asset_addr, peer_addr, protocol, port
