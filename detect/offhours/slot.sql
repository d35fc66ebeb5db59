-- On how many days the sources opened sessions in one of these hours.
SELECT
    if(initiator = 'peer', if(peer_name != '', peer_name, toString(peer_addr)), if(asset_name != '', asset_name, toString(asset_addr))) AS source,
    uniqExact(toDate(hour, {zone:String})) AS days
FROM pair_hours
WHERE hour IN (SELECT toDateTime(arrayJoin({hours:Array(UInt32)}), 'UTC'))
    AND protocol = 6 AND has({ports:Array(UInt16)}, port) AND begun > 0 AND established > 0 AND least_sampling <= 1
    AND (initiator = 'peer' OR (initiator = 'asset' AND peer_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')))
    AND source GLOBAL IN (SELECT arrayJoin({sources:Array(String)}))
GROUP BY source
