-- The hours in which both of two pairs had sessions that began or went on, as an
-- unsampled router saw them.
SELECT p.hour AS hour
FROM pair_hours AS p
WHERE p.hour >= {since:DateTime64(3)} AND p.hour < {end:DateTime64(3)} AND p.least_sampling <= 1
    AND ((p.asset_addr = toIPv6({in_asset:String}) AND p.peer_addr = toIPv6({in_peer:String}) AND p.protocol = {in_protocol:UInt8} AND p.port = {in_port:UInt16})
        OR (p.asset_addr = toIPv6({out_asset:String}) AND p.peer_addr = toIPv6({out_peer:String}) AND p.protocol = {out_protocol:UInt8} AND p.port = {out_port:UInt16}))
GROUP BY hour
HAVING uniqExact(p.asset_addr, p.peer_addr, p.protocol, p.port) = 2
ORDER BY hour
