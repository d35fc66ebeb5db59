-- Pairs of a source and a target that are no first contacts: they talked, or the
-- source has tried for long.
SELECT
    if(initiator = 'peer', peer_addr, asset_addr) AS source,
    if(initiator = 'peer', asset_addr, peer_addr) AS target
FROM pair_hours
PREWHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND (peer_addr IN {sources:Array(IPv6)} OR asset_addr IN {sources:Array(IPv6)})
WHERE initiator = 'peer' AND peer_addr IN {sources:Array(IPv6)} OR initiator = 'asset' AND asset_addr IN {sources:Array(IPv6)}
GROUP BY source, target
HAVING max(if(protocol = 6, established, answered)) > 0 OR min(hour) < toDateTime({old:DateTime64(3)}, 'UTC')
