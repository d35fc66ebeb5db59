-- Which protected systems ever had to do with addresses of some prefixes of one length,
-- more than being tried by them.
--
-- bits       the length, of IPv4 counted in IPv6
-- networks   the first addresses of the prefixes
SELECT asset, toString(peer_addr) AS peer
FROM asset_peers
WHERE tupleElement(IPv6CIDRToRange(peer_addr, {bits:UInt8}), 1) IN (SELECT toIPv6(arrayJoin({networks:Array(String)})))
GROUP BY asset, peer_addr
HAVING max(talked) OR sum(opened_by_asset) > 0
ORDER BY asset, peer_addr
