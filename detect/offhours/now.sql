-- Who opened sessions as people do, to protected systems, in the window. Where packets
-- are sampled the beginning of a session cannot be told from its middle.
SELECT
    if(initiator = 'peer', if(peer_name != '', peer_name, toString(peer_addr)), if(asset_name != '', asset_name, toString(asset_addr))) AS source
FROM pair_hours
WHERE hour >= toDateTime({start:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND protocol = 6 AND has({ports:Array(UInt16)}, port) AND begun > 0 AND established > 0 AND least_sampling <= 1
    AND (initiator = 'peer' OR (initiator = 'asset' AND peer_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')))
GROUP BY source
ORDER BY source
