-- How many protected systems have ever talked with each of some addresses, or called
-- them in vain, and how many with anything in each of some autonomous systems.
SELECT toString(p.peer_addr) AS what, uniqExact(p.asset) AS hosts
FROM asset_peers AS p
WHERE (p.talked OR p.opened_by_asset > 0) AND p.first_seen < {end:DateTime64(3)}
    AND p.peer_addr GLOBAL IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
GROUP BY p.peer_addr
UNION ALL
SELECT toString(p.peer_asn) AS what, uniqExact(p.asset) AS hosts
FROM asset_peers AS p
WHERE (p.talked OR p.opened_by_asset > 0) AND p.first_seen < {end:DateTime64(3)} AND p.peer_zone = ''
    AND p.peer_asn GLOBAL IN (SELECT arrayJoin({asns:Array(UInt32)}))
GROUP BY p.peer_asn
