-- Who opened sessions as people do, to protected systems, hour by hour. Where packets
-- are sampled the beginning of a session cannot be told from its middle.
SELECT
    hour,
    if(initiator = 'peer', if(peer_name != '', peer_name, toString(peer_addr)), if(asset_name != '', asset_name, toString(asset_addr))) AS source,
    sum(begun) AS sessions
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND protocol = 6 AND has({ports:Array(UInt16)}, port) AND begun > 0 AND established > 0 AND least_sampling <= 1
    AND (initiator = 'peer' OR (initiator = 'asset' AND peer_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')))
GROUP BY hour, source
ORDER BY hour
